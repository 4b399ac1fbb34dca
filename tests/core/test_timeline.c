// test_timeline.c - the flight recorder: what is read of the past, page by page, and how a monitor counts.

#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, WATCHER };

static uint64_t asked;

static void start_with(const core_config_t *config)
{
    story = story_new(config);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER);
    story_client(story, WATCHER);
    story_name(story, CALLER, 1, "slow -> nil");
    asked = 0;
}

static void start(void)
{
    start_with(&(core_config_t){.heartbeat_us = 100000000}); // nobody is taken for lost
}

TestSuite(timeline, .init = start, .fini = story_end, .timeout = 10);

static void run_tasks(uint64_t first, uint64_t count)
{
    for (uint64_t seq = first; seq < first + count; seq++) {
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
        hear(story, WORKER, RUN, run);
        say(story, WORKER, RESULT, result, .ref = ref(seq));
        hear(story, CALLER, DONE, done);
    }
}

typedef struct answer {
    uint64_t n, first, next, left;
    uint32_t events;
    uint64_t last_seq; // of the last event's ref
    char note[256];    // and its note
} answer_t;

static void read_events(answer_t *answer, mob_bytes_t data)
{
    batch_reader_t batch = batch_open(data.data, data.size, NULL, 0);
    message_t message;
    message_fault_t fault;
    while (message_next(&batch, &message, &fault) == MESSAGE_OK) {
        cr_assert_eq(message.verb, VERB_EVENT);
        answer->events++;
        answer->last_seq = message.event.ref.seq;
        snprintf(answer->note, sizeof answer->note, "%.*s", (int)message.event.note.size,
                 (const char *)message.event.note.data);
    }
}

static bool named(mob_bytes_t key, const char *name)
{
    return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

static answer_t ask(const char *what, const char *filter)
{
    answer_t answer = {0};
    say(story, WATCHER, QUERY, query, .seq = ++asked, .what = {what, strlen(what)},
        .filter = {filter, strlen(filter)});
    load_t value = hear(story, WATCHER, DONE, done)->value;
    unpack_t in = unpack_of(value.data, value.size);
    for (uint32_t fields = unpack_map(&in); fields > 0; fields--) {
        mob_bytes_t key = unpack_str(&in, 64);
        uint64_t *number = named(key, "n")       ? &answer.n
                           : named(key, "first") ? &answer.first
                           : named(key, "next")  ? &answer.next
                           : named(key, "left")  ? &answer.left
                                                 : NULL;
        if (number)
            *number = unpack_u64(&in);
        else if (named(key, "events"))
            read_events(&answer, unpack_bin(&in, UINT32_MAX));
        else
            unpack_skip(&in);
    }
    return answer;
}

static uint64_t all_pages(uint64_t from, const char *filter, unsigned *pages)
{
    char page[256];
    uint64_t events = 0;
    answer_t answer = {.left = 1, .next = from};
    for (*pages = 0; answer.left > 0; ++*pages) {
        snprintf(page, sizeof page, "%llu %s", (unsigned long long)answer.next, filter);
        answer = ask("past", page);
        events += answer.events;
    }
    return events;
}

Test(timeline, the_past_comes_page_by_page_and_whole)
{
    unsigned pages;
    run_tasks(1, 2000);
    cr_assert_eq(all_pages(0, "ev=reply", &pages), 2000u);
    cr_assert_geq(pages, 2u, "64 KiB are one page");
    cr_assert_eq(all_pages(0, "ev=task and id=00000000000003e8.7", &pages), 1u);
}

Test(timeline, the_past_is_asked_by_age_and_by_number)
{
    unsigned pages;
    run_tasks(1, 3);
    uint64_t next = ask("past", "0").next;
    story_pass(story, 60000);
    run_tasks(4, 2);
    cr_assert_eq(all_pages(0, "ev=reply and age<30s", &pages), 2u);
    cr_assert_eq(all_pages(next, "ev=reply", &pages), 2u);
    cr_assert_eq(all_pages(next + 1000000, "ev=reply", &pages), 0u);
}

Test(timeline, records_keep_their_sentences_though_nobody_watched)
{
    say(story, CALLER, BYE, bye, .reason = BYE_END);
    answer_t answer = ask("past", "0 ev=leave");
    cr_assert_eq(answer.events, 1u);
    cr_assert_neq(answer.note[0], '\0');
    cr_assert_eq(ask("past", "0 ev=leave and note=nonsense").events, 0u);
}

Test(timeline, what_has_been_overwritten_is_told_by_the_first_number, .init = NULL)
{
    start_with(&(core_config_t){.ring_bytes = 4096});
    run_tasks(1, 100);
    answer_t answer = ask("past", "5");
    cr_assert_gt(answer.first, 5u);
    cr_assert_eq(answer.next - answer.first, answer.events);
    cr_assert_eq(answer.left, 0u);
}

Test(timeline, without_a_recorder_there_is_no_past_and_monitors_see_all_the_same, .init = NULL)
{
    start_with(&(core_config_t){.ring_bytes = 1});
    ask("tail", "ev=reply");
    run_tasks(1, 1);
    cr_assert_eq(hear(story, WATCHER, EVENT, event)->ref.seq, 1u);
    answer_t answer = ask("past", "0");
    cr_assert(answer.events == 0 && answer.left == 0 && answer.next == 0);
}

Test(timeline, a_tail_counts_what_matches_and_where_it_began)
{
    answer_t before = ask("tail", "ev=reply");
    cr_assert_eq(before.n, 0u);
    cr_assert_eq(before.first, before.next);
    run_tasks(1, 5);
    for (uint64_t n = 1; n <= 5; n++)
        cr_assert_eq(hear(story, WATCHER, EVENT, event)->n, n);
    answer_t after = ask("tail", "ev=reply");
    cr_assert_eq(after.n, 5u);
    cr_assert_eq(after.first, before.first);
    cr_assert_eq(after.next - before.next, 10u, "task and reply of each");
    cr_assert_eq(ask("past", "0 ev=reply").n, 5u);
}

Test(timeline, who_is_silent_for_long_begins_anew)
{
    answer_t before = ask("tail", "ev=reply");
    run_tasks(1, 1);
    hear(story, WATCHER, EVENT, event);
    story_pass(story, 6000);
    run_tasks(2, 1);
    hear_nothing(story, WATCHER);
    answer_t after = ask("tail", "ev=reply");
    cr_assert_eq(after.n, 0u);
    cr_assert_gt(after.first, before.first);
}

Test(timeline, a_page_without_a_number_is_refused)
{
    say(story, WATCHER, QUERY, query, .seq = 1, .what = {"past", 4}, .filter = {"ev=call", 7});
    story_failure(story, WATCHER, 1, MOB_EARGS);
    say(story, WATCHER, QUERY, query, .seq = 2, .what = {"past", 4}, .filter = {"0 ev=(", 6});
    story_failure(story, WATCHER, 2, MOB_EARGS);
}
