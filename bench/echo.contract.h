// echo.contract.h - what mobula's callers and workers of the benchmarks agree on.

#ifndef MOBULA_BENCH_ECHO_CONTRACT_H
#define MOBULA_BENCH_ECHO_CONTRACT_H

#include <mobula/contract.h>

MOB_TASK(echo_task, bytes, (bytes, data));
MOB_TASK(nothing, nil);

#define ECHO_ACTOR(METHOD) METHOD(echo_actor, echo, bytes, (bytes, data))
MOB_ACTOR(echo_actor, ECHO_ACTOR);

#endif
