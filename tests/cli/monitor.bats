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
    needs_notices "makes many calls, one after the other"
    "$mobula" monitor --since 1h ev=call method=cents --json --count 21 --for 30s >"$stage/both" 2>"$stage/says" 3>&- &
    pid=$!
    for _ in $(seq 20); do "$mobula" call trolley cents >/dev/null; done
    wait $pid
    [ "$(json_of "$stage/both" 'len(set(x["id"] for x in r)), [x["n"] for x in r] == list(range(1, 22))')" = "21 True" ]
}

@test "pairs: a call and its reply are one line, with how long it took and how it ended" {
    run "$mobula" call trolley put '["pears", -1, 2]'
    run "$mobula" monitor --since 1h --for 0 -q --pairs actor=trolley
    [ "$(grep -c ' cents ' <<<"$output")" -ge 1 ]
    [ "$(grep -c ' reply ' <<<"$output")" -eq 0 ]
    [[ $output == *" call "*trolley*" cents "*"s "*" ok, 1 bytes"* ]]
    [[ $output == *" call "*trolley*" put "*"s "*" ETASK"* ]]
    "$mobula" monitor --since 1h --for 0 -q --pairs --json method=put >"$stage/pairs"
    [ "$(json_of "$stage/pairs" 'r[0]["ev"], r[0]["status"], r[0]["took_us"] > 0, r[0]["reply_bytes"] > 0')" = "call ETASK True True" ]
}

@test "pairs: a call whose reply was not seen is shown as it is" {
    run "$mobula" monitor --since 1h --for 0 -q --pairs 'ev=call and method=cents'
    [[ $output == *" call "*" cents "*" - "* ]]
    [[ $output != *" ok"* ]]
}

@test "group-by: a table of counts, for people and for programs" {
    "$mobula" tell trolley cents --count 7 >/dev/null
    "$mobula" call trolley cents >/dev/null # behind them
    run "$mobula" monitor --since 1h --for 0 -q --group-by actor,method actor=trolley
    [[ ${lines[0]} == ACTOR*METHOD*COUNT*P50*P99*ERRORS ]]
    "$mobula" monitor --since 1h --for 0 -q --group-by method --json actor=trolley >"$stage/groups"
    run /usr/bin/python3 -c "import json; r={x['method']: x for x in json.load(open('$stage/groups'))}; print(r['put']['count'], r['put']['errors'], r['cents']['errors'], r['put']['p50_us'] > 0, r['cents']['count'] >= 8)"
    [ "$output" = "1 1 0 True True" ]
    run "$mobula" monitor --group-by metod
    [ "$status" -eq 2 ]
    [[ $output == *"--group-by method"* ]]
}

@test "sample: a part of the calls, each with its reply" {
    needs_notices "makes many calls, one after the other"
    for _ in $(seq 40); do "$mobula" call trolley cents >/dev/null; done
    "$mobula" monitor --since 1h --for 0 -q --json --sample 50% ev=call,tell,reply method=cents >"$stage/sample"
    run json_of "$stage/sample" '0 < len(r) < 2 * (40 + 7), len(r) == 2 * len(set(x["id"] for x in r))'
    [ "$output" = "True True" ]
    for part in 2/3 0% 101% 1/0 half; do
        run "$mobula" monitor --sample "$part"
        [ "$status" -eq 2 ]
    done
}

@test "scripts: fail-if ends at the first match, expect when nothing came or at the first that did" {
    run "$mobula" monitor --since 1h --for 0 -q --fail-if status=ETASK actor=trolley
    [ "$status" -eq 10 ]
    [[ $output == *"error[EEXPECT]"*"a record matched status=ETASK"* ]]
    run "$mobula" monitor --since 1h --for 0 -q --expect method=nothing
    [ "$status" -eq 10 ]
    run "$mobula" monitor --since 1h -q --expect method=put
    [ "$status" -eq 0 ]
    run "$mobula" monitor --since 1h --for 0 -q --expect method=put --fail-if method=nothing
    [ "$status" -eq 0 ]
}

@test "format: as it is asked for" {
    run "$mobula" monitor --since 1h --count 1 -q --format '%e %d.%m\t%b%%\n' ev=call method=cents
    [ "$output" = "$(printf 'call trolley.cents\t0%%')" ]
}

@test "the footer, on a terminal only: rates, what was left out, what was lost" {
    command -v script >/dev/null || skip "no script(1)"
    run script -qec "'$mobula' monitor method=nothing --for 1200ms" /dev/null
    [[ $output == *"calls 0/s, ended 0/s"*"shown 0/s, filtered "*"lost 0"* ]]
    run "$mobula" monitor method=nothing --for 1200ms
    [[ $output != *"filtered"* ]]
}

@test "every line of JSON is as docs/schema/monitor.v1.json says" {
    "$mobula" monitor --since 1h --for 0 -q --json >"$stage/lines"
    "$mobula" monitor --since 1h --for 0 -q --json --pairs >>"$stage/lines"
    run /usr/bin/python3 - "$stage/lines" "$BATS_TEST_DIRNAME/../../docs/schema/monitor.v1.json" <<'PYTHON'
import json, re, sys
schema = json.load(open(sys.argv[2]))
fields = schema["properties"]
kinds = {"integer": int, "string": str}
for text in open(sys.argv[1]):
    line = json.loads(text)
    assert all(key in line for key in schema["required"]), text
    for key, value in line.items():
        rule = fields[key]
        assert "type" not in rule or type(value) is kinds[rule["type"]], text
        assert "enum" not in rule or value in rule["enum"], text
        assert "pattern" not in rule or re.search(rule["pattern"], value), text
print("fine")
PYTHON
    [ "$output" = fine ]
}
