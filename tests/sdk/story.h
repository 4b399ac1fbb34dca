// story.h - what the stories of sdk/ begin and end with: a crew or a stage, the connection that most of them are
// told by, and what they ask about a ref or the broker.

#ifndef MOBULA_TESTS_SDK_STORY_H
#define MOBULA_TESTS_SDK_STORY_H

#include "mobula/contract.h"

enum { SOON = 20000 }; // ms: what comes at all has come by then

extern mob_t *m;            // NULL until it is opened
extern struct crew crew;    // crew.h: every part a process
extern struct stage *stage; // stage.h: the hosts are in this process

void raise_crew(const mob_def_t *defs,
                const char *flags[]); // broker and host; no connection: one may fork
void open_crew(const mob_def_t *defs, const char *flags[]); // and m. flags: as of crew_start_host()
void close_crew(void);
void open_stage(const mob_def_t *defs, const char *const settings[]); // settings: as of stage_open()
void close_stage(void);

int64_t now_ms(void); // monotonic

int64_t value_of(mob_ref_i64 ref);
int64_t value_at(mob_t *client, mob_ref_i64 ref);
mob_info_t failure_of(mob_ref_t ref, mob_err_t expected);
int64_t count_of(mob_t *client, const char *name);                   // of `mobula status`
size_t rows_of(mob_t *client, const char *noun, const char *filter); // of `mobula list`

#endif
