// limit.h - every size limit of the wire, with its reason. What a limit refuses is answered or
// counted, never dropped in silence.

#ifndef MOBULA_WIRE_LIMIT_H
#define MOBULA_WIRE_LIMIT_H

enum {
    MOB_WIRE_MAJOR = 1, // raised when an old peer would misread a new one
    MOB_WIRE_MINOR = 0, // raised when fields or verbs are only added

    MOB_FRAME_MAX = 128 * 1024, // bytes of one frame; the sockets' MAXMSGSIZE
    MOB_BATCH_TARGET =
        56 * 1024,      // a batch is sent when it reaches this; leaves room for one big envelope
    MOB_BLOBS_MAX = 16, // blob frames behind the frame of envelopes
    MOB_INLINE_MAX = 4 * 1024, // a payload up to this is written into its envelope; above: a blob frame
    MOB_BLOB_MAX = 100 * 1024, // a payload above this travels in pieces, and is fetched
    MOB_PIECE_MAX = 64 * 1024, // one of them: small calls of others get in between
    MOB_OBJECT_MAX = 64 << 20, // bytes of one value
    MOB_HEADS_MAX = 64,        // and of what MessagePack puts in front of it
    MOB_LOAD_MAX = MOB_OBJECT_MAX + MOB_HEADS_MAX,
    MOB_PIECES_MAX = MOB_OBJECT_MAX / MOB_PIECE_MAX + 1, // of one payload

    MOB_TOKENS_MAX = 33024,  // MessagePack tokens of one envelope: a RUN of 16384 dependencies fits
    MOB_DEPTH_MAX = 16,      // nesting of a value
    MOB_REFS_MAX = 1024,     // refs in one ASK, WATCH, DEPS
    MOB_DEPS_MAX = 16384,    // dependencies of one call
    MOB_INNER_MAX = 16384,   // refs inside one payload: each costs the broker a count
    MOB_RETURNS_MAX = 4096,  // results of one call: a record each in the broker
    MOB_OPTIONS_MAX = 64,    // keys of one option map
    MOB_TEXT_MAX = 4 * 1024, // a text of an error, a signature, a log tail
    MOB_NAME_MAX = 128,      // a name of an actor, session, namespace

    MOB_TOPIC_SIZE = 16, // a session's notice topic: opaque bytes it chose itself
    MOB_ROUTE_SIZE = 16, // a session's ZeroMQ routing id: never shown, never logged
};

#endif
