// work.h - the work of bodies: time that passes until they are done. What a test waits for is never this.

#ifndef MOBULA_TESTS_WORK_H
#define MOBULA_TESTS_WORK_H

#include "mobula/worker.h"

int64_t work_ms(const mob_ctx_t *ctx,
                int64_t ms); // until it is called off; gives ms, or how many it came to. NULL: deaf
void work_us(int64_t us);

#endif
