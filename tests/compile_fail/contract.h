// contract.h - what the mistakes in mistakes.txt are made against.
#define MOB_RECORDS(X) X(point)
#include <mobula/contract.h>
#include <mobula/pool.h>

MOB_RECORD(point, (f64, x), (f64, y));
MOB_TASK(greet, str, (str, who));
MOB_TASK(sum, i64, (i64, a), (i64, b));
MOB_TASK(half, f64, (f64, of));
MOB_TASK(shift, point, (point, from), (flag, up));
MOB_TASK(total, i64, (any, numbers));
MOB_TASK(later, i64, (ref, what));
MOB_TASK(follow, nil, (actor, whom));
MOB_TASK(lines, stream(str), (i64, count));
MOB_TASK(divmod, tuple((i64, quot), (i64, rem)), (i64, a), (i64, b));

#define COUNTER(METHOD) METHOD(counter, add, i64, (i64, by)) METHOD(counter, value, i64)
MOB_ACTOR(counter, COUNTER, (i64, start));
struct counter {
    int64_t value;
    mob_promise_i64 owed;
};

#define OTHER(METHOD) METHOD(other, add, i64, (i64, by))
MOB_ACTOR(other, OTHER);
struct other {
    int unused;
};
