// broker.h - a broker from the outside: start, drain, stop. Puts the parts together and owns none
// of the rules: those are in core/.

#ifndef MOBULA_BROKER_H
#define MOBULA_BROKER_H

#include <stddef.h>

#include "config.h"

typedef struct broker broker_t;

// In the foreground, until SIGTERM or SIGINT: then it drains; a second signal ends it at once. The
// caller has made no thread yet and no ZeroMQ context. Gives the exit status: 0 ended as asked, 2
// could not start (the log on stderr says why).
int broker_run(const config_t *config);

// In a thread of this process, which keeps its signals. Comes back when the broker is ready; NULL
// with a sentence in why. config is copied. The first broker of a process is started before other
// threads use ZeroMQ.
broker_t *broker_start(const config_t *config, char *why, size_t size);
const char *broker_address(const broker_t *self); // the first calls socket: what clients dial
void broker_stop(broker_t **self_p);              // drains, server/drain at most; nulls

#endif
