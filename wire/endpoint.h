// endpoint.h - addresses: the local runtime directory, or what the user said. Refuses what would bite.

#ifndef MOBULA_WIRE_ENDPOINT_H
#define MOBULA_WIRE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "mobula/types.h"

enum { ENDPOINT_MAX = 256 };

// The directory of the local broker's sockets: $XDG_RUNTIME_DIR/mobula, /run/mobula (root), else
// /tmp/mobula-UID.
void endpoint_directory(char *out, size_t size);

// Make it (0700) if make is set, then check: a directory, no link, ours, not open to others.
// MOB_EDENIED with a sentence in why otherwise; MOB_ENOTFOUND when it does not exist.
mob_err_t endpoint_check_directory(const char *path, bool make, char *why, size_t size);

// What a client dials: text as given (NULL: $MOBULA_BROKER, else the local socket), one of a comma
// list by index. "host", "host:port", "tcp://...", "ipc://path", a directory, a path that ends in .sock,
// or "ipc" for the local socket become a ZeroMQ address in out. MOB_EARGS with a sentence in why: another
// transport, ipc path above 107 bytes, a port inside the ephemeral range. MOB_EDENIED: the local directory,
// or one given, is there and not safe. MOB_EEND: the list is shorter.
mob_err_t endpoint_dial(const char *text, size_t index, char *out, size_t size, char *why,
                        size_t why_size);

// A calls port to bind or dial: MOB_EARGS when it or those of its siblings lie in the ephemeral range.
mob_err_t endpoint_check_port(unsigned port, char *why, size_t size);

// The address of a sibling socket (notices, feed): for ipc "calls.sock" becomes name + ".sock" beside
// it; for tcp the port grows by offset.
bool endpoint_sibling(const char *calls, const char *name, int offset, char *out, size_t size);

#endif
