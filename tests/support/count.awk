# count.awk - reads the JUnit file of a ctest run: how many single tests passed, failed and were skipped. A
# program of Criterion, a bats file or a Python unittest counts as the tests inside it, everything else as
# one. With reasons=1 it prints why something was skipped, instead.
function number(line, word) {
    return match(line, word "[0-9]+") ? substr(line, RSTART + length(word), RLENGTH - length(word)) + 0 : 0
}
function because(text) { why = why (why == "" ? "" : "; ") text }

/<testcase name="/ {
    name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
    state = $0; sub(/.*status="/, "", state); sub(/".*/, "", state)
    p = f = s = ran = 0; why = ""
}
{ sub(/^.*<system-out>/, "") }
/Synthesis: Tested: / { p += number($0, "Passing: "); f += number($0, "Failing: ") + number($0, "Crashing: ") }
/^\[SKIP\]/ { s++; because(substr($0, 8)) }
/^ok [0-9]+ .*# skip/ { s++; sub(/.*# skip */, ""); because($0); next }
/^ok [0-9]+/ { p++ }
/^not ok [0-9]+/ { f++ }
/^Ran [0-9]+ tests? in/ { ran = $2 }
ran && /^OK/ { n = number($0, "skipped="); s += n; p += ran - n; ran = 0 }
ran && /^FAILED/ { f++; p += ran - 1; ran = 0 }
/^skipped: / { because(substr($0, 10)) }
/<skipped message="Unable/ { state = "fail" } # a program that was not built
/<\/testcase>/ {
    if (state == "fail" && f == 0) f = 1
    if (state == "notrun" && s == 0) s = 1
    if (state == "run" && p + f + s == 0) p = 1
    passed += p; failed += f; skipped += s
    if (reasons && s) printf "skipped: %s: %s\n", name, (why == "" ? "it does not say why" : why)
}
END { if (!reasons) printf "%d %d %d\n", passed, failed, skipped }
