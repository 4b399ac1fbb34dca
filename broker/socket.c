// socket.c - see socket.h. Owns no state.

#include "socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

typedef struct option {
    int type, number;
    const char *name;
    size_t size;
    int64_t value;
    bool readable;
} option_t;

static const option_t options[] = {
#define O(type, number, ctype, value, readable) \
    {type, number, #number, sizeof(ctype), value, readable},
    SOCKET_OPTIONS(O)
#undef O
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

bool socket_seed(void)
{
    unsigned seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return false;
    srand(seed);
    return true;
}

static bool option_set(const option_t *self, void *socket)
{
    int narrow = (int)self->value;
    const void *value = self->size == sizeof narrow ? (const void *)&narrow : &self->value;
    return zmq_setsockopt(socket, self->number, value, self->size) == 0;
}

static bool option_holds(const option_t *self, void *socket)
{
    int narrow = 0;
    int64_t wide = 0;
    size_t size = self->size;
    void *value = size == sizeof narrow ? (void *)&narrow : &wide;
    if (zmq_getsockopt(socket, self->number, value, &size) != 0)
        return false;
    return self->value == (size == sizeof narrow ? narrow : wide);
}

static bool options_apply(void *socket, int type, char *why, size_t size)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const option_t *option = &options[i];
        if (option->type != type)
            continue;
        if (!option_set(option, socket) || (option->readable && !option_holds(option, socket))) {
            snprintf(why, size, "libzmq does not take %s", option->name);
            return false;
        }
    }
    return true;
}

void *socket_new(void *zmq, socket_kind_t kind, char *why, size_t size)
{
    int type = kind == SOCKET_CALLS ? ZMQ_ROUTER : ZMQ_PUB;
    void *self = zmq_socket(zmq, type);
    if (self == NULL)
        snprintf(why, size, "no socket: %s", zmq_strerror(zmq_errno()));
    else if (!options_apply(self, type, why, size))
        socket_close(&self, true);
    return self;
}

void socket_close(void **self_p, bool at_once)
{
    if (*self_p == NULL)
        return;
    int none = 0;
    if (at_once)
        zmq_setsockopt(*self_p, ZMQ_LINGER, &none, sizeof none);
    zmq_close(*self_p);
    *self_p = NULL;
}
