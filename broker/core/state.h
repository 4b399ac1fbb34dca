// state.h - the records of the core and how they hang together. Private to broker/core. A record's own file
// says what may be done with it; this one says what there is.
//
//   core ─ names ─ def (a signature offered in a space) ─ shapes ─ ready calls
//        ─ sessions ─ peer (the connection) ─ outboxes
//        │     └ calls it owns: tasks, methods, actors' makings, stored values, questions
//        ─ hosts ─ workers ─ calls in hand
//        └ actors ─ mailbox

#ifndef MOBULA_STATE_H
#define MOBULA_STATE_H

#include <uthash.h>
#include <utlist.h>

#include "core.h"
#include "deadline.h"
#include "failure.h"
#include "options.h"
#include "payload.h"
#include "reflist.h"
#include "reftable.h"
#include "slab.h"

typedef struct call call_t;
typedef struct actor actor_t;
typedef struct worker worker_t;
typedef struct host host_t;
typedef struct session session_t;
typedef struct def def_t;
typedef struct edge edge_t;
typedef struct tail tail_t;
typedef struct notes notes_t;
typedef struct once once_t;
typedef struct prelude prelude_t;
typedef struct store store_t;
typedef struct demand demand_t;
typedef struct shape shape_t;
typedef struct borrow borrow_t;
typedef struct letter letter_t;

// ---- Names: every text that the core meets often, once; index 0 is "" ---------------------------

typedef struct name {
    char *text;
    uint32_t index, size;
    def_t *defs; // what is offered under this signature, one a space
    UT_hash_handle hh;
} name_t;

typedef struct method {
    uint32_t name; // signature
    uint32_t usage, lane;
    opts_t opts; // defaults; texts unused
} method_t;

// A task or class offered in a space. Lives as long as the core: who offered it once may come back.
struct def {
    def_t *next; // same name, other space
    uint32_t name, usage, space;
    uint32_t kind;  // DEF_TASK, DEF_CLASS; 0: asked for, never offered
    opts_t opts;    // defaults; texts unused
    uint32_t lanes; // of a class: as their option says it
    bool laned;     // and some of its methods run in one of them
    method_t *methods;
    uint32_t method_count;
    uint32_t host_count;  // hosts that offer it now
    uint32_t label_count; // actors made of it: for CLASS/N
    demand_t *demand;     // what its bodies need unless a call says otherwise; NULL: never offered
    shape_t *shape;       // of a task: calls without wishes of their own
    call_t *unresolved;   // waits for somebody who offers it (resolve_us)
    def_t *all_next;
};

// ---- Demands and shapes -------------------------------------------------------------------------

enum { AMOUNTS_MAX = 8, CONDITIONS_MAX = 16, LABELS_MAX = 32 };
enum { LEVEL_LOW = -8, LEVEL_HIGH = 7, LEVELS = LEVEL_HIGH - LEVEL_LOW + 1 }; // priorities

typedef struct amount { // of a resource, in steps of 0.0001
    uint32_t name;
    int64_t steps;
} amount_t;

typedef struct condition { // on a label of the host
    uint32_t key, value;
    bool differs;
} condition_t;

typedef struct wish { // as options say it; the texts are the demand's
    int64_t cpus;
    mob_bytes_t resources, labels, host;
    bool soft, spread;
} wish_t;

// What a body needs of a host. Equal demands are one record, and live while somebody holds it.
struct demand {
    uint32_t holders;
    int64_t cpus, cpus_held; // to begin; while it runs, or while the actor lives
    amount_t amounts[AMOUNTS_MAX];
    uint32_t amount_count;
    condition_t conditions[CONDITIONS_MAX];
    uint32_t condition_count;
    uint32_t host; // name index; 0: any
    bool soft, spread, actor;
    wish_t wish; // to be filled up by a definition that comes later
    UT_hash_handle hh;
    char key[];
};

typedef struct shape_key {
    def_t *def;
    demand_t *demand; // held
} shape_key_t;

// Ready work of one definition and one demand.
struct shape {
    shape_key_t key;
    uint32_t holders;
    bool busy;             // in core->busy: something may wait
    uint16_t levels;       // bit a level: calls may wait there
    call_t *ready[LEVELS]; // by priority, first come first
    actor_t *actors;       // those without a place
    uint64_t mark;         // schedule.c
    bool stuck;            // nobody can run it, as far as a heartbeat ago
    int64_t warn_at;       // then: when to say so
    shape_t *next, *prev;
    UT_hash_handle hh;
};

typedef struct turn { // whose turn it is where it fits next: the host keeps room for it
    shape_t *shape;
    const host_t *host;
} turn_t;

// ---- Peers and sessions -------------------------------------------------------------------------

struct peer {
    void *link;
    session_t *session; // NULL until HELLO
    outbox_t calls, notes, feed;
    int64_t opened_at, bad_at;
    uint32_t bad_count; // undecodable messages within 10 s
    bool dirty, closed;
    char machine[MOB_NAME_MAX];
    uint32_t pid;
    peer_t *next_dirty;
    peer_t *next, *prev; // of all, or of the closed ones
};

struct session {
    uint64_t owner;
    uint32_t name, space;
    enum wire_role role;
    peer_t *peer;               // NULL: nobody is connected now
    host_t *host;               // a host's
    worker_t *worker;           // a worker's
    uint64_t last, floor;       // highest seq admitted; what an earlier epoch had admitted
    uint64_t told;              // the last ACCEPT said so
    uint64_t taken, taken_told; // a worker's results; of these acknowledged
    uint64_t note;              // number of the last notice
    int64_t noted_at, heard_at;
    uint32_t blind; // bytes of notices since then
    bool heard;     // it receives notices
    bool gone;
    uint8_t topic[MOB_TOPIC_SIZE];
    uint32_t *symbols; // its symbol -> name index
    uint32_t symbol_count;
    uint8_t *known; // bit a name index: NAME was said to it
    uint32_t known_bytes;
    uint64_t mark;    // mailbox.c
    uint32_t pending; // unsettled calls it owns
    uint32_t owned;   // all it owns
    call_t *calls;    // these
    actor_t *actors;  // that end with it: its own, and those that the bodies it asked for have made
    borrow_t *borrows; // refs of others that it references
    tail_t *tails;
    prelude_t *prelude;  // NULL: it never sent anything large
    store_t *store;      // of its namespace; NULL: no memory for it
    deadline_t deadline; // ACCEPT alone, or the end of a silent one
    UT_hash_handle hh;
};

struct borrow { // a ref that a session references and another one owns
    mob_ref_t ref;
    bool kept;    // by a body of the session, beyond its call: it is not given away with a result
    bool counted; // in holds; false: nothing of that name has been announced yet
    UT_hash_handle hh;
};

// ---- Calls: everything that has a ref -----------------------------------------------------------

typedef enum call_kind {
    CALL_TASK,
    CALL_METHOD,
    CALL_MAKING,
    CALL_OBJECT,
    CALL_FIND,
    CALL_END,
    CALL_QUERY,
    CALL_PART, // a ref of a call with several results, but the first
    CALL_NEXT  // what the consumer of a stream waits for: an item
} call_kind_t;

typedef enum call_state {
    CALL_WAITING, // for arguments, or for its definition or actor to be known
    CALL_DELAYED, // until its time
    CALL_READY,   // in a mailbox or a ready queue
    CALL_SENT,    // at a worker
    CALL_FINAL,   // the outcome is stored
    CALL_STATES
} call_state_t;

typedef struct refusal { // why something is not kept
    mob_err_t err;       // MOB_OK: it is none
    const char *why, *reason;
} refusal_t;

typedef struct parts { // the results of a call that has several
    uint32_t count;    // of its refs
    uint32_t filled;   // values that are here
    uint16_t attempt;  // the run that gave them
    refusal_t refusal; // of one that is missing
    blob_t *values[];
} parts_t;

typedef struct item { // of a stream, made and not given to anybody
    struct item *next;
    blob_t *value;
    reflist_t inner; // refs inside it
} item_t;

typedef struct stream {
    int64_t ahead;   // items may be made before they are pulled: as wished, 0 the default
    uint64_t made;   // items that came, from whichever run; the next one has this number
    uint64_t given;  // to NEXTs
    uint64_t taken;  // of these the consumer said that it has taken them
    uint64_t credit; // the worker was told that it may make so many in all
    item_t *items, **items_end;
    call_t *nexts; // that wait for an item, in order
    bool end_told; // one of them has got the failure: what follows is the end
} stream_t;

typedef struct call_extra { // what few calls need
    mob_ref_t parent;       // the call that submitted it
    uint32_t dep_count;
    mob_ref_t *deps;
    blob_t **values; // of the deps, as they settle
    reflist_t args;  // refs inside its arguments, held until it is final; of an actor until its end
    reflist_t value; // refs inside its value, held as long as this record lives
    int64_t retry_on[MOB_RETRY_MAX];
    char *find;      // CALL_FIND: the name
    char *lane;      // asked for, by name; NULL: that of its method
    mob_ref_t actor; // a parked method call: whose
    parts_t *parts;  // until it is final
    uint32_t kills;  // workers that its body ended
    shape_t *shape;  // a task with wishes of its own: held
    once_t *once;    // the first one with its key, until it is final
    bool shares;     // another one with its key: it gets the outcome of the first
    stream_t *stream;
} call_extra_t;

struct call {
    mob_ref_t id;   // first: reftable.h reads it
    uint32_t index; // in the slab, as long as it lives
    uint8_t kind, state;
    bool forget : 1, dropped : 1, unordered : 1, old_epoch : 1, cancelled : 1, own_retries : 1,
        own_timeout : 1, kept : 1, again : 1,
        open : 1; // again: it was a dead letter; open: its worker said BEGUN, and goes on with others
    int8_t priority;
    uint8_t lane;         // of its actor; 0: the main one
    uint16_t attempt;     // of the run in hand, from 0
    int16_t retries;      // allowed; -1: no limit
    uint16_t code;        // outcome: mob_err_t
    uint8_t have;         // the worker said HAVE since it came back
    uint8_t cancel_flags; // of CANCEL, while its worker has not answered
    uint32_t target;      // name index of the signature
    union {
        uint32_t incarnation; // asked for; 0: whichever lives
        uint32_t part;        // PART: which result of its call, from 1
    };
    session_t *owner; // NULL: nobody
    blob_t *load;     // arguments until it is final, then the value or the failure
    actor_t *actor;   // METHOD, MAKING, END, resolved FIND
    worker_t *worker; // in whose hand it is; also after it is final, until the worker said so
    edge_t *waiters;
    uint32_t missing;    // arguments that have not settled
    uint32_t space;      // where its target is looked up
    uint32_t place;      // name index of the worker that had this run; 0: none yet
    uint32_t holds;      // of others than its owner (refcount.h)
    int64_t at, ends_at; // admitted; deadline, 0: none
    int64_t due_at;      // READY not before; 0: at once
    call_extra_t *extra;
    deadline_t deadline;
    call_t **list; // the list it is in now: ready, unresolved, lane, late, hand, parked; NULL: none
    call_t *next, *prev;
    call_t *own_next, *own_prev; // of its owner
};

// Who waits for a call: another call that needs its value, or a session to be told. By id, not by pointer:
// whoever has ended meanwhile is simply not found.
struct edge {
    edge_t *next;
    mob_ref_t waiter; // seq 0: the session of that owner
    uint32_t arg;     // which dependency of the waiter
};

typedef struct wake { // a settled call whose waiters have not been told yet
    struct wake *next;
    edge_t *edges;
    mob_ref_t id;
    uint32_t code;
    blob_t *load;
    reflist_t value; // refs inside, held until all are told
} wake_t;

// ---- Hosts, workers, actors ---------------------------------------------------------------------

typedef struct resource { // in steps of 0.0001
    uint32_t name;
    int64_t has, taken;
} resource_t;

typedef struct pair {
    uint32_t key, value;
} pair_t;

struct host {
    session_t *session;
    uint32_t slots, procs;
    int64_t cpus, cpus_taken; // in steps of 0.0001
    resource_t resources[AMOUNTS_MAX];
    uint32_t resource_count;
    pair_t *labels;
    uint32_t label_count;
    uint32_t bodies; // leases and actors
    uint64_t chosen; // when it was last: core->choices
    def_t **defs;
    uint32_t def_count, def_next; // next: where the search for work goes on
    def_t *offering;              // class whose METHODs come
    worker_t *workers;
    uint32_t worker_count;
    worker_t *shared; // the worker of shared actors, once there is one
    bool open, draining;
    uint32_t crashes; // of task workers lately
    int64_t start_at; // not before: back-off after crashes
    deadline_t deadline;
    host_t *next, *prev;
};

typedef enum worker_state { WORKER_STARTING, WORKER_ALIVE, WORKER_ENDING } worker_state_t;

struct worker {
    uint64_t owner;
    session_t *session; // NULL until HELLO
    host_t *host;
    enum wire_start kind;
    worker_state_t state;
    demand_t *lease; // taken from the host for the tasks in its hand, which run one by one; NULL: none. Held
    bool claimed; // it was not asked for: it ran before this broker knew
    bool lent;    // and its CPUs were lent on meanwhile
    bool blocked;
    bool restating; // connected anew: nothing is sent until it has said what it holds
    bool killed;    // its host was told to end it
    bool cancels;   // a call in its hand was called off: what that body asks for is refused
    int64_t forced_at; // its body was called off by force: it gets nothing until it has answered; 0: no
    call_t *hand;      // sent and not answered: open ones, then the rest in the order sent
    call_t *ahead;     // the first of the rest, which runs; NULL: there is none
    uint32_t hand_count, open_count, window;
    uint32_t results; // since rated_at
    int64_t rated_at, idle_at;
    actor_t *actors;
    uint32_t pid;
    uint64_t orphan_of; // adopted: the host that it says it belongs to
    bool adopted;       // older than this broker
    worker_t *next, *prev;
    UT_hash_handle hh;
};

typedef enum actor_state {
    ACTOR_WAITING,
    ACTOR_STARTING,
    ACTOR_ALIVE,
    ACTOR_RESTARTING,
    ACTOR_STOPPING,
    ACTOR_DEAD
} actor_state_t;

typedef struct lane {     // a part of an actor with bodies of its own; every actor has a main one
    uint32_t name, width; // 0: the main one
    call_t *ready;        // in order
    uint32_t sent;        // at its worker, and not begun
    bool ranked;          // among the ready ones may be some with a priority
} lane_t;

typedef struct late { // the calls of one caller in one lane, behind one whose arguments are late
    struct late *next;
    session_t *caller;
    uint8_t lane;
    call_t *calls;
} late_t;

struct actor {
    mob_ref_t id;
    uint32_t incarnation;
    actor_state_t state;
    enum wire_cause cause;
    uint32_t cls, space, name, label; // name indexes; name 0: unnamed
    def_t *def;
    shape_t *shape;   // held
    session_t *owner; // NULL: detached, or it belongs to who holds it. Ends with it
    bool detached;    // nobody has to hold it
    call_t *making;   // the record behind id
    worker_t *worker;
    blob_t *args, *opts; // of the constructor; encoded options, for MAKE and HOLD
    lane_t main, *lanes; // lanes: the others
    uint32_t lane_count; // of the others
    late_t *late;
    uint32_t waiting;       // all that wait, in whatever lane, late ones too
    uint32_t long_above;    // more than so many that wait are told to the log; 0: the first bound
    bool threads;           // its bodies run at once, and its worker says BEGUN of each
    bool unordered;         // its calls are
    bool guessed;           // its class was not known when its options were read
    uint32_t in_hand, open; // open: so many of these
    bool waits;             // for a place: in shape->actors
    bool made;              // the constructor of this incarnation has ended well
    bool held;              // its worker, connected anew, said that it has it
    bool stop_sent, scope_ended;
    bool args_away; // its worker has them yet: older than this broker, and too large for HOLD
    enum wire_cause stop_cause;
    uint32_t mailbox_max, restarts;
    int32_t max_restarts, max_task_retries;
    uint32_t max_pending, max_open; // 0: no limit
    int64_t stop_us, backoff_us, backoff_max_us, born_at;
    uint32_t adopted;  // the incarnation that was alive before this broker; 0: none
    mob_err_t refusal; // what calls to a dead one are told
    char *epitaph;     // and why, in a sentence
    call_t *ends;      // CALL_END that wait
    deadline_t deadline;
    actor_t *owner_next, *owner_prev;
    actor_t *worker_next, *worker_prev;
    actor_t *wait_next, *wait_prev;
    actor_t *next, *prev;
    UT_hash_handle hh; // by name and space, while it has a name and lives
    uint64_t name_key;
};

// ---- The rest -----------------------------------------------------------------------------------

typedef struct record { // of the flight recorder
    int64_t time;
    mob_ref_t ref;
    uint16_t kind;
    bool ran; // of an end: a worker had it
    uint32_t from, to, method, bytes;
    uint32_t note; // its number; 0: none
    int32_t took;
    uint16_t attempt, code;
} record_t;

// A call that failed with nobody to tell, or that is poison (letter.h).
struct letter {
    uint64_t number; // its name is dl-NUMBER
    int64_t at;
    mob_ref_t id, actor;          // of the call; whose method, or none
    char *to, *reason;            // what that actor is called; NULL: no memory
    char *lane;                   // that it asked for; NULL: none
    uint32_t from, target, space; // name indexes
    mob_err_t err;
    uint32_t executed, attempts;
    uint8_t kind;
    int8_t priority;
    int16_t retries;
    bool own_retries, own_timeout, unordered;
    int64_t timeout_us, returns; // 0: none; MOB_STREAM
    int64_t retry_on[MOB_RETRY_MAX];
    shape_t *shape; // held; NULL: that of its definition
    blob_t *load;
    mob_ref_t *refs; // its dependencies, then those inside its arguments
    uint32_t dep_count, ref_count;
    reflist_t held; // of these: objects
    uint64_t bytes; // what it counts for
    UT_hash_handle hh;
};

typedef struct letters {
    letter_t *first; // by number, the oldest first
    uint64_t last, bytes;
} letters_t;

typedef struct aim { // of the method call that came last: one that is refused has no actor yet
    mob_ref_t call, actor;
} aim_t;

typedef struct dropped { // a DROP
    mob_ref_t ref;
    uint64_t count;
} dropped_t;

enum { WARNINGS_MAX = 16 };
typedef struct unmet { // a ref that is held before what it names is here (unmet.h)
    mob_ref_t ref, holder;
    uint64_t from;
} unmet_t;

struct core {
    core_config_t config;
    int64_t now;
    uint64_t random[2];
    name_t *names_by_text, **names;
    uint32_t name_count, name_room;
    def_t *defs;
    peer_t *peers, *closed, *dirty_first, *dirty_last;
    session_t *sessions;
    slab_t calls;
    payloads_t payloads;
    reftable_t refs;
    wake_t *wakes, **wakes_end; // worklist of graph.c: no recursion along chains
    bool waking;
    host_t *hosts;
    host_t **choice; // room for all of them: place.c
    uint32_t choice_room;
    uint64_t choices;
    demand_t *demands;
    uint32_t bound_demands; // of these: that name a host and are hard
    shape_t *shapes, *busy; // all by key; those with work, in the order in which they got some
    turn_t next;
    uint64_t marks;
    worker_t *workers;                         // by owner
    actor_t *actors, *graves, *actors_by_name; // graves: the dead that somebody may still call
    uint32_t grave_count;
    deadlines_t deadlines;
    deadline_t beat;               // heartbeat: HUGZ, silence
    int64_t rejoin_at;             // until then who was there before may come back; 0: over
    call_t *parked;                // calls to actors that nobody has announced yet
    once_t *once_keys, *once_kept; // by namespace and key; those whose run has ended
    dropped_t *dropped; // until rejoin_at: workers may announce what its owner has given up
    uint32_t dropped_count, dropped_room;
    unmet_t *unmet;
    uint32_t unmet_count, unmet_room;
    reflist_t loose; // given up and held by nobody since this turn began: refcount_sweep()
    bool schedule, draining, sweep;
    bool announced; // calls of an earlier broker came in
    record_t *ring;
    uint32_t ring_size;
    uint64_t ring_next;
    notes_t *notes; // timeline.c
    tail_t *tails;
    letters_t letters;
    aim_t aim;
    core_count_t count;
    store_t *stores; // a namespace each
    load_t *loads;   // of the RUN or MAKE in the making
    uint32_t load_room;
    pack_t scratch;
    core_warning_t warnings[WARNINGS_MAX]; // not read yet
    uint32_t warning_count;
};

#endif
