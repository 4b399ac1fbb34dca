// Any text as a filter: it is refused with a column inside it, or it compiles and runs on any record.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

static filter_value_t look(void *arg, filter_key_t key)
{
    const char *text = arg;
    if (key % 3 == 0)
        return FILTER_NUMBER(key);
    return key % 3 == 1 ? FILTER_TEXT(text, strlen(text)) : FILTER_NOTHING;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    filter_t filter;
    unsigned column;
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (filter_parse(text, &filter, &column)) {
        filter_verdict_t verdict = filter_match(&filter, look, text);
        if (verdict > FILTER_YES || column != 0)
            abort();
    } else if (column == 0 || column > strlen(text) + 1 || !filter.wrong) {
        abort();
    }
    free(text);
    return 0;
}
