#!/usr/bin/env bats
# dlq.bats - dead letters: seen, sent again, thrown away.

load stage

# Three calls that nobody waits for, on their way to an actor that stands still, and then is no more.
setup() {
    tells=()
    start_stage
    "$mobula" new basket --name lost >/dev/null
    "$mobula" call lost cents >/dev/null
    kill -STOP "$("$mobula" list actors -o json | json 'r[0]["pid"]')"
    for n in 1 2 3; do "$mobula" tell lost cents -t 1m 3>&- & tells+=($!); done
    until [ "$("$mobula" list tasks -q -f kind=method -o name | wc -l)" -eq 3 ]; do :; done
    "$mobula" kill lost -y 2>/dev/null
    wait "${tells[@]}"
}
teardown() { end_stage; }

json() { /usr/bin/python3 -c "import json,sys; r=json.load(sys.stdin); print($1)"; }
ids() { "$mobula" dlq ls -o name; }

@test "ls shows what failed with nobody to tell, show all of it" {
    [ "$(ids | tr '\n' ' ')" = "dl-1 dl-2 dl-3 " ]
    run "$mobula" dlq show dl-2
    [ "$status" -eq 0 ]
    [[ $output == *EDEAD* ]]
    [[ $output == *"cents"* ]]
    run "$mobula" dlq show dl-9
    [ "$status" -eq 5 ]
    [[ $output == *"mobula list letters"* ]]
}

@test "retry sends them to who is there now" {
    "$mobula" new basket --name lost >/dev/null
    run "$mobula" dlq retry dl-1
    [ "$status" -eq 0 ]
    [[ $output == *"retried 1, delivered 1, failed 0"* ]]
    run "$mobula" dlq retry --all -f 'method~cents*' -y
    [ "$status" -eq 0 ]
    [[ $output == *"delivered 2"* ]]
    [ -z "$(ids)" ]
}

@test "what fails again is a new letter, and the exit code says so" {
    run "$mobula" dlq retry dl-3
    [ "$status" -eq 11 ]
    [[ $output == *"failed 1"* ]]
    [ "$(ids | tail -1)" = dl-4 ]
}

@test "drop throws away those named, or all that match; --dry-run none" {
    run "$mobula" dlq drop --all --dry-run
    [[ $output == *"drop dl-1 lost cents"* ]]
    [ "$(ids | wc -l)" -eq 3 ]
    "$mobula" dlq drop dl-2 dl-3
    [ "$(ids)" = dl-1 ]
    run "$mobula" dlq drop dl-2
    [ "$status" -eq 5 ]
    "$mobula" dlq drop --all -f 'error=EDEAD'
    [ -z "$(ids)" ]
}

@test "neither a name nor --all, and both, are refused" {
    run "$mobula" dlq drop
    [ "$status" -eq 2 ]
    [[ $output == *"--all"* ]]
    run "$mobula" dlq retry dl-1 --all
    [ "$status" -eq 2 ]
    run "$mobula" dlq bury dl-1
    [ "$status" -eq 2 ]
    [[ $output == *"ls|show|retry|drop"* ]]
}
