// machine.c - see machine.h. Not /etc/machine-id: a container, or a system fresh from its packages, has none.

#include "machine.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char OUTERMOST[] = "pid:[4026531836]"; // the kernel's PROC_PID_INIT_INO

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

void machine_container(char out[MACHINE_HOST_SIZE])
{
    char space[64], host[HOST_NAME_MAX + 1] = "";
    ssize_t got = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[got > 0 ? got : 0] = '\0';
    out[0] = '\0';
    if (got > 0 && strcmp(space, OUTERMOST) != 0 && gethostname(host, sizeof host - 1) == 0)
        snprintf(out, MACHINE_HOST_SIZE, "%.*s", MACHINE_HOST_SIZE - 1, host);
}

void machine_name(const char *program, char out[MACHINE_NAME_SIZE])
{
    char host[MACHINE_HOST_SIZE];
    machine_container(host);
    snprintf(out, MACHINE_NAME_SIZE, "%.48s%s%s-%d", program, *host ? "-" : "", host, (int)getpid());
}
