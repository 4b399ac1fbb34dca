// machine.h - which machine this is, as far as process ids go: two that say the same see the same kernel.

#ifndef MOBULA_WIRE_MACHINE_H
#define MOBULA_WIRE_MACHINE_H

#include <stddef.h>

enum { MACHINE_SIZE = 40 };

// The kernel's boot id; another one after each start, and the same in all containers of a machine. "": unknown.
size_t machine_id(char out[MACHINE_SIZE]);

#endif
