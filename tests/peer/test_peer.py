#!/usr/bin/env python3
"""The peer of peer.py against a real broker: it calls, serves, and awaits, by notices and without them."""

import os
import shutil
import subprocess
import sys
import tempfile

from peer import (CLIENT, FAIL, CALL, ENDED, HOST, MAKE, METHOD, OFFER, OPEN, RESULT, RUN, SPAWN, START, SUBMIT, WORKER, Peer, pack,
                  unpack)

MOBULA, BUILD = os.environ["MOBULA_BIN"], os.environ["MOBULA_BUILD"]
NONE = (0, 0)


def started(words, ready, **more):
    """A process that has said that it is ready."""
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, **more)
    for line in process.stderr:
        if ready in line:
            return process
    raise RuntimeError(f"{words[0]} did not get ready")


def check(what, have, want):
    print(f"{'ok' if have == want else 'not ok'} - {what}", flush=True)
    if have != want:
        print(f"# {have!r} instead of {want!r}", flush=True)
        check.failed += 1


check.failed = 0


def calls_a_worker_in_c(calls):
    """price(item) and the basket of examples/worker.c."""
    me = Peer(calls)
    me.bind(1, "price item -> i64")
    me.bind(2, "basket")
    me.bind(3, "put item -> i64")
    task = me.request(SUBMIT, me.epoch, 1, {}, pack(["nails", 5, 100]), [], *NONE)
    check("a task in C gives its value", me.get(task), (0, [500]))
    actor = me.request(SPAWN, me.epoch, 2, {}, b"", [], *NONE)
    first = me.request(CALL, me.epoch, me.owner, actor, 0, 3, {}, pack(["screws", 10, 3]), [], *NONE)
    second = me.request(CALL, me.epoch, me.owner, actor, 0, 3, {}, pack(["hooks", 1, 1]), [], *NONE)
    check("an actor in C keeps its state, calls keep their order", (me.get(first), me.get(second)), ((0, [30]), (0, [31])))
    check("outcomes came by notices", me.notices > 0, True)
    wrong = me.request(SUBMIT, me.epoch, 1, {}, pack(["nails", -5, 1]), [], *NONE)
    code, values = me.get(wrong)
    check("a failure is a record with code and reason", (code, values[0][0], values[0][3], "price below zero" in values[0][12]), (8, 8, 1, True))
    late = me.request(SUBMIT, me.epoch, 1, {1: 5000}, pack(["nails", 2, 2]), [], *NONE)
    me.say(SUBMIT, late, me.epoch, 1, {1: 5000}, pack(["nails", 2, 2]), [], *NONE)
    check("the same request twice is one", me.get(late), (0, [4]))
    me.close()


def awaits_without_notices(calls):
    me = Peer(calls, deaf=True)
    me.bind(1, "price item -> i64")
    task = me.request(SUBMIT, me.epoch, 1, {}, pack(["nails", 5, 100]), [], *NONE)
    check("without a single notice the value comes", (me.get(task), me.notices), ((0, [500]), 0))
    me.close()


def serve(host, worker, verb):
    """Answer one message of the broker."""
    message = worker.hear(verb)
    if verb == MAKE:
        worker.say(RESULT, message[1], message[2], message[3], b"\xc0")
        return
    name, args = worker.names[message[4]], unpack(message[10])
    if name == "divide i64 i64 -> i64" and args[1] == 0:
        worker.say(FAIL, message[1], message[2], message[3], 8, 33, 2, "division by zero", "", 0, 0)
    elif name == "divide i64 i64 -> i64":
        worker.say(RESULT, message[1], message[2], message[3], pack(args[0] // args[1]))
    else:
        worker.say(RESULT, message[1], message[2], message[3], pack(args[0].upper()))


def serves(calls):
    """A host and its workers, called by another session and by a program in C."""
    host = Peer(calls, HOST)
    host.say(OFFER, "divide i64 i64 -> i64", "divide a:i64 b:i64 -> i64", 1, {})
    host.say(OFFER, "echo", "echo", 2, {})
    host.say(METHOD, "loud str -> str", "loud text:str -> str", {})
    host.say(OPEN, 1, 0, "")
    worker = Peer(calls, WORKER, owner=host.hear(START)[1], host=host.owner)
    me = Peer(calls, CLIENT)
    me.bind(1, "divide i64 i64 -> i64")
    me.bind(2, "echo")
    me.bind(3, "loud str -> str")
    task = me.request(SUBMIT, me.epoch, 1, {}, pack(42, 6), [], *NONE)
    serve(host, worker, RUN)
    check("a task served here", me.get(task), (0, [7]))
    task = me.request(SUBMIT, me.epoch, 1, {}, pack(1, 0), [], *NONE)
    serve(host, worker, RUN)
    check("a failure served here", (lambda code, record: (code, record[0][3], record[0][12]))(*me.get(task)), (8, 33, "division by zero"))
    actor = me.request(SPAWN, me.epoch, 2, {}, b"", [], *NONE)
    call = me.request(CALL, me.epoch, me.owner, actor, 0, 3, {}, pack("quiet"), [], *NONE)
    second = Peer(calls, WORKER, owner=host.hear(START)[1], host=host.owner)
    serve(host, second, MAKE)
    serve(host, second, RUN)
    check("an actor served here", me.get(call), (0, ["QUIET"]))
    client = subprocess.Popen([MOBULA, "run", "divide", "10", "5", "-b", calls], stdout=subprocess.PIPE, text=True)
    serve(host, worker, RUN)
    check("a caller in C", client.communicate(timeout=10)[0], "2\n")
    host.say(ENDED, second.owner, 11, 9, 4711, "last words")
    gone = me.request(CALL, me.epoch, me.owner, actor, 0, 3, {}, pack("anybody?"), [], *NONE)
    check("an actor whose process ended is dead", me.get(gone)[0], 9)
    for peer in (me, worker, host):
        peer.close()


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:  # it waits for a call that a failed check left behind
        process.kill()
        process.wait()


def main():
    directory = tempfile.mkdtemp(prefix="mobula-peer-")
    calls = f"ipc://{directory}/calls.sock"
    processes = []
    try:
        processes.append(started([MOBULA, "broker", "--bind", calls, "--data", ":memory:"], "MOB-READY"))
        processes.append(started([f"{BUILD}/examples/example_worker", "--slots", "1", "--broker", calls], "MOB-READY"))
        calls_a_worker_in_c(calls)
        awaits_without_notices(calls)
        serves(calls)
    finally:
        for process in reversed(processes):
            end(process)
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
