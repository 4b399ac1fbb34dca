// The filter language: what matches, what does not, and where a mistake is shown.

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "filter.h"

// The reply of a call, as the monitor would see it.
static filter_value_t reply(void *arg, filter_key_t key)
{
    (void)arg;
    switch (key) {
    case FILTER_KEY_ev:
        return FILTER_TEXT("reply", 5);
    case FILTER_KEY_src:
        return FILTER_TEXT("ledger-1", 8);
    case FILTER_KEY_dst:
        return FILTER_TEXT("api-3121", 8);
    case FILTER_KEY_method:
        return FILTER_TEXT("transfer str -> i64", 19);
    case FILTER_KEY_status:
        return FILTER_TEXT("ok", 2);
    case FILTER_KEY_took:
        return FILTER_NUMBER(12000);
    case FILTER_KEY_bytes:
        return FILTER_NUMBER(4096);
    case FILTER_KEY_attempt:
        return FILTER_NUMBER(1);
    default:
        return FILTER_NOTHING;
    }
}

static filter_verdict_t verdict(const char *text)
{
    filter_t filter;
    unsigned column;
    cr_assert(filter_parse(text, &filter, &column), "%s: column %u: %s", text, column, filter.wrong);
    return filter_match(&filter, reply, NULL);
}

static bool regex(void *arg, unsigned number, const char *pattern, const char *text, size_t size)
{
    (void)arg, (void)number;
    regex_t compiled;
    regmatch_t range = {0, (regoff_t)size};
    cr_assert(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0);
    bool fits = regexec(&compiled, text, 0, &range, REG_STARTEND) == 0;
    regfree(&compiled);
    return fits;
}

Test(filter, keeps_what_it_names)
{
    static const char *const yes[] = {
        "",
        "   ",
        "ev=reply",
        "ev=call,reply",
        "ev = Reply",
        "dst~api*",
        "src~ledger-?",
        "took>10ms",
        "took>=12ms",
        "took<1s",
        "took=12ms",
        "bytes=4096",
        "bytes=4KiB",
        "bytes>4k",
        "side=api-3121",
        "side=ledger-1",
        "transfer",
        "TRANS",
        "ledger and transfer",
        "ledger transfer",
        "not ev=call",
        "not not transfer",
        "src~ledger* and (took>10ms or status!=ok)",
        "status!=failed",
        "error!=EDEAD",
        "from=ledger-1 to=api-3121",
        "ev=\"reply\"",
        "attempt=1",
        "method=transfer",
        "method~trans*",
        "method=\"transfer str -> i64\"",
        "side!=box",
        "ghost or transfer",
        "ghost or nobody or transfer",
        "(((transfer)))",
        "not (ghost or status=failed)",
        "dst~\"api*\"",
        "note or transfer",
    };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        cr_expect(verdict(yes[i]) == FILTER_YES, "should match: %s", yes[i]);
}

Test(filter, leaves_out_the_rest)
{
    static const char *const no[] = {
        "ev=call",
        "ev=call,tell",
        "ev!=reply",
        "ev!=call,reply",
        "dst~api",
        "took>12ms",
        "took<10ms",
        "bytes<4KiB",
        "side=box",
        "side!=api-3121",
        "ghost",
        "transfer and ghost",
        "transfer ghost",
        "not transfer",
        "error=EDEAD",
        "wait>0",
        "attempt=2",
        "method=trans",
        "method!=transfer",
        "(ghost or nobody) and transfer",
        "transfer and not (took>10ms)",
        "ghost and transfer or nobody",
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        cr_expect(verdict(no[i]) == FILTER_NO, "should not match: %s", no[i]);
}

Test(filter, without_an_engine_a_regex_is_unknown)
{
    cr_expect_eq(verdict("src=~^led"), FILTER_UNKNOWN);
    cr_expect_eq(verdict("not src=~^led"), FILTER_UNKNOWN);
    cr_expect_eq(verdict("src=~^led or transfer"), FILTER_YES);
    cr_expect_eq(verdict("src=~^led and ghost"), FILTER_NO);
    cr_expect_eq(verdict("src=~^led and transfer"), FILTER_UNKNOWN);
}

Test(filter, with_an_engine_it_decides)
{
    filter_t filter;
    unsigned column;
    cr_assert(filter_parse("src=~\"^led.*-[0-9]$\" and not dst=~^led", &filter, &column));
    filter.regex = regex;
    cr_expect_eq(filter_match(&filter, reply, NULL), FILTER_YES);
}

Test(filter, shows_the_column_of_a_mistake)
{
    static const struct {
        const char *text;
        unsigned column;
    } bad[] = {
        {"evv=call", 1},       {"ev=call and", 12}, {"(transfer", 10}, {"transfer)", 9},
        {"took>fast", 6},      {"took>10", 6},      {"src>5", 4},      {"ev=", 4},
        {"ev=call or or", 12}, {"ev=\"call", 4},    {"not", 4},        {"bytes=many", 7},
        {"ev=call,", 9},       {"and", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        filter_t filter;
        unsigned column = 0;
        bool parsed = filter_parse(bad[i].text, &filter, &column);
        cr_expect(!parsed, "should be refused: %s", bad[i].text);
        cr_expect_eq(column, bad[i].column, "%s: column %u, not %u", bad[i].text, column,
                     bad[i].column);
        cr_expect(parsed || filter.wrong[0], "%s: no sentence", bad[i].text);
    }
}

Test(filter, holds_its_limits)
{
    char text[4096] = "";
    size_t used = 0;
    for (int i = 0; i < FILTER_TERMS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%sghost", i ? " or " : "");
    filter_t filter;
    unsigned column;
    cr_expect(filter_parse(text, &filter, &column));
    cr_expect_eq(filter_match(&filter, reply, NULL), FILTER_NO);
    snprintf(text + used, sizeof text - used, " or transfer");
    cr_expect_not(filter_parse(text, &filter, &column));

    memset(text, '(', 200);
    text[200] = '\0';
    cr_expect_not(filter_parse(text, &filter, &column));
    memset(text, 'a', 2000);
    text[2000] = '\0';
    cr_expect_not(filter_parse(text, &filter, &column));
}

Test(filter, globs_run_in_linear_time, .timeout = 5)
{
    static char text[200000];
    memset(text, 'a', sizeof text);
    const char *pattern = "*a*a*a*a*a*a*a*a*a*a*b";
    cr_expect_not(filter_glob(pattern, strlen(pattern), text, sizeof text));
    cr_expect(filter_glob("*", 1, "", 0));
    cr_expect(filter_glob("a*c", 3, "aXbcc", 5));
    cr_expect_not(filter_glob("?", 1, "", 0));
}
