#!/usr/bin/env bats
# timeline.bats - the trace of what ran, as a file.

load stage

setup_file() {
    start_stage
    "$mobula" new basket --name trolley >/dev/null
    for n in 1 2 3; do "$mobula" call trolley cents >/dev/null; done
}
teardown_file() { end_stage; }

check() { /usr/bin/python3 - "$1" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))
assert rows
threads = {(r["pid"], r["tid"]) for r in rows if r["ph"] == "M" and r["name"] == "thread_name"}
names = {r["args"]["name"] for r in rows if r["ph"] == "M"}
assert {"callers", "shop", "trolley"} <= names, names
for r in rows:
    assert isinstance(r["pid"], int) and isinstance(r["tid"], int)
    assert r["ph"] == "M" or (r["pid"], r["tid"]) in threads
    if r["ph"] == "X":
        assert r["dur"] >= 0 and r["args"]["actor"] == "trolley" and r["args"]["attempt"] == 1
slices = [r for r in rows if r["ph"] == "X"]
assert len([r for r in slices if r["cat"] == "execute"]) == 3, slices
assert len([r for r in rows if r["ph"] == "s"]) == len([r for r in rows if r["ph"] == "f"]) == 3
END
}

@test "a trace into a file, into a pipe, of a while" {
    run "$mobula" timeline "$stage/trace.json"
    [ "$status" -eq 0 ]
    [[ $output == *"3 calls"* ]]
    check "$stage/trace.json"
    "$mobula" timeline --since 1h >"$stage/piped.json" 2>/dev/null
    check "$stage/piped.json"
    [ "$("$mobula" timeline --since 0 2>/dev/null | grep -c execute)" -eq 0 ]
}

@test "a file that cannot be written is said" {
    run "$mobula" timeline /nowhere/trace.json
    [ "$status" -eq 2 ]
    [[ $output == *"/nowhere/trace.json"* ]]
}
