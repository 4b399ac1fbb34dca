# checks.bash - for test_*.sh: what is checked, as TAP. Sets dir, a directory that goes when the script ends, number and bad.
# shellcheck shell=bash

dir=$(mktemp -d "${TMPDIR:-/tmp}/mobula-test-XXXXXX") && trap 'rm -rf "$dir"' EXIT
number=0 bad=0

check() { # TEXT command... - the end of what it printed is shown if it fails
    local text=$1
    shift
    number=$((number + 1))
    if "$@" >"$dir/says" 2>&1; then
        echo "ok $number $text"
    else
        bad=$((bad + 1))
        echo "not ok $number $text"
        tail -n 15 "$dir/says" | sed 's/^/# /'
    fi
}
