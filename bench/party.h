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

// Start a program; its stderr is appended to the file log. It dies with us. False: said on stderr.
bool party_start(party_t *self, const char *log, char *const argv[]);
// One line, with its end. False: the process has ended, time is over, or a signal came.
bool party_read(party_t *self, char *line, size_t size, int seconds);
void party_tell(party_t *self); // an empty line
void party_end(party_t *self);  // SIGTERM, then SIGKILL after 3 s; reaped
void party_end_all(void);       // everything that was started and not ended, the last first
// A port of loopback below the ephemeral range, free with the next two; 0: none.
int party_free_port(void);
// Wait until somebody answers there: at the socket file, or at the port if that is NULL.
bool party_listens(const char *ipc_path, int port, int seconds);

#endif
