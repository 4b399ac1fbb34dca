// lane.c - see lane.h.

#include "lane.h"

#include <string.h>

#include "label.h"

static bool read_width(mob_bytes_t text, uint32_t *out)
{
    *out = 0;
    const char *digits = text.data;
    for (size_t i = 0; i < text.size && *out <= LANE_WIDTH_MAX; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        *out = 10 * *out + (uint32_t)(digits[i] - '0');
    }
    return *out >= 1 && *out <= LANE_WIDTH_MAX;
}

bool lanes_read(mob_bytes_t text, lanes_t *out)
{
    label_t label;
    label_got_t got;
    out->count = 0;
    while ((got = label_next(&text, &label)) == LABEL_GOT) {
        uint32_t width;
        if (label.differs || out->count == LANES_MAX || lanes_find(out, label.key) ||
            !read_width(label.value, &width))
            return false;
        out->at[out->count].name = label.key;
        out->at[out->count++].width = width;
    }
    return got == LABEL_END;
}

uint32_t lanes_find(const lanes_t *self, mob_bytes_t name)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (self->at[i].name.size == name.size &&
            memcmp(self->at[i].name.data, name.data, name.size) == 0)
            return i + 1;
    return 0;
}
