#!/bin/sh
# same_output.sh EXPECTED COMMAND... - it must exit 0 and print exactly what the file says.
set -u
expected=$1
shift
out=$(mktemp "${TMPDIR:-/tmp}/mobula-out-XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT
trap 'exit 143' HUP INT TERM
"$@" >"$out"
status=$?
diff -u "$expected" "$out" || { echo "same_output: not what $expected says (exit $status)" >&2; exit 1; }
exit $status
