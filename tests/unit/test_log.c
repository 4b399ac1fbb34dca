// Lines for people and for grep, in four forms.

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static int pipes[2];
static log_t logger;
static char text[65536];

static void set_up(void)
{
    cr_assert_eq(pipe(pipes), 0);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
}

static void tear_down(void)
{
    close(pipes[0]);
    close(pipes[1]);
}

TestSuite(log, .init = set_up, .fini = tear_down, .timeout = 10);

static const char *written(void)
{
    ssize_t size = read(pipes[0], text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static int lines(const char *from)
{
    int count = 0;
    for (; *from != '\0'; from++)
        count += *from == '\n';
    return count;
}

Test(log, json_keeps_numbers_and_escapes_the_rest)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_JSON);
    log_warn(&logger, "MOB-TEST", "name=%s count=%d cause=%s", "a\"b\\c\nd", 42, "two words");
    const char *tail = strstr(written(), "Z\",");
    cr_assert_not_null(tail);
    cr_expect_str_eq(
        tail, "Z\",\"level\":\"warn\",\"event\":\"MOB-TEST\",\"name\":\"a\\\"b\\\\c\\u000ad\","
              "\"count\":42,\"cause\":\"two words\"}\n");
}

Test(log, logfmt_quotes_what_has_blanks)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_LOGFMT);
    log_info(&logger, "MOB-TEST", "path=%s cause=%s empty=%s", "/a/b", "x=y z", "");
    cr_expect_not_null(
        strstr(written(), " level=info event=MOB-TEST path=/a/b cause=\"x=y z\" empty=\"\"\n"),
        "%s", text);
}

Test(log, pretty_is_a_time_a_level_and_an_event)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_PRETTY);
    log_info(&logger, "MOB-READY", "ms=%d", 6);
    cr_expect_not_null(strstr(written(), " INFO  MOB-READY   ms=6\n"), "%s", text);
}

Test(log, the_journal_is_told_the_priority)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_JOURNAL);
    log_error(&logger, "MOB-REFUSED", "cause=%s", "x");
    cr_expect_str_eq(written(), "<3>MOB-REFUSED cause=x\n");
}

Test(log, off_a_terminal_auto_is_logfmt)
{
    unsetenv("JOURNAL_STREAM");
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_AUTO);
    cr_expect_eq(logger.format, FORMAT_LOGFMT);
}

Test(log, what_is_below_the_level_is_not_said)
{
    log_init(&logger, pipes[1], LEVEL_WARN, FORMAT_LOGFMT);
    log_info(&logger, "MOB-TEST", "a=%d", 1);
    log_debug(&logger, "MOB-TEST", "a=%d", 1);
    cr_expect_str_eq(written(), "");
}

Test(log, ten_of_a_kind_in_a_second)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_LOGFMT);
    for (int i = 0; i < 50; i++)
        log_warn(&logger, "MOB-MANY", "i=%d", i);
    log_warn(&logger, "MOB-OTHER", "i=%d", 0);
    cr_expect_eq(lines(written()), LOG_RATE + 1);
    logger.events[0].since -= 1000000; // a second later
    log_warn(&logger, "MOB-MANY", "i=%d", 50);
    cr_expect_not_null(strstr(written(), " level=warn event=MOB-MANY repeated=40\n"), "%s", text);
    cr_expect_not_null(strstr(text, " i=50\n"), "%s", text);
}

Test(log, what_was_held_back_is_told_before_the_end)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_JOURNAL);
    for (int i = 0; i < 12; i++)
        log_warn(&logger, "MOB-MANY", "i=%d", i);
    written();
    log_repeats(&logger, false); // its second is not over
    cr_expect_str_eq(written(), "");
    log_repeats(&logger, true);
    cr_expect_str_eq(written(), "<4>MOB-MANY repeated=2\n");
    log_repeats(&logger, true);
    cr_expect_str_eq(written(), "");
}

Test(log, a_reader_that_is_stuck_stops_nobody)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_LOGFMT);
    char event[16], filler[512];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (int i = 0; i < 200; i++) {
        snprintf(event, sizeof event, "MOB-%d", i);
        logger.events[0] = (log_event_t){0};
        log_warn(&logger, event, "filler=%s", filler);
    }
    cr_expect_gt(logger.dropped, 0);
}

Test(log, a_line_too_long_is_cut_and_still_ends)
{
    log_init(&logger, pipes[1], LEVEL_INFO, FORMAT_JSON);
    char *huge = malloc(10000);
    memset(huge, 'x', 9999);
    huge[9999] = '\0';
    log_warn(&logger, "MOB-TEST", "huge=%s", huge);
    cr_expect_eq(lines(written()), 1);
    free(huge);
}
