// customer.c - a caller that goes on: so many calls a second of what worker.c offers, whatever becomes of
// broker and workers, and a count of how each ended. customer [CALLS [A_SECOND]]; 0 calls: until SIGTERM.

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shop.contract.h"

enum { ERRORS = 64, CALL_MS = 20000, GRACE_MS = 15000 };

typedef struct tally { // of one kind of call
    const char *name;
    int64_t calls, open, ends[ERRORS];
} tally_t;

static volatile sig_atomic_t told_to_end;
static mob_t *m;

static void on_signal(int number)
{
    (void)number;
    told_to_end = 1;
    mob_interrupt(m);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void ended(mob_t *self, mob_ref_t ref, void *arg)
{
    tally_t *tally = arg;
    mob_info_t info = mob_info(self, ref);
    if (info.state == MOB_PENDING)
        return; // we close, and it has not ended
    tally->open--;
    tally->ends[(int)info.err < ERRORS ? info.err : MOB_EINTERNAL]++;
    mob_drop(self, ref);
}

static void count(tally_t *tally, mob_ref_i64 call)
{
    tally->calls++;
    tally->open++;
    mob_then(m, call.ref, ended, tally);
}

static void buy(tally_t *prices, tally_t *puts, basket_h basket)
{
    const item_t pears = {"pears", 60, 2};
    count(prices, mob_run_with(m, MOB_OPTS(.timeout_ms = CALL_MS), price, &pears));
    count(puts, mob_call_with(m, basket, MOB_OPTS(.timeout_ms = CALL_MS), basket_put, &pears));
}

static void step_until(int64_t end)
{
    for (int64_t left; !told_to_end && (left = end - now_ms()) > 0;)
        mob_step(m, (int)left);
}

static void print(const tally_t *self)
{
    printf("%s: %" PRId64 " calls, %" PRId64 " values, %" PRId64 " failures, %" PRId64 " open\n",
           self->name, self->calls, self->ends[MOB_OK],
           self->calls - self->open - self->ends[MOB_OK], self->open);
    for (int err = MOB_OK + 1; err < ERRORS; err++)
        if (self->ends[err])
            printf("    %" PRId64 ": %s\n", self->ends[err], mob_strerror((mob_err_t)err));
}

int main(int argc, char **argv)
{
    int64_t calls = argc > 1 ? atoll(argv[1]) : 100, rate = argc > 2 ? atoll(argv[2]) : 200;
    tally_t prices = {.name = "price"}, puts = {.name = "put"};
    m = mob_connect(&(mob_config_t){.name = "customer"});
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);

    // Whoever comes second finds the basket that is there; it begins again, empty, when its host is lost.
    basket_h basket = mob_new_with(
        m, MOB_ACTOR_OPTS(.name = "basket", .get_if_exists = true, .max_restarts = MOB_UNLIMITED),
        basket);
    int64_t begun = now_ms();
    while (!told_to_end && (calls == 0 || prices.calls < calls)) {
        buy(&prices, &puts, basket);
        step_until(begun + prices.calls * 1000 / (rate > 0 ? rate : 1));
    }
    for (int64_t end = now_ms() + GRACE_MS; prices.open + puts.open && now_ms() < end;)
        mob_step(m, (int)(end - now_ms()));
    print(&prices);
    print(&puts);
    int64_t open = prices.open + puts.open;
    mob_close(&m);
    return open ? mob_exit_status(MOB_ETIMEDOUT) : 0;
}
