// brood.h - the processes that demo and bench start: this program again as a host, ended by pid.

#ifndef MOBULA_TOOLS_BROOD_H
#define MOBULA_TOOLS_BROOD_H

#include <sys/types.h>

#include "broker.h"
#include "tool.h"

enum { BROOD_HOSTS_MAX = 16 };

typedef struct brood {
    pid_t hosts[BROOD_HOSTS_MAX];
    unsigned count;
    int log;            // what they print: shown when something went wrong; 0: not open yet
    broker_t *broker;   // NULL: one that was there
    char directory[64]; // private, removed at the end; "": none
    char address[ENDPOINT_MAX];
} brood_t;

// The broker that -b or the environment names, or that listens on the usual socket; else one of our
// own.
int brood_find(tool_t *tool, brood_t *self);

// A broker of our own, in a thread: on the usual socket, or in a private directory when one is
// there. 0 or the exit code after the error was said. Before any other thread or ZeroMQ context.
int brood_broker(tool_t *tool, brood_t *self);
int brood_host(tool_t *tool, brood_t *self, const char *name, unsigned slots);
int brood_connect(tool_t *tool, brood_t *self);                // a client of it, in tool
int brood_bench(tool_t *tool, brood_t *self, unsigned slots);  // all of it: one host that serves
int brood_wait(tool_t *tool, const brood_t *self, int64_t us); // until every host serves
void brood_end(brood_t *self); // at most a second or so, then by force

#endif
