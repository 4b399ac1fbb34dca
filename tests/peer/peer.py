#!/usr/bin/env python3
"""A peer of the broker: docs/PROTOCOL.md, ZeroMQ, MessagePack, and nothing of ours."""

import os
import struct
import time

import msgpack
import zmq

(HELLO, NAME, SUBMIT, CALL, SPAWN, PUT) = range(1, 7)
ASK, DROP, PING, BYE = 9, 13, 14, 15
OFFER, METHOD, OPEN, RESULT, FAIL, ENDED = 20, 21, 22, 23, 24, 28
WELCOME, ACCEPT, ANSWER, ERROR, GOODBYE, TAKEN = 40, 41, 42, 43, 44, 45
START, KILL, RUN, MAKE, STOP = 50, 51, 52, 53, 12
NOTE, DONE, HUGZ = 60, 61, 62
CLIENT, HOST, WORKER = 1, 2, 3


def pack(*values):
    """A payload: values back to back."""
    return b"".join(msgpack.packb(value) for value in values)


def unpack(payload):
    """The values of a payload."""
    unpacker = msgpack.Unpacker(raw=False)
    unpacker.feed(payload)
    return list(unpacker)


class Peer:
    """One session: a DEALER and a SUB, envelopes out, envelopes in."""

    def __init__(self, calls, role=CLIENT, owner=None, host=0, deaf=False):
        self.owner = owner or struct.unpack(">Q", os.urandom(8))[0] >> 1 | 1
        self.role, self.host, self.epoch, self.seq, self.heard = role, host, 0, 0, False
        self.names, self.outcomes, self.notices, self.asked = {}, {}, 0, 0
        self.topic = os.urandom(16)
        self.dealer = zmq.Context.instance().socket(zmq.DEALER)
        self.dealer.setsockopt(zmq.ROUTING_ID, b"\x01" + os.urandom(15))
        self.sub = zmq.Context.instance().socket(zmq.SUB)
        if not deaf:
            self.sub.setsockopt(zmq.SUBSCRIBE, self.topic)
        self.sub.connect(calls.replace("calls.sock", "notices.sock"))
        self.dealer.connect(calls)
        self.inbox = []
        self.say(HELLO, 1, 0, self.owner, self.topic, 0, 0, role, "peer", "", 0, "", host)
        self.epoch = self.hear(WELCOME)[2]

    def say(self, *envelope):
        """Send one envelope as a message of its own; batching is free, not required."""
        self.dealer.send(msgpack.packb(envelope))

    def bind(self, symbol, text):
        self.say(NAME, symbol, text)

    def request(self, verb, *fields):
        """A request takes the next seq; its ref is (owner, seq)."""
        self.seq += 1
        self.say(verb, self.seq, *fields)
        return self.seq

    def take(self, timeout_ms):
        """Read what is there: housekeeping is done here, the rest goes to the inbox."""
        for socket, _ in zmq_poll((self.dealer, self.sub), timeout_ms):
            frames = socket.recv_multipart()[(1 if socket is self.sub else 0):]
            unpacker = msgpack.Unpacker(raw=False)
            unpacker.feed(frames[0])
            for envelope in unpacker:
                self.handle(envelope, socket is self.sub, frames)

    def handle(self, envelope, by_notice, frames):
        verb = envelope[0]
        if by_notice and not self.heard:
            self.heard = True
            self.say(PING, self.epoch, 1)
        if verb == PING and envelope[2]:
            self.say(PING, self.epoch, 1 if self.heard else 0)
        elif verb == NAME:
            self.names[envelope[1]] = envelope[2]
        elif verb == DONE:
            self.outcomes.setdefault(envelope[1], (0, load(envelope[2], frames)))
            self.notices += by_notice
        elif verb == ANSWER and envelope[1] == self.owner:
            self.outcomes.setdefault(envelope[2], (envelope[3], load(envelope[4], frames)))
        elif verb not in (ACCEPT, HUGZ, NOTE, TAKEN):
            self.inbox.append(envelope)

    def hear(self, verb, seconds=10):
        """The next message of this verb."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for envelope in self.inbox:
                if envelope[0] == verb:
                    self.inbox.remove(envelope)
                    return envelope
            self.take(50)
        raise TimeoutError(f"verb {verb} was not heard")

    def get(self, seq, seconds=10):
        """(code, values) of a request: from a notice, or by asking each second."""
        end, ask = time.monotonic() + seconds, time.monotonic() + 1
        while seq not in self.outcomes and time.monotonic() < end:
            self.take(50)
            if time.monotonic() > ask:
                self.say(ASK, [self.owner, seq])
                ask, self.asked = time.monotonic() + 1, self.asked + 1
        code, payload = self.outcomes[seq]
        return code, unpack(payload)

    def close(self):
        self.say(BYE, 0)
        self.dealer.close(1000)
        self.sub.close(0)


def load(field, frames):
    """A payload stands in its envelope, or is a frame behind it."""
    return field if isinstance(field, bytes) else frames[1 + field]


def zmq_poll(sockets, timeout_ms):
    poller = zmq.Poller()
    for socket in sockets:
        poller.register(socket, zmq.POLLIN)
    return poller.poll(timeout_ms)
