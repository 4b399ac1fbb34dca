#!/usr/bin/env bats
# look.bats - list, show, status, summary, monitor, health, version, help: what there is, in every format.

load stage

setup_file() { start_stage; "$mobula" new basket --name trolley >/dev/null; }
teardown_file() { end_stage; }

@test "list actors, plain and as JSON" {
    run "$mobula" list actors
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == ACTOR* ]]
    [[ ${lines[1]} == trolley*basket*alive* ]]
    run bash -c "'$mobula' list actors -o json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)[0][\"name\"])'"
    [ "$output" = trolley ]
}

@test "list filters before it limits" {
    "$mobula" new basket --name other >/dev/null
    run bash -c "'$mobula' list actors -f name=other --no-headers 2>/dev/null"
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == other* ]]
    run "$mobula" list actors -f 'name=' -o name
    [ "$status" -ne 0 ] || [ -z "$output" ]
}

@test "list hosts, workers, methods, sessions" {
    for kind in hosts workers methods sessions tasks attempts objects refs stores; do
        run "$mobula" list $kind
        [ "$status" -eq 0 ]
    done
    run "$mobula" list methods
    [[ $output == *"put what:item -> i64"* ]]
}

@test "summary objects: what each namespace keeps, how often it was asked" {
    put=$("$mobula" put '"one"')
    "$mobula" get "$put"
    run "$mobula" summary objects
    [ "$status" -eq 0 ]
    [[ $output == *"default: "*" held; "*" puts, "*" hits"* ]]
    run bash -c "'$mobula' list stores -q -f space=default -o json | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin)[0]; print(r[\"puts\"] > 0, r[\"hits\"] > 0, r[\"hits\"] <= r[\"gets\"], r[\"upto_4k\"] > 0)'"
    [ "$output" = "True True True True" ]
    "$mobula" drop "$put"
}

@test "list objects and refs, show object: what is kept, and by whom" {
    ref=$("$mobula" run price '["nails", 3, 10]' --detach)
    "$mobula" get "$ref" >/dev/null
    run bash -c "'$mobula' list objects -q -f name=price -o json | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin)[0]; print(r[\"state\"], r[\"where\"], r[\"holds\"])'"
    [ "$output" = "stored record 1" ]
    run "$mobula" list refs -q -f kind=broker -f what=price
    [[ ${lines[0]} == ID*WHAT*KIND*HOLDER* ]]
    [[ ${lines[1]} == *price*broker* ]]
    run "$mobula" list refs -q -f kind=argument -o name
    [ -z "$output" ]
    run "$mobula" show object "$ref"
    [ "$status" -eq 0 ]
    [[ $output == *"held by"*broker* ]]
    "$mobula" drop "$ref"
    run "$mobula" list objects -q -f name=price -o name
    [ -z "$output" ]
}

@test "a bad filter is exit 2 and shows where" {
    run "$mobula" list actors -f 'name=(a'
    [ "$status" -eq 2 ]
}

@test "status, health, summary, show" {
    run "$mobula" status
    [ "$status" -eq 0 ]
    run "$mobula" health
    [ "$status" -eq 0 ]
    run "$mobula" summary actors
    [ "$status" -eq 0 ]
    run "$mobula" show actor trolley
    [ "$status" -eq 0 ]
    [[ $output == *alive* ]]
}

@test "health of a host: by its name, or the one that is here" {
    run "$mobula" health --host shop
    [ "$status" -eq 0 ]
    run "$mobula" health --host nowhere
    [ "$status" -eq 5 ]
    [[ $output == *"no host nowhere has joined"* ]]
    run env MOBULA_NAME=shop "$mobula" health --host self
    [ "$status" -eq 0 ]
    run env MOBULA_NAME=nowhere "$mobula" health --host self
    [ "$status" -eq 5 ]
}

@test "what a command left to the broker is listed, found by its short id and cancelled" {
    ref=$("$mobula" run price '["nails", 3, 10]' --cpus 100 --detach)
    run "$mobula" list tasks -f state=ready
    [[ $output == *"${ref#*.}"*"no host has that much"* ]]
    short=${ref:0:6}.${ref#*.}
    run "$mobula" show task "$short"
    [ "$status" -eq 0 ]
    run "$mobula" why "$short"
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "$ref  price"*"ready for"* ]]
    [[ $output == *"because  needs cpu=100: no host has that much; shop: cpu=0/1"* ]]
    [[ $output == *"fix      start a host that has cpu=100, or  mobula cancel $ref"* ]]
    run "$mobula" cancel "$short"
    [ "$status" -eq 0 ]
    run "$mobula" list tasks -f state=ready --no-headers -q
    [ -z "$output" ]
    run "$mobula" get "$ref"
    [ "$status" -eq 8 ]
}

@test "why: an actor by its name, JSON, and what is not there" {
    run "$mobula" why trolley
    [ "$status" -eq 0 ]
    [[ $output == *"because  lives on "*" and has no calls"* ]]
    run bash -c "'$mobula' why trolley -o json | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin)[0]; print(r[\"reason\"], r[\"kind\"], r[\"fix\"])'"
    [ "$output" = "idle actor " ]
    run "$mobula" why 0123456789abcdef.1
    [ "$status" -eq 5 ]
    [[ $output == *"error[ENOTFOUND]"* ]]
    run "$mobula" why trolly
    [ "$status" -eq 5 ]
    [[ $output == *"mobula why trolley"* ]]
    run "$mobula" why
    [ "$status" -eq 2 ]
}

@test "the monitor shows a call and its reply, and ends by itself" {
    "$mobula" monitor 'dst=trolley or src=trolley' --count 2 --for 20s >"$stage/seen" 3>&- &
    pid=$!
    for _ in $(seq 200); do # until it sees something
        "$mobula" call trolley cents >/dev/null
        kill -0 $pid 2>/dev/null || break
    done
    wait $pid
    grep -q ' call ' "$stage/seen"
    grep -q ' reply ' "$stage/seen"
}

@test "the monitor shows where a task runs" {
    "$mobula" monitor task=price --count 2 --for 20s >"$stage/tasks" 3>&- &
    pid=$!
    for _ in $(seq 200); do
        "$mobula" run price '["nails", 3, 10]' >/dev/null
        kill -0 $pid 2>/dev/null || break
    done
    wait $pid
    worker=$(awk '$2 == "task" {print $5}' "$stage/tasks")
    [ -n "$worker" ] && [ "$worker" != - ]
    grep -q "reply *$worker" "$stage/tasks"
}

@test "the monitor's JSON lines can be read, and --expect is exit 10 when nothing came" {
    "$mobula" monitor dst=trolley --json --count 1 --for 20s >"$stage/json" 3>&- &
    pid=$!
    for _ in $(seq 200); do
        "$mobula" call trolley cents >/dev/null
        kill -0 $pid 2>/dev/null || break
    done
    wait $pid
    run bash -c "head -1 '$stage/json' | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin); print(r[\"ev\"], r[\"dst\"])'"
    [ "$output" = "call trolley" ]
    run "$mobula" monitor --expect ev=dead --for 200ms
    [ "$status" -eq 10 ]
}

@test "without a broker everything is exit 3, at once, with the next step" {
    run "$mobula" list actors -b "ipc://$stage/nobody.sock"
    [ "$status" -eq 3 ]
    [[ $output == *"error[EOFFLINE]"* ]]
    [[ $output == *"mobula broker"* ]]
}

@test "version, help, unknown words" {
    run "$mobula" version
    [ "$status" -eq 0 ]
    [[ $output == mobula\ * ]]
    run "$mobula" help ENOTFOUND
    [ "$status" -eq 0 ]
    for verb in broker demo run new call tell get wait cancel monitor events top list show why status summary stop kill bench health config completion help version; do
        run "$mobula" $verb --help
        [ "$status" -eq 0 ]
        [[ ${lines[0]} == *"$ mobula $verb"* ]]
    done
    run "$mobula" serve
    [ "$status" -eq 2 ]
    run "$mobula" moniter
    [ "$status" -eq 2 ]
    [[ $output == *monitor* ]]
}
