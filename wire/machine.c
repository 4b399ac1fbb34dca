// machine.c - see machine.h. Not /etc/machine-id: a container, or a system fresh from its packages, has none.

#include "machine.h"

#include <stdio.h>
#include <string.h>

size_t machine_id(char out[MACHINE_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    out[0] = '\0';
    if (file && !fgets(out, MACHINE_SIZE, file))
        out[0] = '\0';
    if (file)
        fclose(file);
    size_t size = strcspn(out, "\n");
    out[size] = '\0';
    return size;
}
