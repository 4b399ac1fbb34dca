#!/usr/bin/env python3
"""The peer of peer.py against a real broker: it calls, serves, and awaits, by notices and without them."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from peer import NUM_RETURNS, STREAM, STREAM_AHEAD, Peer, wait
from serving import CRASHED, Failed, Host

MOBULA, BUILD = os.environ["MOBULA_BIN"], os.environ["MOBULA_BUILD"]
ROOT = pathlib.Path(__file__).parents[2]
DEAF = "MOBULA_FAULT" in os.environ  # the broker drops its notices, and tells no outcome unasked
TIMEOUT_MS, DELAY_MS = 1, 2


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


def fields_of_the_page():
    """{name of a verb: (number, fields)} and {number: option}, as docs/PROTOCOL.md has them."""
    _, verbs, _, options, *_ = (ROOT / "docs" / "PROTOCOL.md").read_text().split("```")
    rows = re.findall(r"^ ?(\d+) ([A-Z]+) +(.+)$", verbs, re.M)
    return {name: (number, fields.split()) for number, name, fields in rows}, dict(re.findall(r"(\d+) (\S+)", options))


def fields_of_the_code():
    """The same, as wire/verbs.h has them; an integer is not marked there."""
    code = (ROOT / "wire" / "verbs.h").read_text().replace("\\\n", " ")
    marked = lambda kind, name, plain: name if kind in plain else f"{name}:{kind}"
    fields = {verb: [marked(kind, name, ("u32", "u64")) for kind, name in re.findall(r"F\((\w+), (\w+)\)", row)]
              for verb, row in re.findall(r"#define MOB_(\w+)\(F\)(.+)", code)}
    verbs = {verb: (number, fields[verb]) for verb, number in re.findall(r"V\((\w+), *\w+, *(\d+)\)", code)}
    return verbs, {number: marked(kind, name, "i64") for number, kind, name in re.findall(r"O\( *(\d+), (\w+), (\w+)\)", code)}


def calls_a_worker_in_c(calls):
    """price(item) and the basket of examples/worker.c."""
    me = Peer(calls)
    if not DEAF:
        wait(lambda: me.heard, me)  # until it says so, outcomes come over the calls socket
    price = "price item -> i64"
    check("a task in C gives its value", me.get(me.request("SUBMIT", price, ["nails", 5, 100])), (0, 500))
    basket = (me.owner, me.request("SPAWN", "basket"), 0)
    first = me.request("CALL", "put item -> i64", ["screws", 10, 3], actor=basket)
    second = me.request("CALL", "put item -> i64", ["hooks", 1, 1], actor=basket)
    check("an actor in C keeps its state, calls keep their order", (me.get(first), me.get(second)), ((0, 30), (0, 31)))
    check("outcomes came by notices", me.notices > 0, not DEAF)
    code, record = me.get(me.request("SUBMIT", price, ["nails", -5, 1]))
    check("a failure is a record with code and reason", (code, record[0], record[3], "price below zero" in record[12]), (8, 8, 1, True))
    late = me.request("SUBMIT", price, ["nails", 2, 2], opts={TIMEOUT_MS: 5000})
    check("an option is taken", me.get(late), (0, 4))
    me.close()


def awaits_without_notices(calls):
    me = Peer(calls, deaf=True)
    check("without a single notice the value comes", me.get(me.request("SUBMIT", "price item -> i64", ["nails", 5, 100])), (0, 500))
    check("by the calls socket", (me.notices, me.asked > 0), (0, DEAF))
    me.close()


def awaits_by_asking(calls):
    """The delay lets ACCEPT go alone; in a notice it would be lost with the outcome, and the request be said again."""
    me = Peer(calls)
    wait(lambda: me.heard > 0 and me.welcome, me)
    me.get(me.request("SUBMIT", "price item -> i64", ["nails", 1, 1]))
    me.deaf, me.notices = True, 0
    value = me.get(me.request("SUBMIT", "price item -> i64", ["nails", 5, 100], opts={DELAY_MS: 100}))
    check("when notices stop, asking brings the value", (value, me.notices, me.asked > 0), ((0, 500), 0, True))
    me.close()


def is_forgotten(calls):
    me = Peer(calls)
    before = me.get(me.request("SUBMIT", "price item -> i64", ["nails", 5, 100]))
    me.say("BYE", 0)
    after = me.get(me.request("SUBMIT", "price item -> i64", ["nails", 5, 100]))
    check("a broker that forgot this session is told all again", (before, after), ((0, 500), (0, 500)))
    me.close()


class Echo:
    signatures = ("loud str -> str",)

    def loud(self, text):
        return text.upper()


def divide(a, b):
    divide.runs += 1
    if b == 0:
        raise Failed(33, "division by zero")
    return a // b


divide.runs = 0


def halves(n):
    return n // 2, n - n // 2


def count(n):
    """0, 1, ... of a negative number as well, but that is not the end of it."""
    for count.made in range(1, abs(n) + 1):
        yield count.made - 1
    if n < 0:
        raise Failed(44, "below zero")


def prints(calls, host, *words):
    """What the command says, while the host serves it."""
    client = subprocess.Popen([MOBULA, "run", *words, "-b", calls], stdout=subprocess.PIPE, text=True)
    wait(lambda: client.poll() is not None, host)
    return client.communicate()[0]


def serves_more_than_one_value(calls):
    tuple_of, stream_of = "halves i64 -> tuple i64 i64", "count i64 -> stream(i64)"
    host, me = Host(calls, {tuple_of: halves, stream_of: count}), Peer(calls)
    first = me.request("SUBMIT", tuple_of, 7, opts={NUM_RETURNS: 2})
    check("two results", (me.get(first, host), me.get(first + 1, host)), ((0, 3), (0, 4)))
    check("to a caller in C", prints(calls, host, "halves", "9"), "4\n5\n")
    few = {NUM_RETURNS: STREAM, STREAM_AHEAD: 2}
    stream = me.request("SUBMIT", stream_of, 5, opts=few)
    check("an item, and no more ahead than wanted", (me.pull(stream, 0, host), count.made <= 2), ((0, 0), True))
    check("all others", [me.pull(stream, pulled, host)[1] for pulled in range(1, 5)], [1, 2, 3, 4])
    check("the end, as often as it is asked for", [me.pull(stream, 5, host)[0] for _ in range(2)], [20, 20])
    check("the stream itself is nil then", me.get(stream), (0, None))
    stream = me.request("SUBMIT", stream_of, -1, opts=few)
    check("the failure stands behind the items", [me.pull(stream, pulled, host)[0] for pulled in (0, 1, 1)], [0, 8, 20])
    stream = me.request("SUBMIT", stream_of, 1000, opts=few)
    me.pull(stream, 0, host)
    me.drop(stream)
    wait(lambda: not any(worker.streams for worker in host.workers.values()), me, host)
    check("who drops a stream stops its body", count.made < 1000, True)
    check("items for a caller in C", prints(calls, host, "count", "3"), "0\n1\n2\n")
    check("it does not leave a stream behind", prints(calls, host, "count", "3", "--detach"), "")
    for peer in (me, *host.workers.values(), host):
        peer.close()


def serves(calls):
    """A host and its workers, called by another session and by a program in C."""
    host, me, task = Host(calls, {"divide i64 i64 -> i64": divide, "echo": Echo}), Peer(calls), "divide i64 i64 -> i64"
    check("a task served here", me.get(me.request("SUBMIT", task, 42, 6), host), (0, 7))
    twice = me.request("SUBMIT", task, 10, 2)
    me.dealer.send_multipart(me.kept[twice])
    check("the same request twice is one", (me.get(twice, host), me.get(me.request("SUBMIT", task, 9, 3), host), divide.runs), ((0, 5), (0, 3), 3))
    code, record = me.get(me.request("SUBMIT", task, 1, 0), host)
    check("a failure served here", (code, record[3], record[12]), (8, 33, "division by zero"))
    echo = (me.owner, me.request("SPAWN", "echo"), 0)
    check("an actor served here", me.get(me.request("CALL", "loud str -> str", "quiet", actor=echo), host), (0, "QUIET"))
    long = me.request("CALL", "loud str -> str", "quiet" * 2000, actor=echo)
    check("large payloads are frames of their own", me.get(long, host), (0, "QUIET" * 2000))
    check("a caller in C", prints(calls, host, "divide", "10", "5"), "2\n")
    holder = next(owner for owner, worker in host.workers.items() if worker.actors)
    host.end(holder, CRASHED, 9, "last words")
    check("an actor whose process ended is dead", me.get(me.request("CALL", "loud str -> str", "anybody?", actor=echo), host)[0], 9)
    for peer in (me, *host.workers.values(), host):
        peer.close()


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:  # it waits for a call that a failed check left behind
        process.kill()
        process.wait()


def main():
    check("PROTOCOL.md has the verbs and options of verbs.h", fields_of_the_page(), fields_of_the_code())
    directory = tempfile.mkdtemp(prefix="mobula-peer-")
    calls = f"ipc://{directory}/calls.sock"
    processes = []
    try:
        processes.append(started([MOBULA, "broker", "--bind", calls, "--data", ":memory:"], "MOB-READY"))
        processes.append(started([f"{BUILD}/examples/example_worker", "--slots", "1", "--broker", calls], "MOB-READY"))
        calls_a_worker_in_c(calls)
        awaits_without_notices(calls)
        if not DEAF:  # which has no notices that could stop
            awaits_by_asking(calls)
        is_forgotten(calls)
        serves(calls)
        serves_more_than_one_value(calls)
    finally:
        for process in reversed(processes):
            end(process)
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
