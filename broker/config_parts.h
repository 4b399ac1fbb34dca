// config_parts.h - what config.c (values) and config_load.c (where they come from) share.

#ifndef MOBULA_CONFIG_PARTS_H
#define MOBULA_CONFIG_PARTS_H

#include <stdio.h>

#include "config.h"

typedef struct say { // where a refusal is written
    char *why;
    size_t size;
} say_t;

#define REFUSE(say, err, ...) (snprintf((say).why, (say).size, __VA_ARGS__), (err))

config_id_t config_find(const char *name); // "section/key"; CONFIG_COUNT: none
void config_key_name(config_id_t id, char *out, size_t size);
void config_environment_name(config_id_t id, char *out, size_t size);

// The nearest of all names as that function gives them.
void config_nearest(const char *text, void (*name)(config_id_t, char *, size_t), char *out,
                    size_t size);

// A list that comes again from the same origin grows; from a stronger one it starts anew.
mob_err_t config_assign(config_t *self, config_id_t id, config_origin_t origin, const char *text,
                        say_t say);

#endif
