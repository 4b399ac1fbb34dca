#!/usr/bin/env bats
# talk.bats - run, new, call, tell, get, wait, cancel: values on stdout, errors in one shape, exit codes by class.

load stage

setup_file() { start_stage; }
teardown_file() { end_stage; }

@test "run prints the value of a task" {
    run "$mobula" run price '["nails", 5, 100]'
    [ "$status" -eq 0 ]
    [ "$output" = 500 ]
}

@test "new prints a name, call a value, in order" {
    run "$mobula" new basket --name trolley
    [ "$status" -eq 0 ]
    [ "$output" = trolley ]
    run "$mobula" call trolley put '["nails", 5, 100]'
    [ "$output" = 500 ]
    "$mobula" tell trolley put '["screws", 10, 3]'
    run "$mobula" call trolley cents
    [ "$output" = 530 ]
}

@test "a body's failure is exit 7 and its own sentence" {
    run "$mobula" run price '["nails", -5, 1]'
    [ "$status" -eq 7 ]
    [[ $output == *"error[ETASK]"* ]]
    [[ $output == *"a price below zero"* ]]
}

@test "an unknown actor is exit 5 with the nearest name" {
    "$mobula" new basket --name basket-a >/dev/null
    run "$mobula" call baskit-a cents
    [ "$status" -eq 5 ]
    [[ $output == *"error[ENOTFOUND]: no actor named baskit-a"* ]]
    [[ $output == *"did you mean basket-a?"* ]]
}

@test "arguments that do not fit are exit 2 and nothing is sent" {
    run "$mobula" run price '["nails", "five", 1]'
    [ "$status" -eq 2 ]
    [[ $output == *"error[EARGS]"* ]]
    run "$mobula" run price
    [ "$status" -eq 2 ]
}

@test "an error with -o json is one line of JSON on stderr, and stdout stays empty" {
    run bash -c "'$mobula' -o json call nobody cents 2>/dev/null || '$mobula' call nobody cents -o json 2>/dev/null"
    [ -z "$output" ]
    run bash -c "'$mobula' call nobody cents -o json 2>&1 >/dev/null | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)[\"error\"][\"code\"])'"
    [ "$output" = ENOTFOUND ]
}

@test "a name that is taken is exit 5" {
    "$mobula" new basket --name one-only >/dev/null
    run "$mobula" new basket --name one-only
    [ "$status" -eq 5 ]
    run "$mobula" new basket --name one-only --get-if-exists
    [ "$status" -eq 0 ]
}

@test "stop ends an actor, and a call to it says that it is dead" {
    "$mobula" new basket --name short >/dev/null
    run "$mobula" stop short
    [ "$status" -eq 0 ]
    run "$mobula" call short cents
    [ "$status" -ne 0 ]
}

@test "put leaves a value with the broker, get prints it, drop forgets it" {
    run "$mobula" put '[1, "two"]'
    [ "$status" -eq 0 ]
    ref=$output
    run "$mobula" get "$ref"
    [ "$status" -eq 0 ]
    [[ $output == *1*two* ]]
    "$mobula" drop "$ref"
    run "$mobula" get "$ref" -t 8s # a young broker waits 3 s for those who may know
    [ "$status" -eq 5 ]
}

@test "run --detach prints a ref whose value can be got later" {
    ref=$("$mobula" run price '["nails", 5, 100]' --detach)
    run "$mobula" get "$ref"
    [ "$output" = 500 ]
}
