# stage.bash - a broker and a worker of this test file's own, ended by pid.

mobula=${MOBULA_BIN:?}
worker=${MOBULA_BUILD:?}/examples/example_worker

# Wait for a line in a file: wait_for LINE FILE
wait_for() {
    for _ in $(seq 400); do
        grep -q "$1" "$2" 2>/dev/null && return 0
        sleep 0.025
    done
    echo "no $1 in $2:" && cat "$2" && return 1
}

# Skips a test where all notices are dropped: needs_notices WHY
needs_notices() {
    [ -z "${MOBULA_FAULT:-}" ] || skip "$1"
}

start_stage() {
    stage=$(mktemp -d "${TMPDIR:-/tmp}/mobula-cli-XXXXXX")
    export stage MOBULA_BROKER=ipc://$stage/calls.sock
    "$mobula" broker --bind "$MOBULA_BROKER" --data :memory: 2>"$stage/broker.log" 3>&- &
    echo $! >"$stage/pids"
    wait_for MOB-READY "$stage/broker.log"
    "$worker" --name shop --slots 1 2>"$stage/worker.log" 3>&- &
    echo $! >>"$stage/pids"
    wait_for MOB-READY "$stage/worker.log"
}

end_stage() {
    tac "$stage/pids" | while read -r pid; do
        kill "$pid" 2>/dev/null
        for _ in $(seq 80); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.025
        done
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$stage"
}
