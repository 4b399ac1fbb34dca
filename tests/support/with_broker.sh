#!/bin/sh
# with_broker.sh COMMAND... - run it against a broker of its own, in a directory of its own; both are gone
# afterwards, however it ended. Gives the command's exit code. The broker's log is shown when it failed.
#   MOBULA_BIN          the mobula to start (default: build/mobula)
#   MOBULA_BROKER_ARGS  more flags for `mobula broker`
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
mobula=${MOBULA_BIN:-$here/build/mobula}
[ -x "$mobula" ] || { echo "with_broker: no $mobula" >&2; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/mobula-test-XXXXXX") || exit 1
broker='' command=''

# shellcheck disable=SC2317 # called by the trap
finish() {
    [ -z "$command" ] || kill "$command" 2>/dev/null
    [ -z "$broker" ] || end_broker
    rm -rf "$dir"
}
# shellcheck disable=SC2317
end_broker() { # politely; after two seconds not
    kill "$broker" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -0 "$broker" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$broker" 2>/dev/null
    wait "$broker" 2>/dev/null
}
trap finish EXIT
trap 'exit 143' HUP INT TERM

mkfifo "$dir/says"
# shellcheck disable=SC2086
"$mobula" broker --bind "ipc://$dir/calls.sock" --data :memory: ${MOBULA_BROKER_ARGS:-} 2>"$dir/says" >"$dir/says" &
broker=$!

# The log is copied until its end by a reader of its own; it makes `ready` when the broker says so.
(
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in *MOB-READY*) : >"$dir/ready" ;; esac
    done <"$dir/says" >"$dir/log"
    [ ! -d "$dir" ] || : >"$dir/over"
) 2>/dev/null &
tries=0
while [ ! -e "$dir/ready" ]; do
    tries=$((tries + 1))
    if [ -e "$dir/over" ] || [ $tries -gt 400 ]; then
        echo "with_broker: the broker did not get ready" >&2
        cat "$dir/log" >&2
        exit 1
    fi
    sleep 0.05
done

MOBULA_BROKER=ipc://$dir/calls.sock MOBULA_TEST_DIR=$dir MOBULA_BROKER_PID=$broker "$@" &
command=$!
wait "$command"
status=$?
command=''
# The log ends when the broker does; kill -0 would still find one that has died and was not waited for.
[ ! -e "$dir/over" ] || { echo "with_broker: the broker did not survive" >&2; status=1; }
[ $status -eq 0 ] || [ $status -eq 77 ] || { echo "--- the broker's log" >&2; tail -n 40 "$dir/log" >&2; }
exit $status
