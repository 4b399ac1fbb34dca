#!/bin/sh
# with_worker.sh WORKER [FLAGS...] -- COMMAND... - start a worker program, wait until it serves, run the command,
# end the worker politely; it must then exit 0.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/mobula-worker-XXXXXX") || exit 1
worker=''
# shellcheck disable=SC2317 # called by the trap
finish() {
    [ -z "$worker" ] || kill "$worker" 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 143' HUP INT TERM

program=$1
shift
flags=''
while [ "$1" != -- ]; do
    flags="$flags $1"
    shift
done
shift

# shellcheck disable=SC2086
"$program" $flags 2>"$dir/log" &
worker=$!
tries=0
until grep -q MOB-READY "$dir/log"; do
    tries=$((tries + 1))
    if [ $tries -gt 400 ] || ! kill -0 "$worker" 2>/dev/null; then
        echo "with_worker: $program did not get ready" >&2
        cat "$dir/log" >&2
        exit 1
    fi
    sleep 0.05
done

"$@"
status=$?
kill "$worker" 2>/dev/null
wait "$worker"
ended=$?
worker=''
[ $ended -eq 0 ] || echo "with_worker: $program ended with $ended" >&2
if [ $status -ne 0 ] || [ $ended -ne 0 ]; then
    cat "$dir/log" >&2
    exit 1
fi
