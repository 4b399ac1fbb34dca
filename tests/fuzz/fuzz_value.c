// fuzz_value.c - any bytes as a payload: read by every kind, as JSON, as a failure, with
// dependencies put in; and what was read as one value can be written again.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "value.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

// The kinds to read come from the first byte on.
static void read_kinds(load_t load, const uint8_t *kinds, size_t count, arena_t *arena)
{
    mob_reader_t reader = reader_of(load, arena);
    for (size_t i = 0; i < count && !reader.err; i++) {
        mob_value_t value = mob_read(&reader, (mob_kind_t)(kinds[i] % (MOB_KIND_ANY + 1)));
        check(reader.next <= reader.end);
        if (value.kind == MOB_KIND_LIST || value.kind == MOB_KIND_MAP)
            check(value.list.count <= load.size);
        if (value.kind == MOB_KIND_STR)
            check(((const char *)value.bytes.data)[value.bytes.size] == '\0');
    }
}

static void copy_raw(load_t load)
{
    size_t count = 0;
    mob_writer_t writer;
    writer_init(&writer);
    mob_write(&writer, (mob_value_t){.kind = MOB_KIND_RAW, .bytes = {load.data, load.size}});
    if (value_check(load, &count) && load.size <= 100 * 1024) {
        check(writer.err == MOB_OK && writer.pack.size == load.size);
        check(load.size == 0 || memcmp(writer.pack.data, load.data, load.size) == 0);
    } else {
        check(writer.err != MOB_OK);
    }
    writer_fini(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const load_t load = load_bytes(data, size);
    const load_t deps[] = {load_bytes("\xa1x", 2), load_bytes("\x92\x01\x02", 3), load};
    arena_t arena = {0};
    pack_t out = PACK_INIT;
    failure_t failure;
    char *text;
    read_kinds(load, data, size, &arena);
    copy_raw(load);
    if (value_json(load, &text))
        check(strlen(text) > 0);
    free(text);
    if (value_splice(&out, load, deps, 3))
        check(value_check(load_bytes(out.data, out.size), NULL));
    failure_unpack(load, &arena, &failure);
    check(failure.why && failure.log);
    pack_fini(&out);
    arena_clear(&arena);
    return 0;
}
