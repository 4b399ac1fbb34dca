#!/bin/sh
# scenarios.sh - the conformance scenarios: number, status, name, and the tests that play each. A test plays a
# scenario if its name has the number in it (C73_a_queued_task_never_runs), or if scenarios.txt names it.
# --markdown: as docs/CONFORMANCE.md. Exit 1: a test that is named there does not exist.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
markdown=0
[ "${1:-}" != --markdown ] || markdown=1

# FOLDER SUITE::NAME, or FOLDER/FILE, a line for each test there is
tests() {
    grep -HoE '^Test\([a-z_]+, *[A-Za-z0-9_]+' tests/*/test_*.c |
        sed -E 's#^tests/([a-z_]+)/[^:]*:Test\(([a-z_]+), *#\1 \2::#'
    grep -HoE '^@test "[^"]+' tests/*/*.bats | sed -E 's#^tests/([^:]*):@test "#\1 #'
    find tests -name 'test_*.*' -o -name '*.bats' | sed -E 's#^tests/##; s#/test_([a-z_]+)\.c$#/\1#'
    find examples -name '[0-9]*.c' | sed -E 's#^examples/(.*)\.c$#example/\1#'
}

tests | sort | awk -F ' *[|] *' -v markdown=$markdown '
    function all_that_play(number,    i, out) {
        for (i = 1; i <= count; i++)
            if (test[i] ~ ("(^|[^A-Za-z0-9])" number "([^A-Za-z0-9]|$)"))
                out = out (out == "" ? "" : ", ") test[i]
        return out
    }
    function show(status, what) {
        many[status]++
        if (markdown)
            printf "| %s | %s | %s | %s |\n", $1, $2, status, what
        else
            printf "%-5s %-8s %-36s %s\n", $1, status, $2, what
    }
    FILENAME == "-" { test[++count] = $0; there[$0] = 1; next }
    markdown && FNR == 1 { print head }
    /^#/ { next }
    {
        played = all_that_play($1)
        if ($3 ~ /^(later|not ours): /) {
            status = $3
            sub(/:.*/, "", status)
            why = $3
            sub(/^[^:]*: /, "", why)
            show(status, why)
        } else if ($3 != "" && !($3 in there)) {
            show("MISSING", $3)
        } else {
            if ($3 != "" && index(played, $3) == 0)
                played = played (played == "" ? "" : ", ") $3
            show(played == "" ? "not yet" : "tested", played)
        }
    }
    END {
        if (!markdown)
            printf "%d tested, %d not yet, %d later, %d not ours\n", many["tested"],
                   many["not yet"], many["later"], many["not ours"]
        exit many["MISSING"] > 0
    }' head="# Conformance

What the semantics promise, scenario by scenario, and the test that plays each. Made by \`tests/support/scenarios.sh --markdown\`
from the names of the tests; \`./dev lint\` checks that it is fresh. *tested*: \`./dev test\` plays all of it.

| number | scenario | | tests |
|---|---|---|---|" - tests/scenarios.txt
