// A broker that tells nothing unasked: what is asked for is still answered. Only in a build with
// faults.

#include <criterion/criterion.h>

#include "talker.h"

#ifdef MOB_FAULTS

#include <stdlib.h>

Test(faults, without_a_single_notice_asking_finds_the_outcome, .timeout = 20)
{
    setenv("MOBULA_FAULT", "drop_notice=100%", 1);
    stage_t *stage = stage_new();
    stage_start(stage, NULL);
    talker_t *host = talker_new(stage, 11), *caller = talker_new(stage, 12);
    talker_hello(host, ROLE_HOST, 0);
    say(host, OFFER, offer, .name = str("echo any -> any"), .usage = str("echo any -> any"),
        .kind = DEF_TASK);
    say(host, OPEN, open, .slots = 1, .labels = str(""));
    talker_send(host);
    talker_t *worker = talker_new(stage, hear(host, BY_CALLS, START, start)->worker);
    talker_hello(worker, ROLE_WORKER, 11);
    talker_hello(caller, ROLE_CLIENT, 0);
    say(caller, NAME, name, .symbol = 1, .text = str("echo any -> any"));
    say(caller, SUBMIT, submit, .epoch = caller->epoch, .seq = 1, .task = 1,
        .args = bytes_of("\xc0"));
    talker_send(caller);
    const msg_run_t *run = hear(worker, BY_CALLS, RUN, run);
    say(worker, RESULT, result, .ref = run->ref, .attempt = run->attempt, .value = bytes_of("\xc0"));
    talker_send(worker);

    cr_expect_null(talker_peek(caller, BY_CALLS, 300));
    cr_expect_null(talker_peek(caller, BY_NOTICES, 0));
    say(caller, ASK, ask, .refs = {.items = &(mob_ref_t){12, 1}, .count = 1});
    talker_send(caller);
    cr_expect_eq(hear(caller, BY_CALLS, ANSWER, answer)->code, MOB_OK);
    talker_destroy(&worker);
    talker_destroy(&host);
    talker_destroy(&caller);
    stage_destroy(&stage);
}

#endif
