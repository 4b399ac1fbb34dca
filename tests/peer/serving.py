"""A host and its workers in Python, for peer.py."""

import msgpack

from peer import HOST, NONE, WORKER, Peer

TASK, CLASS = 1, 2
ETASK, EXECUTED = 8, 2
EXIT, KILLED, CRASHED = 1, 5, 11


class Failed(Exception):
    """What a body raises to fail with a number of its own."""


class Worker(Peer):
    """Runs bodies, found by their signatures: functions, and classes with the signatures of their methods."""

    def __init__(self, calls, owner, host, bodies):
        super().__init__(calls, WORKER, owner, host)
        self.bodies, self.actors = bodies, {}

    def answer(self, run, body, args):
        try:
            self.say("RESULT", *run, msgpack.packb(body(*self.values(args))))
        except Failed as failed:
            code, text = failed.args
            self.say("FAIL", *run, ETASK, code, EXECUTED, text, "", *NONE)

    def on_run(self, owner, seq, attempt, symbol, actor_owner, actor_seq, _incarnation, _remaining_ms, _epoch, args, *_):
        text, actor = self.names[symbol], self.actors.get((actor_owner, actor_seq))
        self.answer((owner, seq, attempt), getattr(actor, text.split()[0]) if actor else self.bodies[text], args)

    def on_make(self, owner, seq, incarnation, cls, _opts, _remaining_ms, _epoch, args, *_):
        def construct(*values):
            self.actors[owner, seq] = self.bodies[self.names[cls]](*values)

        self.answer((owner, seq, incarnation), construct, args)

    def on_stop(self, owner, seq, *_):
        if self.actors.pop((owner, seq), None):
            self.say("STOP", owner, seq, 0)
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
