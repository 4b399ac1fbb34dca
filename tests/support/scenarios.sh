#!/bin/sh
# scenarios.sh - the conformance scenarios: number, status, name, and the test that plays each.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
awk -F ' *[|] *' '
    /^#/ { next }
    { status = $3 == "" ? "not yet" : "tested"; count[status]++
      printf "%-5s %-8s %-32s %s\n", $1, status, $2, $3 }
    END { printf "%d tested, %d not yet\n", count["tested"], count["not yet"] }' "$here/scenarios.txt"
