// @NAME@.contract.h - what callers and the worker agree on. Both sides include it.

#ifndef @UPPER@_CONTRACT_H
#define @UPPER@_CONTRACT_H

#include <mobula/contract.h>

MOB_TASK(hello, str, (str, name));

#define COUNTER(METHOD)                                                                            \
    METHOD(counter, add, i64, (i64, n))                                                            \
    METHOD(counter, value, i64)
MOB_ACTOR(counter, COUNTER, (i64, start));

struct counter { // the state of one actor: here, so that tests can look inside
    int64_t value;
};

#endif
