# long_functions.awk - functions of more than 60 lines, by the layout of .clang-format: the body's braces stand
# alone in the first column.
FNR == 1 { start = 0 }
/^\{$/ { start = FNR }
/^\}$/ && start {
    if (FNR - start + 1 > 60) { printf "%s:%d: a function of %d lines\n", FILENAME, start, FNR - start + 1; bad = 1 }
    start = 0
}
END { exit bad }
