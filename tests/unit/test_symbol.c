// Signatures to integers and back.

#include "symbol.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

Test(symbol, the_same_text_is_the_same_symbol)
{
    symbols_t symbols = {0};
    bool fresh;
    char copy[] = "add i64 -> i64";
    uint32_t symbol = symbols_of(&symbols, "add i64 -> i64", &fresh);
    cr_assert_eq(symbol, 1);
    cr_assert(fresh);
    cr_assert_eq(symbols_of(&symbols, copy, &fresh), symbol);
    cr_assert_not(fresh);
    symbols_fini(&symbols);
}

Test(symbol, another_text_at_the_same_place_is_another_symbol)
{
    symbols_t symbols = {0};
    bool fresh;
    char text[] = "add";
    uint32_t add = symbols_of(&symbols, text, &fresh);
    strcpy(text, "sub");
    cr_assert_neq(symbols_of(&symbols, text, &fresh), add);
    strcpy(text, "add");
    cr_assert_eq(symbols_of(&symbols, text, &fresh), add);
    symbols_fini(&symbols);
}

Test(symbol, there_is_an_end)
{
    symbols_t symbols = {0};
    bool fresh;
    char text[16];
    for (int i = 1; i <= SYMBOLS_MAX; i++) {
        snprintf(text, sizeof text, "t%d", i);
        cr_assert_eq(symbols_of(&symbols, text, &fresh), (uint32_t)i);
    }
    cr_assert_eq(symbols_of(&symbols, "one more", &fresh), 0);
    cr_assert_eq(symbols_of(&symbols, "t77", &fresh), 77);
    symbols_fini(&symbols);
}

Test(symbol, what_the_broker_binds_is_kept_and_may_change)
{
    texts_t texts = {0};
    cr_assert(texts_bind(&texts, 300, (mob_bytes_t){"add...", 3}));
    cr_assert_str_eq(texts_of(&texts, 300), "add");
    cr_assert(texts_bind(&texts, 300, (mob_bytes_t){"sub", 3}));
    cr_assert_str_eq(texts_of(&texts, 300), "sub");
    cr_assert_null(texts_of(&texts, 299));
    cr_assert_null(texts_of(&texts, 100000));
    cr_assert_not(texts_bind(&texts, 70000, (mob_bytes_t){"far", 3}));
    texts_fini(&texts);
}
