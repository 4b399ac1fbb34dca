// monitor.h - the live tail, for the verb and for the end of demo.

#ifndef MOBULA_TOOLS_MONITOR_H
#define MOBULA_TOOLS_MONITOR_H

#include "tool.h"

// Tail what matches filter until --count, --for or a signal; the exit code. Connected already.
int monitor_tail(tool_t *tool, const char *filter);

#endif
