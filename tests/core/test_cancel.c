// test_cancel.c - calling off through the core, where CANCEL crosses what workers say: what was called off
// never begins, is never tried again, takes its children along, and by force ends its own process only.

#include "story.h"

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, SECOND, OTHER };

static uint64_t worker, second;

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", NULL, NULL, 2);
    worker = story_started(story, HOST, START_TASKS);
    second = story_started(story, HOST, START_TASKS);
    story_join(story, WORKER, ROLE_WORKER, worker, 1000 + HOST);
    story_client(story, CALLER, "slow -> nil");
}

TestSuite(cancel, .init = start, .fini = story_end, .timeout = 10);

static void submit(uint64_t seq)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
}

static void cancel(uint64_t seq, uint32_t flags)
{
    say(story, CALLER, CANCEL, cancel, .ref = ref(seq), .flags = flags);
}

static void hear_end(uint64_t seq, mob_err_t err, uint32_t executed)
{
    failure_t failure = story_failure(story, CALLER, seq, err);
    cr_assert_eq(failure.executed, executed, "%s", failure.reason);
}

// Two in the hand of one worker: the first runs, the second waits.
static void two_in_hand(void)
{
    submit(1);
    submit(2);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
}

// ---- What crosses -------------------------------------------------------------------------------

Test(cancel, one_that_waits_at_the_worker_ends_when_the_worker_says_so)
{
    two_in_hand();
    cancel(2, 0);
    cr_assert_eq(hear(story, WORKER, CANCEL, cancel)->ref.seq, 2u);
    hear_nothing(story, CALLER);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_ECANCELLED);
    hear_end(2, MOB_ECANCELLED, MOB_NOT_EXECUTED);
}

Test(cancel, one_that_was_given_back_meanwhile_never_runs)
{
    two_in_hand();
    cancel(2, 0);
    hear(story, WORKER, CANCEL, cancel);
    mob_ref_t given = ref(2);
    say(story, WORKER, GIVE, give, .refs = {.items = &given, .count = 1}); // it crossed CANCEL
    hear_end(2, MOB_ECANCELLED, MOB_NOT_EXECUTED);
    story_join(story, SECOND, ROLE_WORKER, second, 1000 + HOST);
    hear_nothing(story, SECOND);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    hear_nothing(story, WORKER);
}

Test(cancel, one_that_began_meanwhile_is_cancelled_whatever_it_gave)
{
    two_in_hand();
    cancel(2, 0);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    hear(story, CALLER, DONE, done);
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("half"));
    hear_end(2, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
}

Test(cancel, one_that_began_meanwhile_is_cancelled_whatever_it_reports)
{
    two_in_hand();
    cancel(2, 0);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    hear(story, CALLER, DONE, done);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_ETASK, .app_code = 9, .executed = 2);
    hear_end(2, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
}

Test(cancel, a_failure_that_would_be_tried_again_is_not)
{
    opts_t opts = {.retry_1 = MOB_ANY_CODE};
    submit(1);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1, .opts = {.set = &opts});
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    cancel(2, 0);
    hear(story, WORKER, CANCEL, cancel);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    hear(story, CALLER, DONE, done);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_ETASK, .app_code = 9, .executed = 2);
    hear_end(2, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
    story_pass(story, 3000);
    hear_nothing(story, WORKER);
}

Test(cancel, lost_with_its_worker_it_is_not_tried_again)
{
    two_in_hand();
    cancel(2, 0);
    hear(story, WORKER, CANCEL, cancel);
    story_leave(story, WORKER, CAUSE_CRASH);
    hear_end(2, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
    story_join(story, SECOND, ROLE_WORKER, second, 1000 + HOST);
    story_pass(story, 3000);
    cr_assert_eq(hear(story, SECOND, RUN, run)->ref.seq, 1u);
    hear_nothing(story, SECOND);
}

Test(cancel, a_worker_that_reconnects_is_told_again)
{
    two_in_hand();
    cancel(1, 0);
    cancel(2, 0);
    hear(story, WORKER, CANCEL, cancel);
    hear(story, WORKER, CANCEL, cancel);
    hear_end(1, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
    enum { AGAIN = 6 }; // what was sent on the old connection is lost
    story_join(story, AGAIN, ROLE_WORKER, worker, 1000 + HOST);
    say(story, AGAIN, HAVE, have, .ref = ref(1), .state = HAND_RUNNING);
    say(story, AGAIN, OPEN, open, .slots = 0);
    cr_assert_eq(hear(story, AGAIN, CANCEL, cancel)->ref.seq, 1u);
    hear_end(2, MOB_ECANCELLED, MOB_MAYBE_EXECUTED); // it never arrived: it is not sent again
    hear_nothing(story, AGAIN);
}

// ---- Force --------------------------------------------------------------------------------------

Test(cancel, force_ends_the_process_once_it_says_that_this_body_runs)
{
    two_in_hand();
    cancel(1, MOB_CANCEL_FORCE);
    hear_end(1, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
    cr_assert_eq(hear(story, WORKER, CANCEL, cancel)->flags, (uint32_t)MOB_CANCEL_FORCE);
    hear_nothing(story, HOST);
    mob_ref_t behind = ref(2);
    say(story, WORKER, GIVE, give, .refs = {.items = &behind, .count = 1});
    say(story, WORKER, BEGUN, begun, .ref = ref(1));
    cr_assert_eq(hear(story, HOST, KILL, kill)->worker, worker);
    say(story, HOST, ENDED, ended, .worker = worker, .cause = CAUSE_KILL, .status = 9, .pid = 101);
    story_join(story, SECOND, ROLE_WORKER, second, 1000 + HOST);
    const msg_run_t *run = hear(story, SECOND, RUN, run);
    cr_assert_eq(run->ref.seq, 2u);
    cr_assert_eq(run->attempt, 0u, "it never began: it has all its retries");
    hear_nothing(story, CALLER);
}

Test(cancel, a_process_that_may_be_ended_gets_nothing_more)
{
    submit(1);
    hear(story, WORKER, RUN, run);
    cancel(1, MOB_CANCEL_FORCE);
    hear(story, WORKER, CANCEL, cancel);
    submit(2);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(1)); // it ended by itself
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2u);
}

Test(cancel, force_spares_a_process_whose_body_has_ended)
{
    two_in_hand();
    say(story, WORKER, RESULT, result, .ref = ref(1)); // crosses CANCEL, or so it could be
    hear(story, CALLER, DONE, done);
    cancel(1, MOB_CANCEL_FORCE);
    hear_nothing(story, WORKER);
    cancel(2, MOB_CANCEL_FORCE);
    hear(story, WORKER, CANCEL, cancel);
    hear_end(2, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
    say(story, WORKER, RESULT, result, .ref = ref(2));
    submit(3);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 3u);
    story_pass(story, 3000);
    hear_nothing(story, HOST);
}

Test(cancel, force_does_not_depend_on_the_worker_to_answer)
{
    submit(1);
    hear(story, WORKER, RUN, run);
    cancel(1, MOB_CANCEL_FORCE);
    story_pass(story, 2500);
    cr_assert_eq(hear(story, HOST, KILL, kill)->worker, worker);
}

Test(cancel, a_soft_one_kills_nobody_whatever_the_worker_says)
{
    submit(1);
    hear(story, WORKER, RUN, run);
    cancel(1, 0);
    hear(story, WORKER, CANCEL, cancel);
    say(story, WORKER, BEGUN, begun, .ref = ref(1));
    story_pass(story, 2500);
    hear_nothing(story, HOST);
}

// ---- Children -----------------------------------------------------------------------------------

// The body of 1 asks for a task of its own, which goes to the second worker.
static void a_child(uint64_t seq)
{
    say(story, WORKER, SUBMIT, submit, .seq = seq, .task = 1, .parent = ref(1));
}

static void family(void)
{
    submit(1);
    hear(story, WORKER, RUN, run);
    story_name(story, WORKER, 1, "slow -> nil");
    say(story, WORKER, BLOCKED, blocked, .refs = {.count = 0});
    story_join(story, SECOND, ROLE_WORKER, second, 1000 + HOST);
    a_child(1);
    cr_assert_eq(hear(story, SECOND, RUN, run)->ref.owner, worker);
}

Test(cancel, takes_the_children_along)
{
    family();
    cancel(1, 0);
    hear(story, WORKER, CANCEL, cancel);
    cr_assert_eq(hear(story, SECOND, CANCEL, cancel)->ref.owner, worker);
    cr_assert_eq(hear(story, WORKER, ANSWER, answer)->code, (uint32_t)MOB_ECANCELLED);
}

Test(cancel, takes_along_what_was_on_the_way)
{
    family();
    cancel(1, 0);
    hear(story, SECOND, CANCEL, cancel);
    a_child(2);
    hear(story, WORKER, CANCEL, cancel);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        const msg_answer_t *answer = hear(story, WORKER, ANSWER, answer);
        cr_assert_eq(answer->ref.seq, seq);
        cr_assert_eq(answer->code, (uint32_t)MOB_ECANCELLED);
    }
    hear_nothing(story, SECOND);
}

Test(cancel, alone_leaves_them)
{
    family();
    cancel(1, MOB_CANCEL_ALONE);
    hear(story, WORKER, CANCEL, cancel);
    a_child(2);
    cr_assert_eq(hear(story, SECOND, RUN, run)->ref.seq, 2u);
    hear_nothing(story, SECOND);
}

Test(cancel, ends_with_the_body_that_was_called_off)
{
    family();
    cancel(1, 0);
    hear(story, SECOND, CANCEL, cancel);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    say(story, SECOND, RESULT, result, .ref = {worker, 1});
    say(story, WORKER, RESUMED, resumed, .unused = 0);
    hear(story, WORKER, CANCEL, cancel);
    hear(story, WORKER, ANSWER, answer);
    submit(2);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2u);
    say(story, WORKER, SUBMIT, submit, .seq = 2, .task = 1, .parent = ref(2));
    cr_assert_eq(hear(story, SECOND, RUN, run)->ref.seq, 2u,
                 "the next one may ask for what it likes");
}

Test(cancel, an_owner_that_is_gone_takes_the_children_of_its_bodies_along)
{
    family();
    story_leave(story, CALLER, CAUSE_CRASH);
    hear(story, WORKER, CANCEL, cancel);
    hear(story, SECOND, CANCEL, cancel);
}

// The second needs the first, and nobody wants it: it is gone as soon as the first has failed.
Test(cancel, takes_children_along_that_end_each_other)
{
    family();
    mob_ref_t first[] = {{worker, 1}};
    say(story, WORKER, SUBMIT, submit, .seq = 2, .task = 1, .parent = ref(1),
        .deps = {.items = first, .count = 1});
    a_child(3);
    say(story, WORKER, DROP, drop, .seq = 4, .ref = {worker, 2}, .count = 1);
    cr_assert_eq(hear(story, SECOND, RUN, run)->ref.seq, 3u);
    cancel(1, 0);
    cr_assert_eq(hear(story, SECOND, CANCEL, cancel)->ref.seq, 1u);
    cr_assert_eq(hear(story, SECOND, CANCEL, cancel)->ref.seq, 3u);
    cr_assert_null(core_check(story->core));
}
