#!/usr/bin/env python3
"""What reader.py can do, against a broker of its own: call C, serve, await by notices, by ASK, and without PUB."""

import os
import subprocess
import tempfile
import threading
import time

from reader import ASK, CALL, SPAWN, SUBMIT, Session, serve

MOBULA, WORKER = os.environ["MOBULA_BIN"], os.environ["MOBULA_BUILD"] + "/examples/example_worker"
TEA, CUP = ["tea", 250, 2], ["cup", 300, 1]  # the record item: name, cents, count


def start(*words):  # a program, once it has said that it is ready
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if "MOB-READY" in line:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process
    raise SystemExit(f"{words[0]} ended with {process.wait()}")


def mobula(calls, *words):  # the command line: its exit code and what it prints
    done = subprocess.run([MOBULA, *words, "-b", calls, "-t", "5s"], capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


def check(what, got, want):
    if got != want:
        print(f"not ok - {what}\n# {got!r} instead of {want!r}", flush=True)
        raise SystemExit(1)
    print("ok -", what, flush=True)


def shop(client):  # calls a task and an actor of examples/worker.c
    price = client.request(SUBMIT, "price item -> i64", TEA)
    basket = client.request(SPAWN, "basket")
    puts = [client.request(CALL, "put item -> i64", item, actor=basket) for item in (TEA, CUP)]
    cents = client.request(CALL, "cents -> i64", actor=basket)
    return [client.outcome(price), client.outcome(basket, keep=True), *map(client.outcome, puts), client.outcome(cents)]


def session(calls, name, hears=True, deaf=False):
    peer, asks = Session(calls, name=name, deaf=deaf), []
    if not hears:
        peer.sub.unsubscribe(peer.topic)
    send, until = peer.send, time.monotonic() + 2
    peer.send = lambda *envelopes: (asks.extend(e for e in envelopes if e[0] == ASK), send(*envelopes))[1]
    while not (peer.welcomed and (peer.heard_at or not hears)) and time.monotonic() < until:
        peer.step()
    end = time.monotonic() + 0.1  # the PING that says so is out
    while time.monotonic() < end:
        peer.step()
    return peer, asks


def shout(word):
    if not word:
        raise ValueError("nothing to shout")
    return word.upper() + "!"


def failure(client, *request):
    try:
        return client.outcome(client.request(*request))
    except RuntimeError as error:
        return error.args


def main(calls):
    client, asks = session(calls, "client")
    check("task and actor", shop(client), [500, None, 500, 800, 800])
    if "MOBULA_FAULT" not in os.environ:  # which drops them
        check("every outcome by a notice, nothing asked", (dict(client.via), asks), ({"notice": 5}, []))
    deaf, asks = session(calls, "deaf", deaf=True)
    check("task and actor, notices ignored", shop(deaf), [500, None, 500, 800, 800])
    check("every outcome by the calls socket, after ASK", (dict(deaf.via), bool(asks)), ({"calls": 5}, True))
    mute, _ = session(calls, "mute", hears=False)
    check("task and actor, never subscribed", (shop(mute), dict(mute.via)), ([500, None, 500, 800, 800], {"calls": 5}))

    stop = threading.Event()
    server = threading.Thread(target=serve, args=(calls, {"shout str -> str": shout}, stop.is_set))
    server.start()
    try:
        # The call waits until the task is offered.
        check("our own task", client.outcome(client.request(SUBMIT, "shout str -> str", "hi")), "HI!")
        check("and it is listed", "shout" in mobula(calls, "list", "methods", "-o", "json")[1], True)
        code, fields = failure(client, SUBMIT, "shout str -> str", "")
        check("its exception is ETASK with its text", (code, fields[12]), (8, "nothing to shout"))
        check("our own task, called by the command line", mobula(calls, "run", "shout", "cli"), (0, "CLI!"))
    finally:
        stop.set()
        server.join(10)
    check("host drained", server.is_alive(), False)
    check("no ERROR from the broker", client.errors + deaf.errors + mute.errors, [])
    client.close(), deaf.close(), mute.close()


with tempfile.TemporaryDirectory() as directory:
    calls, started = f"ipc://{directory}/calls.sock", []
    try:
        started.append(start(MOBULA, "broker", "--bind", calls, "--data", ":memory:"))
        started.append(start(WORKER, "-b", calls, "--slots", "2"))
        main(calls)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
