// notices.h - whether a story's brokers drop every notice: the suite is played once like that (deaf.sh).

#ifndef MOBULA_TESTS_SDK_NOTICES_H
#define MOBULA_TESTS_SDK_NOTICES_H

#include <stdbool.h>

bool without_notices(void);
void needs_notices(const char *why); // skips this story there

#endif
