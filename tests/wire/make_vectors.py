#!/usr/bin/env python3
"""Writes vectors.h: what another implementation of MessagePack (python3-msgpack) makes of numbers,
texts, and one sample envelope of each verb of wire/verbs.h. Run it when a verb or a field is added:

    python3 tests/wire/make_vectors.py > tests/wire/vectors.h
"""

import pathlib
import re
import struct
import sys

import msgpack

VERBS = pathlib.Path(__file__).resolve().parents[2] / "wire" / "verbs.h"


def verbs():
    """Name, number and fields of each verb, in the order of the table."""
    text = re.sub(r"\\\n", " ", re.sub(r"/\*.*?\*/", "", VERBS.read_text()))
    for name, number in re.findall(r"V\((\w+),\s*\w+,\s*(\d+)\)", text):
        line = re.search(r"#define MOB_%s\(F\)(.*)" % name, text).group(1)
        yield name, int(number), re.findall(r"F\((\w+),\s*(\w+)\)", line)


# The sample of a field, by its type and its place; tests/unit/sample.h says the same in C.
SAMPLES = {
    "u32": lambda i: [1000 + i],
    "u64": lambda i: [(1 << 40) + i],
    "i64": lambda i: [-(1 << 20) - i],
    "flag": lambda i: [i % 2 == 0],
    "str": lambda i: ["text %d" % i],
    "bin": lambda i: [b"bytes %d" % i],
    "ref": lambda i: [(1 << 63) + i, 70000 + i],
    "refs": lambda i: [[(1 << 63) + i, 1, 2, 300 + i]],
    "load": lambda i: [b"load %d" % i],
    "loads": lambda i: [[b"one", b"", b"load %d" % i]],
    "inner": lambda i: [[struct.pack(">QQ", (1 << 63) + i, 1), struct.pack(">QQ", 2, 300 + i)]],
    "opts": lambda i: [{1: 5000, 3: -2, 9: "name"}],
}


def envelope(number, fields):
    items = [number]
    for place, (kind, _) in enumerate(fields):
        items += SAMPLES[kind](place)
    return msgpack.packb(items, use_bin_type=True)


def integers():
    edges = {0, 23, 42}
    for bits in (5, 7, 8, 15, 16, 31, 32, 33, 47, 63, 64):
        for near in (-2, -1, 0, 1, 2):
            edges |= {(1 << bits) + near, -(1 << bits) + near}
    edges |= {-129, -32769, -4294967297, 0x123456789ABCDEF0, -0x123456789ABCDEF0}
    return sorted(n for n in edges if -(1 << 63) <= n < (1 << 64))


def floats():
    return [0.0, -0.0, 0.5, 1.0, -1.5, 0.1, 1e300, 5e-324, float("inf"), float("-inf"), 3.0e38]


def texts():
    return ["", "a", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "grüße", "日本"]


def quoted(data):
    return '"%s"' % "".join("\\x%02x" % byte for byte in data)


def table(declaration, rows):
    print("\nstatic const %s = {" % declaration)
    for row in rows:
        print("    {%s}," % row)
    print("};")


def main():
    print("// vectors.h - written by make_vectors.py with python3-msgpack %s. Do not edit." %
          ".".join(map(str, msgpack.version[:3])))
    print("// clang-format off")
    table("struct { uint64_t bits; bool negative; size_t size; const char *bytes; } vector_integers[]",
          ("%dULL, %s, %d, %s" % (n & ((1 << 64) - 1), "true" if n < 0 else "false", len(b), quoted(b))
           for n in integers() for b in [msgpack.packb(n)]))
    table("struct { uint64_t bits; size_t size; const char *bytes; } vector_floats[]",
          ("%dULL, %d, %s" % (struct.unpack(">Q", struct.pack(">d", f))[0], len(b), quoted(b))
           for f in floats() for b in [msgpack.packb(f)]))
    table("struct { size_t length, size; const char *bytes; } vector_texts[]",
          ("%d, %d, %s" % (len(t.encode()), len(b), quoted(b))
           for t in texts() for b in [msgpack.packb(t)]))
    table("struct { unsigned verb; const char *name; size_t size; const char *bytes; } vector_verbs[]",
          ("%d, \"%s\", %d, %s" % (number, name, len(b), quoted(b))
           for name, number, fields in verbs() for b in [envelope(number, fields)]))
    print("// clang-format on")


if __name__ == "__main__":
    sys.exit(main())
