# quotes.awk - a block of code behind <!-- file: PATH --> must stand in that file, word for word.
function whole(path,    text, line) {
    text = "\n"
    while ((getline line < path) > 0) text = text line "\n"
    close(path)
    return text
}
/^<!-- file: .* -->$/ { path = $3; next }
/^```/ && path != "" && !inside { inside = 1; block = ""; next }
/^```/ && inside {
    if (index(whole(path), "\n" block) == 0) { printf "%s:%d: not in %s\n", FILENAME, FNR, path; bad = 1 }
    inside = 0; path = ""; next
}
inside { block = block $0 "\n" }
END { exit bad }
