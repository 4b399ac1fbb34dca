// config.h - the broker's settings: one table gives key, environment name, flag, default, range and
// help. Never starts anything.

#ifndef MOBULA_CONFIG_H
#define MOBULA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mobula/types.h"

enum { CONFIG_TEXT_MAX = 256, CONFIG_LIST_MAX = 8 };

typedef char config_text_t[CONFIG_TEXT_MAX];
typedef struct config_list {
    config_text_t items[CONFIG_LIST_MAX];
    size_t count;
} config_list_t;
typedef int64_t config_time_t;  // microseconds; INT64_MAX: forever
typedef uint64_t config_size_t; // bytes
typedef uint64_t config_count_t;
typedef uint32_t config_choice_t; // index into the words of its range

// clang-format off
#define CONFIG_SETTINGS(S) /* type, section, key, flag, default, low, high or words, help */               \
    S(text,   server,   name,        "name",       "local",   0, CONFIG_TEXT_MAX, "",                       \
      "shown everywhere")                                                                                   \
    S(list,   server,   bind,        "bind",       "ipc",     0, 0, "",                                     \
      "where peers call: ipc, ipc:///path/calls.sock or tcp://127.0.0.1:7770; notices and feed next to it") \
    S(text,   server,   data,        "data",       "",        0, CONFIG_TEXT_MAX, "",                       \
      "directory of what must outlive the broker, or :memory:")                                             \
    S(time,   server,   heartbeat,   NULL,         "1s",      100000, 60000000, "",                         \
      "each side says something at least this often")                                                       \
    S(time,   server,   lost_after,  NULL,         "5s",      100000, 60000000, "",                         \
      "a worker or host silent for so long is dead")                                                        \
    S(time,   server,   rejoin,      NULL,         "3s",      0, 3600000000, "",                            \
      "after a restart, before losses are declared")                                                        \
    S(time,   server,   drain,       NULL,         "10s",     0, 3600000000, "",                            \
      "how long running work may take to end after SIGTERM")                                                \
    S(size,   limits,   memory,      NULL,         "512MiB",  16777216, 1099511627776, "",                  \
      "state of the broker; at 80 % new work is refused, at 90 % all but results and control")              \
    S(count,  limits,   connections, NULL,         "10000",   1, 1000000, "",                               \
      "sessions")                                                                                           \
    S(count,  limits,   pending,     NULL,         "10000",   1, 10000000, "",                              \
      "unsettled calls of one session")                                                                     \
    S(count,  limits,   mailbox,     NULL,         "1000",    1, 10000000, "",                              \
      "waiting calls of one actor")                                                                         \
    S(time,   limits,   stuck,       NULL,         "1m",      100000, 3600000000, "",                          \
      "a session that reads nothing of what is sent to it for so long is gone")                             \
    S(time,   limits,   retry_delay, NULL,         "50ms",    1000, 2000000, "",                           \
      "before a task runs again after its worker was lost; then twice as long, up to 2 s")                  \
    S(count,  limits,   poison,      NULL,         "20",      1, 65535, "",                                 \
      "workers that one call may end, however many retries it has")                                         \
    S(count,  limits,   dead_letters, NULL,        "10000",   1, 10000000, "",                              \
      "dead letters kept; then the oldest one goes (mobula dlq)")                                           \
    S(size,   limits,   dead_letter_bytes, NULL,   "256MiB",  1024, 1099511627776, "",                      \
      "what these keep, with their arguments")                                                              \
    S(time,   tasks,    warn_unplaced, NULL,       "10s",     0, INT64_MAX, "",                               \
      "work that no host can run is warned of after so long, then each minute; forever: never")             \
    S(size,   objects,  memory,      NULL,         "256MiB",  1048576, 1099511627776, "",                   \
      "values above 100 KiB that the broker keeps, in each namespace; then new ones are refused")           \
    S(size,   objects,  max,         NULL,         "64MiB",   102400, 67108864, "",                         \
      "one value")                                                                                          \
    S(time,   results,  owner_grace, NULL,         "30s",     1000000, 3600000000, "",                      \
      "how long the things of a silent owner are kept")                                                     \
    S(size,   monitor,  ring,        NULL,         "16MiB",   0, 1073741824, "",                            \
      "flight recorder")                                                                                    \
    S(choice, security, insecure,    "insecure",   "no",      0, 0, "no loopback private-network",          \
      "tcp without keys: on loopback addresses, or also on private ones")                                   \
    S(choice, log,      level,       "log-level",  "info",    0, 0, "debug info warn error",                \
      "the least that is logged")                                                                           \
    S(choice, log,      format,      "log-format", "auto",    0, 0, "auto pretty logfmt json",              \
      "auto: pretty on a terminal, journal prefix under systemd, else logfmt")
// clang-format on

enum { INSECURE_NO, INSECURE_LOOPBACK, INSECURE_PRIVATE };

typedef enum config_origin { // the stronger is the greater
    CONFIG_DEFAULT,
    CONFIG_FILE,
    CONFIG_ENVIRONMENT,
    CONFIG_FLAG
} config_origin_t;

#define S(type, section, key, ...) CONFIG_##section##_##key,
typedef enum config_id { CONFIG_SETTINGS(S) CONFIG_COUNT } config_id_t;
#undef S

typedef struct config {
#define S(type, section, key, ...) config_##type##_t section##_##key;
    CONFIG_SETTINGS(S)
#undef S
    config_origin_t origins[CONFIG_COUNT];
    config_text_t file; // the one that was read; "": none
} config_t;

typedef struct config_row { // for help, `config show` and `config default`
    const char *key, *flag, *fallback, *words, *help; // flag: NULL: none; words: of a choice
    char environment[64];
} config_row_t;

config_row_t config_row(config_id_t id);

// Defaults, then the file (NULL: the first of ./mobula.conf, $XDG_CONFIG_HOME/mobula/mobula.conf,
// /etc/mobula/mobula.conf that exists), then the environment. MOB_EARGS and a sentence in why, with
// file and line, the nearest key, the range. An unknown name in the environment is only told in
// why, with MOB_OK.
mob_err_t config_load(config_t *self, const char *file, char *why, size_t size);

// The value of a flag, the strongest; a list grows. flag is without dashes; value NULL: given bare.
// MOB_ENOTFOUND: no setting has that flag.
mob_err_t config_flag(config_t *self, const char *flag, const char *value, char *why, size_t size);

// One setting by key, from tests and embedders.
mob_err_t config_set(config_t *self, const char *key, const char *value, char *why, size_t size);

// The value as it would be written in a file.
void config_show(const config_t *self, config_id_t id, char *out, size_t size);

#endif
