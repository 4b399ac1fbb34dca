// shop.contract.h - what worker.c offers and caller.c calls. Both include it.

#ifndef SHOP_CONTRACT_H
#define SHOP_CONTRACT_H

#define MOB_RECORDS(X) X(item)
#include <mobula/contract.h>

MOB_RECORD(item, (str, name), (i64, cents), (i64, pieces));

MOB_TASK(price, i64, (item, what));

#define BASKET(METHOD)                     \
    METHOD(basket, put, i64, (item, what)) \
    METHOD(basket, cents, i64)
MOB_ACTOR(basket, BASKET);

#endif
