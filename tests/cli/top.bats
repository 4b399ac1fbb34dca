#!/usr/bin/env bats
# top.bats - the live table, on a terminal of 80 columns and 24 lines: views, sorting, a filter, details, an end.

load stage

setup_file() {
    start_stage
    "$mobula" new basket --name trolley >/dev/null
    "$mobula" new basket --name wagon >/dev/null
}
teardown_file() { end_stage; }

# on_terminal STEP... -- FLAGS: top, with these steps (terminal.py)
on_terminal() {
    local steps=()
    while [ "$1" != -- ]; do
        steps+=("$1")
        shift
    done
    shift
    run /usr/bin/python3 "$BATS_TEST_DIRNAME/terminal.py" "${steps[@]}" -- "$mobula" top "$@"
    echo "$output"
}

@test "once: a table for people, figures and rows for programs" {
    run "$mobula" top --once
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == ACTOR*MAILBOX* ]]
    [[ $output == *trolley* ]]
    run bash -c "'$mobula' top --once -o json -f name=wagon | /usr/bin/python3 -c 'import json,sys; r=json.load(sys.stdin); print(r[\"status\"][\"actors\"], [x[\"name\"] for x in r[\"actors\"]])'"
    [ "$output" = "2 ['wagon']" ]
    run "$mobula" top --once --view hosts -o name
    [ "$output" = shop ]
}

@test "off a terminal it says what to do" {
    run "$mobula" top
    [ "$status" -eq 2 ]
    [[ $output == *"mobula top --once"* ]]
}

@test "figures, tabs and rows fit on 80 columns; q ends" {
    on_terminal "see trolley" "see wagon" "see [1 Actors]" "see settled" "see 8 Attempts" "see q quit" "type q" --
    [ "$status" -eq 0 ]
}

@test "another view, and all that is known of a row" {
    on_terminal "see trolley" "type 4" "see [4 Hosts]" "see shop" 'type \r' "see slots" "see any key" "type x" "see [4 Hosts]" \
        "type ?" "see sort by the next column" "type x" "see [4 Hosts]" "type q" --
    [ "$status" -eq 0 ]
}

@test "a filter, and its mistake" {
    on_terminal "see trolley" "type /name=wag(" 'type \r' "see column" 'type \e' "see wagon" "type /name=wagon" 'type \r' "see filter: name=wagon" \
        "see wagon" "type q" --
    [ "$status" -eq 0 ]
}

@test "why, sorting, turning round, freezing" {
    on_terminal "see trolley" "type w" "see because" "type x" "see [1 Actors]" "type s" "type R" "type  " "see (frozen)" "type  " "type q" --
    [ "$status" -eq 0 ]
}

@test "an actor is ended when one has said yes, and never with --readonly" {
    on_terminal "see trolley" "type K" "see --readonly" "type q" -- --readonly -f name=trolley
    [ "$status" -eq 0 ]
    on_terminal "see trolley" "type K" "see end trolley?" "type n" "see q quit" "type K" "see end trolley?" "type y" "see trolley is being ended" "see dead" "type q" -- -f name=trolley
    [ "$status" -eq 0 ]
    run "$mobula" list actors -f 'name=trolley and state=alive' -o name -q
    [ -z "$output" ]
}

@test "a broker that goes away is waited for" {
    on_terminal "see trolley" "see serving" "run kill -STOP $(head -1 "$stage/pids")" "see waiting: " "see wagon" \
        "run kill -CONT $(head -1 "$stage/pids")" "see serving" "type q" --
    [ "$status" -eq 0 ]
}
