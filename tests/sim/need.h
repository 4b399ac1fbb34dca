// need.h - what hosts have and what bodies ask of them, in a few kinds.

#ifndef MOBULA_SIM_NEED_H
#define MOBULA_SIM_NEED_H

#include "message.h"

enum { NEED_TASKS = 12, NEED_ACTORS = 3, NEED_DISKS = 2 };

// Sets the options of placement. The default is by far the most common: kinds from 0 on, NEED_TASKS of them.
void need_of_task(uint32_t kind, opts_t *out);
void need_of_actor(uint32_t kind, opts_t *out);
uint32_t need_disks(uint32_t kind); // that a running task of this kind takes

mob_bytes_t need_resources(uint32_t slots); // of a host, NEED_DISKS of them with disks
mob_bytes_t need_labels(uint32_t slots);

#endif
