"""A session of mobula: docs/PROTOCOL.md, ZeroMQ, MessagePack, and nothing of ours. It calls and awaits; serving.py serves.

First written by somebody who had that page and a running broker and had not seen any of the code; what the page lacked then it
says now. Left out: batches, TCP, dependencies, large payloads, pauses that grow, and what a worker says to a new broker.
"""

import os
import time

import msgpack
import zmq

VERBS = {"HELLO": 1, "NAME": 2, "SUBMIT": 3, "CALL": 4, "SPAWN": 5, "ASK": 9, "CANCEL": 11, "STOP": 12, "DROP": 13, "PING": 14, "BYE": 15, "NEXT": 17, "OFFER": 20, "METHOD": 21,
         "OPEN": 22, "RESULT": 23, "FAIL": 24, "ENDED": 28, "ITEM": 32, "WELCOME": 40, "ACCEPT": 41, "ANSWER": 42, "ERROR": 43, "GOODBYE": 44,
         "START": 50, "KILL": 51, "RUN": 52, "MAKE": 53, "CREDIT": 54, "NOTE": 60, "DONE": 61, "HUGZ": 62}
NAMES = {number: name.lower() for name, number in VERBS.items()}
CLIENT, HOST, WORKER = 1, 2, 3
NONE = (0, 0)
NUM_RETURNS, STREAM_AHEAD, STREAM = 5, 38, -3
INLINE_MAX, BEAT, PATIENCE, AGAIN = 4096, 0.5, 1, 0.25  # bytes; seconds


def unpack(data):
    """All that stands back to back: the envelopes of a frame, the values of a payload."""
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(data)
    return list(unpacker)


def wait(done, *peers, seconds=10):
    """Let these peers go on until it is done."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("it was not done in time")
        for peer in peers:
            peer.step()


class Peer:
    """One session. Deaf from the start it gets no notices; made deaf later it still says that it hears, and must ask."""

    def __init__(self, calls, role=CLIENT, owner=None, host=0, deaf=False):
        self.owner, self.topic = owner or int.from_bytes(os.urandom(8), "big") | 1, os.urandom(16)
        self.calls, self.role, self.host, self.deaf, self.over = calls, role, host, deaf, False
        self.epoch = self.floor = self.seq = self.note = self.heard = self.notices = self.asked = self.ping_at = self.greeting = 0
        self.symbols, self.names, self.kept, self.pending, self.outcomes = {}, {}, {}, {}, {}
        self.dealer, self.sub = (zmq.Context.instance().socket(kind) for kind in (zmq.DEALER, zmq.SUB))
        self.dealer.setsockopt(zmq.ROUTING_ID, b"\x01" + os.urandom(15))
        self.sub.setsockopt(zmq.SUBSCRIBE, self.topic)
        self.sub.connect(calls.rpartition("/")[0] + "/notices.sock")
        self.dealer.connect(calls)
        self.hello()

    def hello(self):
        self.welcome = False
        self.greeting += 1
        self.say("HELLO", 1, 0, self.owner, self.topic, self.floor, self.epoch, self.role, "peer", "", 0, "", self.host,
                 self.greeting)

    def say(self, verb, *fields):
        """A message of one envelope; a payload that is too large for it becomes a frame behind it."""
        blobs = [field for field in fields if isinstance(field, bytes) and len(field) > INLINE_MAX]
        frames = [msgpack.packb([VERBS[verb], *(blobs.index(field) if field in blobs else field for field in fields)]), *blobs]
        self.ping_at = time.monotonic() + BEAT
        self.dealer.send_multipart(frames)
        return frames

    def request(self, verb, text, *args, actor=(), opts=()):
        """SUBMIT, SPAWN, CALL."""
        wait(lambda: self.welcome, self)
        if text not in self.symbols:
            self.symbols[text] = len(self.symbols) + 1
            self.say("NAME", self.symbols[text], text)
        payload, opts = b"".join(map(msgpack.packb, args)), dict(opts)
        fields = (self.epoch, *actor, self.symbols[text], opts, payload, [], *NONE)
        return self.enter(verb, *fields, refs=max(1, opts.get(NUM_RETURNS, 1)))

    def enter(self, verb, *fields, refs=1):
        """The next request: {owner, seq} is its ref, the first one of its refs; kept until ACCEPT confirms it."""
        seq = self.seq + 1
        self.seq += refs or 1
        self.kept[seq] = self.say(verb, seq, *fields)
        self.again_at = time.monotonic()
        self.pending |= {ref: self.again_at for ref in range(seq, seq + refs)}
        return seq

    def get(self, seq, *helpers):
        """(code, value) of a request, while the helpers, who may have to serve it, go on."""
        wait(lambda: seq in self.outcomes, self, *helpers)
        return self.outcomes[seq]

    def pull(self, stream, pulled, *helpers):
        """The next item of a stream, when so many were pulled before."""
        return self.get(self.enter("NEXT", self.owner, stream, pulled), *helpers)

    def drop(self, seq):
        """A request as well, without an outcome."""
        self.enter("DROP", self.owner, seq, 1, refs=0)

    def say_again(self):
        self.again_at = time.monotonic()
        for frames in self.kept.values():
            self.dealer.send_multipart(frames)

    def ask(self):
        refs = list(self.pending)[:1024]
        if refs:
            self.asked += 1
            self.pending |= {seq: time.monotonic() for seq in refs}
            self.say("ASK", [number for seq in refs for number in (self.owner, seq)])

    def step(self):
        """Take what is there, then say what it is time for."""
        for socket in (self.dealer, self.sub):
            while socket.poll(1):
                frames = socket.recv_multipart()
                if socket is self.dealer:
                    self.take(frames, False)
                elif not self.deaf:
                    self.take(frames[1:], True)
        now = time.monotonic()
        if self.welcome and self.kept and now > self.again_at + AGAIN:
            self.say_again()
        if self.welcome and self.pending and now > min(self.pending.values()) + PATIENCE:
            self.ask()
        if now > self.ping_at and self.welcome:
            self.say("PING", self.epoch, int(self.heard > 0))
        elif now > self.ping_at:
            self.hello()

    def take(self, frames, by_notice):
        """Each handler skips the fields that a newer broker adds."""
        self.blobs, self.by_notice = frames[1:], by_notice
        for verb, *fields in unpack(frames[0]):
            handler = getattr(self, "on_" + NAMES.get(verb, "verb_of_no_interest"), None)
            if handler:
                handler(*fields)

    def values(self, load):
        return unpack(load if isinstance(load, bytes) else self.blobs[load])

    def on_welcome(self, _major, _minor, epoch, note, accepted, *rest):
        if self.welcome or rest[5] != self.greeting:
            return
        self.welcome, self.epoch, self.note = True, epoch, note
        for text, symbol in self.symbols.items():
            self.say("NAME", symbol, text)
        self.on_accept(accepted)
        self.say_again()
        self.ask()

    def on_accept(self, seq, *_):
        self.floor = max(self.floor, seq)
        self.kept = {above: frames for above, frames in self.kept.items() if above > seq}

    def on_hugz(self, _epoch, n, *_):
        self.heard += 1
        if self.heard == 1:
            self.say("PING", self.epoch, 1)
        if n > self.note:
            self.note = n
            self.ask()

    def on_note(self, epoch, n, *_):
        self.on_hugz(epoch, n - 1)
        self.note = n

    def on_done(self, seq, value, *_):
        self.on_answer(self.owner, seq, 0, value)

    def on_answer(self, _owner, seq, code, value, *_):
        if self.pending.pop(seq, None):  # the first outcome is the only one
            self.notices += self.by_notice
            self.outcomes[seq] = (code, *self.values(value))

    def on_name(self, symbol, text, *_):
        self.names[symbol] = text

    def on_error(self, _code, why, *_):
        if why == "HELLO":
            self.hello()

    def on_goodbye(self, *_):
        self.over = True

    def close(self):
        self.say("BYE", 0)
        self.dealer.close(1000)
        self.sub.close(0)
