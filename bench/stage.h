// stage.h - where a measurement takes place: a private directory, its log, and an end that cleans
// up whatever happened. Every program here opens it first and closes it last.

#ifndef MOBULA_BENCH_STAGE_H
#define MOBULA_BENCH_STAGE_H

#include <stdbool.h>
#include <stddef.h>

enum { STAGE_PATH = 160, STAGE_ADDRESS = STAGE_PATH + 8 };

// Make the directory, name it XDG_RUNTIME_DIR; from now on SIGINT and SIGTERM only interrupt waits.
bool stage_open(void);
// End every process of party.h, show the log's end if it went wrong, remove the directory. Gives
// the exit status.
int stage_close(bool good);
void stage_path(char out[STAGE_PATH], const char *name); // of a file in the directory
const char *stage_log(void);                             // where processes write their stderr

#endif
