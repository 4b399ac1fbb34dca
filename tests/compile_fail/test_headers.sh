#!/bin/bash
# test_headers.sh - each public header compiles alone, with every warning: in C by two compilers, the plain ones
# also as C++17. None of them drags in a library's header.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
include=(-I"$top/wire/include" -I"$top/sdk/include")
warn=(-Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror)
# shellcheck source-path=SCRIPTDIR source=../support/checks.bash
. "$(dirname "$0")/../support/checks.bash"

refused_by_grep() { ! grep -rnE '#include [<"](zmq|czmq|mpack)' "$top/wire/include" "$top/sdk/include"; }

for header in types mobula worker contract pool; do
    printf '#include <mobula/%s.h>\n#include <mobula/%s.h>\n' $header $header | tee "$dir/$header.c" >"$dir/$header.cc"
    pedantic=("${warn[@]}")
    case $header in contract | pool) pedantic=(-Wall -Wextra -Wconversion -Wshadow -Werror) ;; esac
    for compiler in gcc clang; do
        check "$compiler: $header.h" $compiler -std=gnu11 "${pedantic[@]}" "${include[@]}" -fsyntax-only "$dir/$header.c"
    done
    case $header in types | mobula | worker)
        for compiler in g++ clang++; do
            check "$compiler: $header.h" $compiler -std=c++17 -Wall -Wextra -Werror "${include[@]}" -fsyntax-only "$dir/$header.cc"
        done ;;
    esac
done
check "no header of ours includes a library's" refused_by_grep
echo "1..$number"
[ $bad -eq 0 ]
