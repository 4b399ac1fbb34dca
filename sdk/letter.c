// letter.c - dead letters from the caller's side: mob_retry, mob_discard. The epoch that they say is that of the broker whose
// letters are meant, also when they leave for another one.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"

static const char prefix[] = "dl-";

// "dl-9" is 9; 0: no such name.
static uint64_t number_of(const char *name)
{
    size_t skip = sizeof prefix - 1;
    if (!name || strncmp(name, prefix, skip) != 0 || name[skip] < '1' || name[skip] > '9')
        return 0;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(name + skip, &end, 10);
    return *end == '\0' && errno == 0 ? number : 0;
}

static mob_ref_t retry(order_t *order)
{
    mob_t *self = order->self;
    const msg_retry_t msg = {
        .seq = self->seq + 1, .epoch = self->link.epoch, .letter = number_of(order->name)};
    if (msg.letter == 0)
        order_refuse(order, MOB_EARGS, "", "a dead letter is called %sN, not \"%.64s\"", prefix,
                     order->name);
    if (msg.letter == 0 || !order_plain(order))
        return order_refused(order);
    return order_leave(order, message_RETRY(session_room(self), &msg));
}

mob_ref_t mob_retry(mob_t *self, const char *letter)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, letter ? letter : "", FUTURE_OTHER);
    mob_ref_t ref = retry(&order);
    session_unlock(self);
    return ref;
}

static mob_ref_t discard(order_t *order, mob_bytes_t filter)
{
    mob_t *self = order->self;
    bool fits = filter.size <= MOB_TEXT_MAX;
    if (!fits)
        order_refuse(order, MOB_EARGS, "", "a filter of more than %d bytes", MOB_TEXT_MAX);
    if (!fits || !order_plain(order))
        return order_refused(order);
    const msg_discard_t msg = {.seq = self->seq + 1, .epoch = self->link.epoch, .filter = filter};
    return order_leave(order, message_DISCARD(session_room(self), &msg));
}

mob_ref_t mob_discard(mob_t *self, const char *filter)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, "mob_discard", FUTURE_OTHER);
    mob_ref_t ref = discard(&order, (mob_bytes_t){filter ? filter : "", filter ? strlen(filter) : 0});
    session_unlock(self);
    return ref;
}
