// test_text.c - UTF-8 at the border.

#include <criterion/criterion.h>
#include <string.h>

#include "text.h"

// ---------------------------------------------------------------------------------------

Test(text, utf8_is_told_from_what_is_not)
{
    static const char *const good[] = {"",
                                       "plain ascii, longer than eight",
                                       "\xc3\xbc",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x90\x8d",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xc3\xbc"};
    static const char *const bad[] = {"\xff",         "\xc0\x80",         "\xe0\x80\x80",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3",
                                      "a\xe2\x82",    "12345678\x80",     "\xf5\x80\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(text_valid(good[i], strlen(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(text_valid(bad[i], strlen(bad[i])), "bad %zu", i);
    cr_assert_not(text_valid("1234567\0", 8), "NUL, in a run of eight");
    cr_assert_not(text_valid("a\0", 2), "NUL");
}

Test(text, a_name_is_plain_and_not_too_long)
{
    char longest[129];
    memset(longest, 'x', sizeof longest);
    cr_assert(text_is_name("Hits-3.x_", 9) && text_is_name(longest, 128));
    cr_assert_not(text_is_name("", 0) || text_is_name(longest, 129));
    cr_assert_not(text_is_name("a b", 3) || text_is_name("a\0b", 3) || text_is_name("\xc3\xbc", 2));
}

Test(text, a_cut_keeps_whole_characters)
{
    const char text[] = "a\xe2\x82\xac"; // 4 bytes
    cr_assert_eq(text_cut(text, 4, 4), 4);
    cr_assert_eq(text_cut(text, 4, 3), 1);
    cr_assert_eq(text_cut(text, 4, 2), 1);
    cr_assert_eq(text_cut(text, 4, 1), 1);
    cr_assert_eq(text_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5, "no text at all: anywhere");
}

Test(text, a_clean_copy_has_the_same_length)
{
    char clean[8];
    text_clean(clean, "\xc3\xbc\xc3x\0\xe2\x82", 7);
    cr_assert_arr_eq(clean, "\xc3\xbc?x???", 7);
}
