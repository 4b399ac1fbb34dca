"""Client, host and worker of protocol 1.0 over ipc, by somebody who had read docs/PROTOCOL.md and nothing else of mobula.

Not here: payloads above 100 KiB, bodies that run for seconds, workers that outlive a broker. peer.py knows more."""
import collections, io, os, secrets, time
import msgpack, zmq

HELLO, NAME, SUBMIT, CALL, SPAWN, ASK, STOP, DROP, PING, BYE = 1, 2, 3, 4, 5, 9, 12, 13, 14, 15
OFFER, OPEN, RESULT, FAIL, ENDED, START, CLIENT, HOST, WORKER = 20, 22, 23, 24, 28, 50, 1, 2, 3

class Session:  # of one thread; step() is its motor. deaf, for tests: no notices, no repeated requests: ASK is left
    def __init__(self, calls, role=CLIENT, name="", owner=0, host=0, greeting=(), deaf=False):
        self.greeting, self.deaf, self.who = greeting, deaf, [role, name, "", os.getpid(), "", host]
        self.owner, self.topic = owner or secrets.randbits(64) or 1, secrets.token_bytes(16)
        self.epoch = self.note = self.accepted = self.seq = self.hello_at = self.hellos = self.sent_at = self.heard_at = 0
        self.welcomed, self.over, self.beat, self.again, self.again_at, self.ask_at = False, None, 1, 0.25, 0, 0
        self.unaccepted, self.pending, self.outcomes = {}, set(), {}  # seq: envelope; seq; seq: (code, value)
        self.symbols, self.names, self.served, self.errors, self.via = {}, {}, [], [], collections.Counter()
        self.sub, self.dealer = (zmq.Context.instance().socket(kind) for kind in (zmq.SUB, zmq.DEALER))
        self.sub.subscribe(self.topic), self.sub.connect(calls.rpartition("/")[0] + "/notices.sock")
        self.dealer.routing_id = b"\1" + secrets.token_bytes(15)  # before it connects
        self.dealer.connect(calls)

    def send(self, *envelopes):
        self.sent_at = time.monotonic()
        self.dealer.send(b"".join(map(msgpack.packb, envelopes)))

    def close(self):
        self.over = self.over or self.send([BYE, 0]) or "BYE"
        self.sub.close(), self.dealer.close(linger=1000)

    def step(self, timeout=0.01):  # hears what comes within timeout seconds, says what is due, returns what to serve
        now, self.served = time.monotonic(), []
        for socket in zmq.select([self.dealer, self.sub], [], [], timeout)[0]:
            head, *blobs = socket.recv_multipart()[socket is self.sub:]
            if socket is self.dealer or not (self.deaf and self.heard_at):
                for envelope in msgpack.Unpacker(io.BytesIO(head), strict_map_key=False):
                    self.hear(now, envelope, blobs, "notice" if socket is self.sub else "calls")
        if not self.welcomed and now >= self.hello_at:
            self.hello_at, self.hellos = now + 1, self.hellos + 1
            self.send([HELLO, 1, 0, self.owner, self.topic, self.accepted, self.epoch, *self.who, self.hellos])
        elif self.welcomed and not self.over:
            if now >= self.sent_at + self.beat / 2:
                self.send([PING, self.epoch, int(self.deaf or now < self.heard_at + 2 * self.beat)])
            if self.unaccepted and now >= self.again_at and not self.deaf:
                self.again_at, self.again = now + self.again, min(2 * self.again, 5)
                self.send(*self.unaccepted.values())
            if self.pending and now >= self.ask_at:
                self.ask_at = now + 1
                self.send([ASK, [n for seq in sorted(self.pending)[:1024] for n in (self.owner, seq)]])
        return self.served

    def hear(self, now, envelope, blobs, where):
        match envelope:
            case [40, _, _, epoch, note, accepted, _, heartbeat_ms, _, _, _, n, *_] if (
                n == self.hellos and not self.welcomed  # WELCOME
            ):
                self.welcomed, self.epoch, self.note, self.beat = True, epoch, note, heartbeat_ms / 1000
                names = [[NAME, n, text] for text, n in self.symbols.items()]
                self.send(*names, *self.greeting, [PING, epoch, int(self.deaf or self.heard_at > 0)])
                self.hear(now, [41, accepted, epoch], (), where)
                self.again_at = self.ask_at = 0
            case [41, seq, *_]:  # ACCEPT
                self.accepted, self.again_at, self.again = max(self.accepted, seq), now + 0.25, 0.5
                self.unaccepted = {s: request for s, request in self.unaccepted.items() if s > seq}
            case [60 | 62 as verb, epoch, n, *_]:  # NOTE, HUGZ
                self.welcomed &= epoch <= self.epoch  # else a new broker: HELLO
                self.sent_at *= self.heard_at > 0  # the first one: PING at once
                gap, self.note = n > self.note + (verb == 60), max(n, self.note)
                self.heard_at, self.ask_at = now, 0 if gap else now + 1
            case [61, seq, value, *_]:  # DONE
                self.hear(now, [42, self.owner, seq, 0, value], blobs, where)
            case [42, self.owner, seq, code, value, *_] if seq in self.pending:  # ANSWER
                value = value if isinstance(value, bytes) else blobs[value]
                self.outcomes[seq] = code, msgpack.unpackb(value) if value else None
                self.pending.remove(seq), self.via.update([where])
            case [43, *error]:  # ERROR
                self.welcomed &= error[1] != "HELLO"
                self.errors += [error] * self.welcomed
            case [44, *why]:  # GOODBYE
                self.over = why
            case [2, symbol, text]:  # NAME
                self.names[symbol] = text
            case [12 | 50 | 51 | 52, *_]:  # STOP, START, KILL, RUN
                self.served.append(envelope)

    def request(self, verb, name, *args, actor=None):  # SUBMIT, SPAWN, or CALL of the actor that SPAWN made as this seq
        while not self.welcomed and not self.over:
            self.step()
        if not self.pending:
            self.again_at, self.again, self.ask_at = time.monotonic() + 0.25, 0.5, time.monotonic() + 1
        self.pending.add(self.seq + 1)
        self.seq, symbol = self.seq + 1, self.symbols.setdefault(name, len(self.symbols) + 1)
        self.unaccepted[self.seq] = [verb, self.seq, self.epoch, *([self.owner, actor, 0] if actor else []), symbol, {},
                                     b"".join(map(msgpack.packb, args)), [], 0, 0]
        self.send([NAME, symbol, name], self.unaccepted[self.seq])
        return self.seq

    def drop(self, seq):  # a request, too
        self.seq += 1
        self.unaccepted[self.seq] = [DROP, self.seq, self.owner, seq, 1]
        self.send(self.unaccepted[self.seq])

    def outcome(self, seq, keep=False):  # waits for it; keep: an actor, which would end with its ref
        while seq not in self.outcomes and not self.over:
            self.step()
        code, value = self.outcomes.pop(seq, (25, self.over))
        keep or self.over or self.drop(seq)
        if code:
            raise RuntimeError(code, value)
        return value

def serve(calls, tasks, stop, name="peer.py"):  # tasks: signature -> function; drains and ends when stop() says so
    host = Session(calls, HOST, name, greeting=[[OFFER, text, "", 1, {}] for text in tasks] + [[OPEN, 1, 1, "", ""]])
    workers, done, drained = {}, {}, False
    while workers or not drained:
        if stop() and not drained:
            drained = host.send([STOP, host.owner, 0, 0]) or True
        for verb, owner, *_ in host.step():
            if verb == START:
                workers[owner] = Session(calls, WORKER, owner=owner, host=host.owner)
            elif owner in workers:  # KILL
                workers[owner].over = "KILL"
        for owner, worker in list(workers.items()):
            for envelope in worker.step(0):
                match envelope if not worker.over else []:
                    case [52, o, s, attempt, symbol, _, _, _, _, _, payload, *_]:  # RUN, maybe of what was run
                        ref, task = (o, s, attempt), tasks[worker.names[symbol]]
                        try:
                            done[ref] = done.get(ref) or [
                                RESULT, *ref, msgpack.packb(task(*msgpack.Unpacker(io.BytesIO(payload))))]
                        except Exception as error:
                            done[ref] = [FAIL, *ref, 8, 0, 2, str(error), "", 0, 0]
                        worker.send(done[ref])
                    case [12, *_]:  # STOP
                        worker.close()
            if worker.over:
                host.send([ENDED, owner, 5 if worker.over == "KILL" else 1, 0, os.getpid(), ""])
                workers.pop(owner).close()
    host.close()
