// machine.h - where this process runs: which machine, as far as process ids go, and a name to tell it apart by.

#ifndef MOBULA_WIRE_MACHINE_H
#define MOBULA_WIRE_MACHINE_H

#include <stddef.h>

enum { MACHINE_SIZE = 40, MACHINE_HOST_SIZE = 49, MACHINE_NAME_SIZE = 112 };

// The kernel's boot id; another one after each start, and the same in all containers of a machine. "": unknown.
// Two that say the same see the same kernel.
size_t machine_id(char out[MACHINE_SIZE]);

// The hostname, if we run in a container, a namespace of processes inside the machine's own; else "".
void machine_container(char out[MACHINE_HOST_SIZE]);

// "program-pid"; in a container "program-hostname-pid": there every first process has the same number.
void machine_name(const char *program, char out[MACHINE_NAME_SIZE]);

#endif
