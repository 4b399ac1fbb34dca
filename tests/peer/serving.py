"""A host and its workers in Python, for peer.py."""

import msgpack

from peer import HOST, NONE, NUM_RETURNS, STREAM, STREAM_AHEAD, WORKER, Peer

TASK, CLASS = 1, 2
ECANCELLED, ETASK, EXECUTED = 6, 8, 2
EXIT, KILLED, CRASHED = 1, 5, 11


class Failed(Exception):
    """What a body raises to fail with a number of its own."""


class Stream:
    """A body that is a generator: it goes on while it may give more."""

    def __init__(self, worker, run, items, credit):
        self.worker, self.run, self.items, self.made, self.credit = worker, run, items, 0, credit

    def goes_on(self):
        try:
            while self.made < self.credit:
                self.worker.say("ITEM", *self.run, self.made, msgpack.packb(next(self.items)), 0)
                self.made += 1
            return True
        except StopIteration:
            self.worker.say("RESULT", *self.run, msgpack.packb(None))
        except Failed as failed:
            self.worker.fail(self.run, ETASK, *failed.args)
        return False


class Worker(Peer):
    """Runs bodies, found by their signatures: functions, and classes with the signatures of their methods. A body of several
    results gives a tuple, that of a stream is a generator."""

    def __init__(self, calls, owner, host, bodies):
        super().__init__(calls, WORKER, owner, host)
        self.bodies, self.actors, self.streams = bodies, {}, {}

    def answer(self, run, body, args, opts=()):
        try:
            self.give(run, body(*self.values(args)), dict(opts))
        except Failed as failed:
            self.fail(run, ETASK, *failed.args)

    def give(self, run, value, opts):
        if opts.get(NUM_RETURNS) == STREAM:
            self.streams[run[:2]] = Stream(self, run, value, opts[STREAM_AHEAD])
        elif opts.get(NUM_RETURNS, 1) > 1:
            for index, item in enumerate(value):
                self.say("ITEM", *run, index, msgpack.packb(item), len(value))
            self.say("RESULT", *run, b"")
        else:
            self.say("RESULT", *run, msgpack.packb(value))

    def fail(self, run, code, app_code, text):
        self.say("FAIL", *run, code, app_code, EXECUTED, text, "", *NONE)

    def step(self):
        super().step()
        self.streams = {ref: stream for ref, stream in self.streams.items() if stream.goes_on()}

    def on_credit(self, owner, seq, count, *_):
        if (owner, seq) in self.streams:
            self.streams[owner, seq].credit = count

    def on_cancel(self, owner, seq, *_):
        stream = self.streams.pop((owner, seq), None)
        if stream:
            self.fail(stream.run, ECANCELLED, 0, "called off")

    def on_run(self, owner, seq, attempt, symbol, actor_owner, actor_seq, _incarnation, _remaining_ms, _epoch, args, _deps, _parent_owner,
               _parent_seq, opts, *_):
        text, actor = self.names[symbol], self.actors.get((actor_owner, actor_seq))
        self.answer((owner, seq, attempt), getattr(actor, text.split()[0]) if actor else self.bodies[text], args, opts)

    def on_make(self, owner, seq, incarnation, cls, _opts, _remaining_ms, _epoch, args, *_):
        def construct(*values):
            self.actors[owner, seq] = self.bodies[self.names[cls]](*values)

        self.answer((owner, seq, incarnation), construct, args)

    def on_stop(self, owner, seq, *_):
        if self.actors.pop((owner, seq), None):
            self.say("STOP", owner, seq, 3)
        self.over = True


class Host(Peer):
    """Offers bodies; a worker that the broker wants is another session of this program."""

    def __init__(self, calls, bodies):
        super().__init__(calls, HOST)
        self.bodies, self.workers = bodies, {}

    def on_welcome(self, *fields):
        super().on_welcome(*fields)
        for text, body in self.bodies.items():
            self.say("OFFER", text, "", CLASS if isinstance(body, type) else TASK, {})
            for method in getattr(body, "signatures", ()):
                self.say("METHOD", method, "", {})
        self.say("OPEN", 1, 0, "", "")

    def on_start(self, worker, *_):
        self.workers[worker] = Worker(self.calls, worker, self.owner, self.bodies)

    def on_kill(self, worker, *_):
        self.end(worker, KILLED)

    def end(self, worker, cause, status=0, log=""):
        self.say("ENDED", worker, cause, status, 0, log)
        self.workers.pop(worker).close()

    def step(self):
        super().step()
        for owner, worker in list(self.workers.items()):
            worker.step()
            if worker.over:
                self.end(owner, EXIT)
