// edge.h - bytes whose end is the end of readable memory: one byte read too far ends the test.

#ifndef MOBULA_TESTS_EDGE_H
#define MOBULA_TESTS_EDGE_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

typedef struct edge {
    uint8_t *page; // EDGE_SIZE readable bytes, then none
} edge_t;

enum { EDGE_SIZE = 64 * 1024, EDGE_GUARD = 4096 };

static inline edge_t edge_open(void)
{
    uint8_t *page = mmap(NULL, EDGE_SIZE + EDGE_GUARD, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page + EDGE_SIZE, EDGE_GUARD, PROT_NONE);
    return (edge_t){page};
}

static inline void edge_close(edge_t *self)
{
    munmap(self->page, EDGE_SIZE + EDGE_GUARD);
}

static inline const uint8_t *edge_put(edge_t *self, const void *data, size_t size)
{
    return size ? memcpy(self->page + EDGE_SIZE - size, data, size) : self->page + EDGE_SIZE;
}

#endif
