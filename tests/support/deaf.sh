#!/bin/sh
# deaf.sh PERCENT COMMAND... - run it with so many per cent of the notices dropped by every broker that it starts,
# outcomes on the calls socket that nobody asked for included. It must pass all the same, and something must have
# been dropped: else nothing was tested.
set -u
tally=$(mktemp "${TMPDIR:-/tmp}/mobula-tally-XXXXXX") || exit 1
command=''
# shellcheck disable=SC2317 # called by the trap
finish() {
    [ -z "$command" ] || kill "$command" 2>/dev/null
    rm -f "$tally"
}
trap finish EXIT
trap 'exit 143' HUP INT TERM

percent=$1
shift
MOBULA_FAULT=drop_notice=$percent% MOBULA_FAULT_TALLY=$tally "$@" &
command=$!
wait "$command"
status=$?
command=''
awk -F '[= ]' '
    { untold += $2; notices += $4 }
    END { printf "deaf: %d brokers left %d outcomes untold and dropped %d notices\n", NR, untold, notices
          exit untold == 0 || notices == 0 }' "$tally" || {
    echo "deaf: nothing was dropped, so nothing was tested" >&2
    exit 1
}
exit $status
