// verbs.h - every message of mobula: one line a verb, its fields in the order of the wire. message.h
// makes a struct, an encoder and a checking decoder of each; PROTOCOL.md tells the same in prose.
//
// To add a verb: a free number and a line in MOB_VERBS, its fields below, a handler in the file of its
// noun, a line in PROTOCOL.md, a vector in tests/wire. To add a field: at the end, and raise
// MOB_WIRE_MINOR; readers of an older minor version skip it. Numbers are never used again.

#ifndef MOBULA_WIRE_VERBS_H
#define MOBULA_WIRE_VERBS_H

// Field types:
//   u32 u64 i64   integers             flag   boolean
//   str           text, at most MOB_TEXT_MAX bytes, UTF-8
//   bin           short opaque bytes, at most MOB_TEXT_MAX
//   ref           {owner, seq}: two integers, flat; also names an actor
//   refs          array of owner, seq, owner, seq, ...: at most MOB_REFS_MAX pairs
//   load          a payload: bin, or the index of a blob frame behind the envelopes; [size]: to be
//                 fetched; [first seq, count]: the PIECEs that stand before
//   loads         array of payloads: at most MOB_DEPS_MAX
//   inner         refs inside a payload: array of loads (inner.h); the last field, and may be left out
//   opts          map from option number (MOB_OPTIONS) to i64 or str; an unknown number is skipped

// clang-format off
#define MOB_VERBS(V) /* NAME, name, number */                                                      \
    /* any session -> broker */                                                                    \
    V(HELLO,   hello,    1) /* who I am; first on every connection and after a new epoch */        \
    V(NAME,    name,     2) /* symbol stands for text from now on; both directions */              \
    V(SUBMIT,  submit,   3) /* run a task */                                                       \
    V(CALL,    call,     4) /* call a method of an actor */                                        \
    V(SPAWN,   spawn,    5) /* create an actor; seq names it and settles when it is ready */       \
    V(PUT,     put,      6) /* store a value */                                                    \
    V(FIND,    find,     7) /* make {owner, seq} a handle of the actor of that name */             \
    V(QUERY,   query,    8) /* ask the state API */                                                \
    V(ASK,     ask,      9) /* what became of these refs? answered by ANSWER when settled */       \
    V(WATCH,   watch,   10) /* note me when these refs of others settle */                         \
    V(CANCEL,  cancel,  11)                                                                        \
    V(STOP,    stop,    12) /* end an actor; also broker -> worker */                              \
    V(DROP,    drop,    13) /* count refs from {owner, seq} on are not needed any more */          \
    V(PING,    ping,    14) /* heartbeat; both directions */                                       \
    V(BYE,     bye,     15) /* the session ends */                                                 \
    V(END,     end,     16) /* seq settles, with a text that says why, when the actor has ended */ \
    V(NEXT,    next,    17) /* seq settles with the next item of a stream, its failure or its end */ \
    V(PIECE,   piece,   18) /* a part of a payload that something behind it names */               \
    V(KEEP,    keep,    19) /* I reference these refs of others, until I DROP them */              \
    V(FETCH,   fetch,   36) /* give me count bytes of a payload that was too large to come along */ \
    V(DEPS,    deps,    37) /* dependencies of the call behind it */                               \
    V(RETRY,   retry,   38) /* send a dead letter again; seq settles like its call */              \
    V(DISCARD, discard, 39) /* throw dead letters away; seq settles with how many */               \
    /* host and worker -> broker */                                                                \
    V(OFFER,   offer,   20) /* a definition that this host can run */                              \
    V(METHOD,  method,  21) /* a method of the class offered last */                               \
    V(OPEN,    open,    22) /* all is offered: slots bodies at once */                             \
    V(RESULT,  result,  23) /* the body ended well */                                              \
    V(FAIL,    fail,    24) /* the body ended badly, or never began */                             \
    V(GIVE,    give,    25) /* take back what I have not begun: its place is first */              \
    V(BLOCKED, blocked, 26) /* the running body waits in the library; what is not begun comes back */ \
    V(RESUMED, resumed, 27)                                                                        \
    V(ENDED,   ended,   28) /* host: a worker process ended, and how */                            \
    V(HOLD,    hold,    29) /* worker, new epoch: I hold this actor */                             \
    V(HAVE,    have,    30) /* worker, new epoch: I have this call in hand */                      \
    V(BEGUN,   begun,   31) /* a method beside which others go on, or a task that CANCEL by force met */ \
    V(ITEM,    item,    32) /* value number index of a stream, or of a call that has count results */ \
    /* broker -> session */                                                                        \
    V(WELCOME, welcome, 40)                                                                        \
    V(ACCEPT,  accept,  41) /* every request up to seq is admitted or answered */                  \
    V(ANSWER,  answer,  42) /* the outcome of a ref */                                             \
    V(ERROR,   error,   43) /* a message that could not be obeyed */                               \
    V(GOODBYE, goodbye, 44) /* the session is over */                                              \
    V(TAKEN,   taken,   45) /* to a worker: so many of your RESULT and FAIL since HELLO are stored */ \
    V(DATA,    data,    46) /* what FETCH asked for; nothing: it is not there any more */          \
    /* broker -> host */                                                                           \
    V(START,   start,   50) /* start a worker process that says HELLO as owner */                  \
    V(KILL,    kill,    51) /* end that process at once */                                         \
    /* broker -> worker */                                                                         \
    V(RUN,     run,     52) /* a task, or a method of actor */                                     \
    V(MAKE,    make,    53) /* construct an actor */                                               \
    V(CREDIT,  credit,  54) /* this stream may give so many items in all */                        \
    /* broker -> session, PUB */                                                                   \
    V(NOTE,    note,    60) /* opens a notice; DONE and ANSWER follow in the same message */       \
    V(DONE,    done,    61) /* your own ref settled with this value */                             \
    V(HUGZ,    hugz,    62) /* nothing new; n is the last note */                                  \
    V(EVENT,   event,   63) /* monitor feed: one record */

#define MOB_HELLO(F)   F(u32, major) F(u32, minor) F(u64, owner) F(bin, topic) F(u64, floor)       \
                       F(u64, epoch) F(u32, role) F(str, name) F(str, space) F(u32, pid)           \
                       F(str, machine) F(u64, host) F(u32, greeting)
#define MOB_NAME(F)    F(u32, symbol) F(str, text)
#define MOB_SUBMIT(F)  F(u64, seq) F(u64, epoch) F(u32, task) F(opts, opts) F(load, args)          \
                       F(refs, deps) F(ref, parent) F(inner, inner)
#define MOB_CALL(F)    F(u64, seq) F(u64, epoch) F(ref, actor) F(u32, incarnation) F(u32, method)  \
                       F(opts, opts) F(load, args) F(refs, deps) F(ref, parent)            \
                       F(inner, inner)
#define MOB_SPAWN(F)   F(u64, seq) F(u64, epoch) F(u32, cls) F(opts, opts) F(load, args)           \
                       F(refs, deps) F(ref, parent) F(inner, inner)
#define MOB_PUT(F)     F(u64, seq) F(load, value) F(inner, inner)
#define MOB_FIND(F)    F(u64, seq) F(str, name)
#define MOB_QUERY(F)   F(u64, seq) F(str, what) F(str, filter)
#define MOB_ASK(F)     F(refs, refs)
#define MOB_WATCH(F)   F(refs, refs)
#define MOB_CANCEL(F)  F(ref, ref) F(u32, flags)
#define MOB_STOP(F)    F(ref, actor) F(u32, how)
#define MOB_DROP(F)    F(u64, seq) F(ref, ref) F(u64, count)
#define MOB_PING(F)    F(u64, epoch) F(u32, heard)
#define MOB_BYE(F)     F(u32, reason)
#define MOB_END(F)     F(u64, seq) F(ref, actor)
#define MOB_NEXT(F)    F(u64, seq) F(ref, stream) F(u64, pulled)
#define MOB_KEEP(F)    F(u64, seq) F(refs, refs)
#define MOB_PIECE(F)   F(u64, seq) F(load, bytes)
#define MOB_DEPS(F)    F(u64, seq) F(refs, refs)
#define MOB_RETRY(F)   F(u64, seq) F(u64, epoch) F(u64, letter)
#define MOB_DISCARD(F) F(u64, seq) F(u64, epoch) F(str, filter)
#define MOB_FETCH(F)   F(ref, ref) F(u32, part) F(u64, offset) F(u64, count)
#define MOB_OFFER(F)   F(str, name) F(str, usage) F(u32, kind) F(opts, opts)
#define MOB_METHOD(F)  F(str, name) F(str, usage) F(opts, opts)
#define MOB_OPEN(F)    F(u32, slots) F(u32, procs) F(str, labels) F(str, resources)
#define MOB_RESULT(F)  F(ref, ref) F(u32, attempt) F(load, value) F(inner, inner)
#define MOB_FAIL(F)    F(ref, ref) F(u32, attempt) F(u32, code) F(i64, app_code) F(u32, executed)  \
                       F(str, text) F(str, trace) F(ref, cause) F(inner, inner)
#define MOB_GIVE(F)    F(refs, refs)
#define MOB_BLOCKED(F) F(refs, refs)
#define MOB_RESUMED(F) F(u32, unused)
#define MOB_ENDED(F)   F(u64, worker) F(u32, cause) F(u32, status) F(u32, pid) F(str, log)
#define MOB_HOLD(F)    F(ref, actor) F(u32, incarnation) F(u32, state) F(str, cls) F(opts, opts)   \
                       F(load, args) F(inner, inner)
#define MOB_HAVE(F)    F(ref, ref) F(u32, attempt) F(ref, actor) F(u32, state) F(u32, returns) \
                       F(opts, opts)
#define MOB_BEGUN(F)   F(ref, ref) F(u32, attempt)
#define MOB_ITEM(F)    F(ref, ref) F(u32, attempt) F(u64, index) F(load, value) F(u32, count)      \
                       F(inner, inner)
#define MOB_WELCOME(F) F(u32, major) F(u32, minor) F(u64, epoch) F(u64, note) F(u64, accepted)     \
                       F(u32, window) F(u32, heartbeat_ms) F(str, notices) F(str, feed) F(str, name) \
                       F(u32, greeting)
#define MOB_ACCEPT(F)  F(u64, seq) F(u64, epoch)
#define MOB_ANSWER(F)  F(ref, ref) F(u32, code) F(load, value) F(u32, attempts) F(flag, inner)
#define MOB_ERROR(F)   F(u32, code) F(str, why) F(ref, ref) F(str, text)
#define MOB_GOODBYE(F) F(u32, code) F(str, text)
#define MOB_TAKEN(F)   F(u64, count)
#define MOB_DATA(F)    F(ref, ref) F(u32, part) F(u64, offset) F(load, bytes)
#define MOB_START(F)   F(u64, worker) F(u32, kind)
#define MOB_KILL(F)    F(u64, worker)
#define MOB_RUN(F)     F(ref, ref) F(u32, attempt) F(u32, symbol) F(ref, actor) F(u32, incarnation) \
                       F(i64, remaining_ms) F(u64, epoch) F(load, args) F(loads, deps)             \
                       F(ref, parent) F(opts, opts)
#define MOB_MAKE(F)    F(ref, actor) F(u32, incarnation) F(u32, cls) F(opts, opts)                 \
                       F(i64, remaining_ms) F(u64, epoch) F(load, args) F(loads, deps)             \
                       F(load, saved)
#define MOB_CREDIT(F)  F(ref, ref) F(u64, count)
#define MOB_NOTE(F)    F(u64, epoch) F(u64, n)
#define MOB_DONE(F)    F(u64, seq) F(load, value)
#define MOB_HUGZ(F)    F(u64, epoch) F(u64, n)
#define MOB_EVENT(F)   F(u64, n) F(i64, time_us) F(u32, kind) F(str, from) F(str, to) F(str, method) \
                       F(u64, bytes) F(i64, took_us) F(ref, ref) F(u32, attempt) F(u32, code)      \
                       F(str, note)

// Options of SUBMIT, CALL, SPAWN, OFFER, METHOD, HOLD, MAKE, RUN. Absent means the default; the numbers are
// the wire's. What the values mean: semantics 1.4. MOB_NONE is -2 and MOB_FOREVER -1, as in the API.
#define MOB_OPTIONS(O) /* number, type, name */                                                    \
    O( 1, i64, timeout_ms)     O( 2, i64, delay_ms)     O( 3, i64, max_retries)                    \
    O( 4, i64, priority)       O( 5, i64, num_returns)  O( 6, i64, forget)                         \
    O( 7, i64, block)          O( 8, i64, unordered)    O( 9, str, name)                           \
    O(10, str, key)            O(11, str, lane)         O(12, i64, durable)                        \
    O(13, i64, retry_1)        O(14, i64, retry_2)      O(15, i64, retry_3)                        \
    O(16, i64, retry_4)        O(17, i64, cpus_e4)      O(18, str, resources)                      \
    O(19, str, labels)         O(20, str, host)         O(21, i64, soft)                           \
    O(22, i64, spread)         O(23, i64, get_if_exists) O(24, i64, detached)                      \
    O(25, str, service)        O(26, i64, stop_ms)      O(27, i64, max_restarts)                   \
    O(28, i64, backoff_ms)     O(29, i64, backoff_max_ms) O(30, i64, max_task_retries)             \
    O(31, i64, max_concurrency) O(32, i64, max_open)    O(33, str, lanes)                          \
    O(34, i64, max_pending)    O(35, i64, mailbox_max)  O(36, i64, when_full)                      \
    O(37, i64, every_ms)       O(38, i64, stream_ahead) O(39, i64, ordered)                        \
    O(40, i64, shared)         O(41, str, space)

// Numbers inside fields.
enum wire_role { ROLE_CLIENT = 1, ROLE_HOST = 2, ROLE_WORKER = 3 };                 // HELLO.role
enum wire_def { DEF_TASK = 1, DEF_CLASS = 2 };                                      // OFFER.kind
enum wire_start { START_TASKS = 1, START_ACTOR = 2, START_SHARED = 3 };             // START.kind
enum wire_stop { STOP_ENDED = 3 }; // STOP.how: the actor's end has run; others as mob_stop_t
enum wire_bye { BYE_END = 0, BYE_KEEP = 1 };                                            // BYE.reason
enum wire_hand { HAND_WAITING = 1, HAND_RUNNING = 2, HAND_DONE = 3 };               // HAVE.state, HOLD.state
enum wire_part { PART_VALUE, PART_ARGS, PART_DEPS };  // FETCH.part; dependency i is PART_DEPS + i
enum wire_cause { // ENDED.cause, and why an actor, worker, host or session ended (semantics 10.3)
    CAUSE_NONE, CAUSE_EXIT, CAUSE_STOP, CAUSE_SCOPE, CAUSE_DRAIN, CAUSE_KILL, CAUSE_OWNER, CAUSE_GROUP,
    CAUSE_LINK, CAUSE_INTENSITY, CAUSE_INIT, CAUSE_CRASH, CAUSE_OOM, CAUSE_SILENT, CAUSE_HOST,
    CAUSE_REVOKED, CAUSE_UNKNOWN, CAUSE_SETUP
};
enum wire_event { // EVENT.kind; traffic first
    EVENT_CALL = 1, EVENT_REPLY, EVENT_TELL, EVENT_TASK, EVENT_DONE, EVENT_FAIL, EVENT_RETRY,
    EVENT_TIMEOUT, EVENT_CANCEL, EVENT_DEAD, EVENT_REJECT, EVENT_SPAWN, EVENT_EXIT, EVENT_RESTART,
    EVENT_JOIN, EVENT_LEAVE, EVENT_PUT, EVENT_LOST,
    EVENT_STUCK, EVENT_ITEM
};
// clang-format on

#endif
