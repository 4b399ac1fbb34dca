// party.h - processes of a measurement: started, spoken to by lines, ended by pid whatever happens.

#ifndef MOBULA_BENCH_PARTY_H
#define MOBULA_BENCH_PARTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct party {
    pid_t pid;
    int in, out; // its stdin and stdout
} party_t;

// Start a program; its stderr goes to `log` (a path), appended. It dies with us. False: said on stderr.
bool party_start(party_t *self, const char *log, char *const argv[]);
bool party_read(party_t *self, char *line, size_t size, int seconds); // one line; false: ended, or time is over
void party_tell(party_t *self);   // an empty line
void party_end(party_t *self);    // SIGTERM, then SIGKILL after 3 s; reaped
void party_end_all(void);         // everything that was started and not ended
int party_free_port(void);        // of loopback, below the ephemeral range, this and the next two; 0: none
bool party_listens(const char *ipc_path, int port, int seconds); // wait until somebody answers there

#endif
