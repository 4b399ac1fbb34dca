#!/usr/bin/env bats
# burst.bats - tell, many times in a row. A file of its own: with notices dropped it asks for half a minute.

load stage

setup_file() { start_stage; }
teardown_file() { end_stage; }

@test "no tell of a long burst is lost, although a mailbox holds a thousand" {
    "$mobula" new basket --name heap >/dev/null
    run "$mobula" tell heap put '["nail", 1, 1]' --count 3000 -t 1m
    [ "$status" -eq 0 ]
    run "$mobula" call heap cents
    [ "$output" = 3000 ]
}
