// result.h - what workers answer.

#ifndef MOBULA_RESULT_H
#define MOBULA_RESULT_H

#include "state.h"

void result_value(core_t *core, worker_t *worker, const msg_result_t *result);
void result_item(core_t *core, worker_t *worker, const msg_item_t *item);
void result_failure(core_t *core, worker_t *worker, const msg_fail_t *fail);

#endif
