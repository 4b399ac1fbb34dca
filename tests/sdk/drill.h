// drill.h - a worker whose broker is of paper, and what it offers: what stories of its wire begin with, say, and hear.

#ifndef MOBULA_TESTS_SDK_DRILL_H
#define MOBULA_TESTS_SDK_DRILL_H

#include <stdatomic.h>

#include "clerk.h"

extern paper_t *paper;
extern clerk_t clerk;
extern atomic_int runs;    // bodies begun
extern atomic_int settled; // how often an answer that was put off came, and counted

// Symbols of what it offers.
enum { NEXT = 1, GATE, NEEDS, FLOW, THING, LATER, SLOWLY, NOW };
enum { CALLER = 7 };
static const mob_ref_t thing = {CALLER, 1000}; // the actor

void open_tasks(void);
void open_actor(void);
void open_threads(void);
void open_with(const opts_t *opts);
void close_paper(void);

void run_task(uint64_t seq, uint32_t attempt, uint32_t symbol);
void run_method(uint64_t seq, uint32_t symbol, uint32_t incarnation);

int hear_result(uint64_t seq);
msg_fail_t hear_fail(uint64_t seq, mob_err_t code, mob_executed_t executed);

void wait_for_begin(void); // of a body at the gate
void open_gate(void);      // for one

void new_broker(void);
void hear_what_it_has(size_t hands);

#endif
