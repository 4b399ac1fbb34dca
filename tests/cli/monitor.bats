#!/usr/bin/env bats
# monitor.bats - the monitor: what it shows of the past, how it joins and counts, how it ends.

load stage

setup_file() {
    start_stage
    "$mobula" new basket --name trolley >/dev/null
    "$mobula" call trolley cents >/dev/null
}
teardown_file() { end_stage; }

# The JSON lines of a file through Python: json_of FILE EXPRESSION, where r is the list of them.
json_of() {
    /usr/bin/python3 -c "import json,sys; r=[json.loads(l) for l in open(sys.argv[1])]; print($2)" "$1"
}

@test "the past of an unwatched broker is shown, with how far it goes back, and that is all" {
    run "$mobula" monitor --since 1h --for 0 method=cents
    [ "$status" -eq 0 ]
    [[ $output == *"the flight recorder goes back "* ]]
    [ "$(grep -c ' call ' <<<"$output")" -eq 1 ]
    [ "$(grep -c ' reply ' <<<"$output")" -eq 1 ]
}

@test "the past ends where it is told to" {
    run "$mobula" monitor --since 1us --for 0 -q
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    "$mobula" monitor --since 1h --count 1 --json -q >"$stage/one"
    [ "$(wc -l <"$stage/one")" -eq 1 ]
    run "$mobula" monitor --since yesterday
    [ "$status" -eq 2 ]
}

@test "notes of what happened are remembered: how a client left" {
    run "$mobula" monitor --since 1h --for 0 -q 'ev=leave and note=EXIT'
    [[ $output == *" leave "*" EXIT"* ]]
}

@test "past and present follow each other: nothing twice, nothing left out" {
    "$mobula" monitor --since 1h ev=call method=cents --json --count 21 --for 30s >"$stage/both" 2>"$stage/says" 3>&- &
    pid=$!
    for _ in $(seq 20); do "$mobula" call trolley cents >/dev/null; done
    wait $pid
    [ "$(json_of "$stage/both" 'len(set(x["id"] for x in r)), [x["n"] for x in r] == list(range(1, 22))')" = "21 True" ]
}
