// haul.c - see haul.h.

#include "haul.h"

#include <stdlib.h>
#include <string.h>

static haul_t *find(haul_t *list, mob_ref_t ref, uint32_t part)
{
    while (list && !(mob_same(list->ref, ref) && list->part == part))
        list = list->next;
    return list;
}

haul_t *haul_add(haul_t **list, mob_ref_t ref, uint32_t part)
{
    haul_t *haul = find(*list, ref, part);
    if (haul)
        return haul;
    haul = calloc(1, sizeof *haul);
    if (!haul)
        abort();
    *haul = (haul_t){.next = *list, .ref = ref, .part = part};
    return *list = haul;
}

void haul_ask(const haul_t *self, batch_t *out)
{
    message_FETCH(out, &(msg_fetch_t){.ref = self->ref,
                                      .part = self->part,
                                      .offset = self->have,
                                      .count = DEED_PAYLOAD - self->have});
}

haul_t *haul_data(haul_t *list, const msg_data_t *data)
{
    haul_t *haul = find(list, data->ref, data->part);
    bool next = haul && data->offset == haul->have && haul->have + data->bytes.size <= DEED_PAYLOAD;
    if (!next || data->bytes.size == 0)
        return NULL;
    memcpy(haul->bytes + haul->have, data->bytes.data, data->bytes.size);
    haul->have += data->bytes.size;
    return haul->have == DEED_PAYLOAD ? haul : NULL;
}

void haul_end(haul_t **list, haul_t **haul_p)
{
    while (*list != *haul_p)
        list = &(*list)->next;
    *list = (*haul_p)->next;
    free(*haul_p);
    *haul_p = NULL;
}

void hauls_free(haul_t **list)
{
    for (haul_t *haul; (haul = *list); haul_end(list, &haul))
        ;
}

void haul_say_piece(batch_t *out, uint64_t seq, load_t payload, uint32_t index, uint32_t count)
{
    uint32_t from = payload.size * index / count, to = payload.size * (index + 1) / count;
    message_PIECE(out,
                  &(msg_piece_t){.seq = seq, .bytes = load_bytes(payload.data + from, to - from)});
}
