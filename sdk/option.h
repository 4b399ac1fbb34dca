// option.h - what a caller wishes, checked once and put into the numbers of the wire. MOB_EARGS
// names the field; what this release cannot do yet is refused by name, never ignored.

#ifndef MOBULA_OPTION_H
#define MOBULA_OPTION_H

#include "message.h"
#include "mobula/mobula.h"

enum { OPTION_TEXT = 2048 }; // room for eight resources and eight lanes

// text: a sentence when it fails, else the room of texts that out points to, besides those of opts.
// out must be written into a message before either ends. method: a call of an actor or a method's
// default, not a task.
mob_err_t option_of_call(const mob_opts_t *opts, bool method, opts_t *out, char *text, size_t size);
mob_err_t option_of_actor(const mob_actor_opts_t *opts, opts_t *out, char *text, size_t size);

// What a host has: text becomes "cpu=2.5 disk=1", without cpu when the slots say it.
mob_err_t option_of_host(const mob_config_t *config, char *text, size_t size);

#endif
