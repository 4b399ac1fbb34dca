#!/usr/bin/env bats
# demo.bats - the demo counts what the standard tools count, and leaves nothing behind.

load stage

setup() {
    stage=$(mktemp -d "${TMPDIR:-/tmp}/mobula-cli-XXXXXX")
    export XDG_RUNTIME_DIR=$stage/run
    mkdir -m 700 "$stage/run" "$stage/text"
    unset MOBULA_BROKER
    for i in $(seq 50); do seq "$i" $((i * 20)) >"$stage/text/$i.txt"; done
    printf 'no newline at the end' >"$stage/text/last"
    printf 'a\0b' >"$stage/text/binary"
}
teardown() { rm -rf "$stage"; }

@test "the census equals the independent count" {
    run bash -c "'$mobula' demo --json '$stage/text' 2>/dev/null | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin); print(r[\"ok\"], r[\"files\"], r[\"lost\"], r[\"words\"] == r[\"independent\"])'"
    [ "$output" = "True 51 0 True" ]
}

@test "it stays off a terminal no longer than its census, and its processes are gone" {
    run "$mobula" demo "$stage/text"
    [ "$status" -eq 0 ]
    [[ $output == *"lost 0"* ]]
    [ ! -S "$stage/run/mobula/calls.sock" ] || ! "$mobula" health -b "ipc://$stage/run/mobula/calls.sock" -t 500ms
}

@test "a path without text says so" {
    mkdir "$stage/empty"
    run "$mobula" demo "$stage/empty"
    [ "$status" -eq 5 ]
}

@test "a second broker on the same place is refused" {
    "$mobula" broker --bind "ipc://$stage/run/calls.sock" --data :memory: 2>"$stage/log" 3>&- &
    pid=$!
    wait_for MOB-READY "$stage/log"
    run "$mobula" broker --bind "ipc://$stage/run/calls.sock" --data :memory:
    kill $pid
    wait $pid || true
    [ "$status" -eq 2 ]
}
