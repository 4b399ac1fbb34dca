// term.c - looks at the terminal once. Never reads from it.

#include "term.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static bool wants_colour(const char *when, bool terminal)
{
    if (strcmp(when, "always") == 0)
        return true;
    if (strcmp(when, "never") == 0 || is_set("NO_COLOR"))
        return false;
    const char *force = getenv("CLICOLOR_FORCE"), *kind = getenv("TERM");
    if (force && *force && strcmp(force, "0") != 0)
        return true;
    return terminal && !(kind && strcmp(kind, "dumb") == 0);
}

static unsigned width_of(bool terminal)
{
    struct winsize size = {0};
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int width = columns ? atoi(columns) : 0;
    return width >= 20 ? (unsigned)width : 100;
}

term_t term_look(const char *when)
{
    setlocale(LC_CTYPE, "");
    term_t self = {.out = isatty(STDOUT_FILENO), .err = isatty(STDERR_FILENO)};
    self.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    self.colour_out = wants_colour(when, self.out);
    self.colour_err = wants_colour(when, self.err);
    self.width = width_of(self.out);
    return self;
}

const char *term_on(bool colour, term_colour_t which)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[31m", "\033[32m",
                                        "\033[33m", "\033[34m", "\033[2m"};
    return colour ? codes[which] : "";
}

const char *term_off(bool colour)
{
    return colour ? "\033[0m" : "";
}

const char *term_arrow(const term_t *self)
{
    return self->utf8 ? "\u2192" : "->";
}

// Of UTF-8 when the locale is; else one a byte. What cannot be decoded counts as one.
size_t term_columns(const char *text)
{
    size_t columns = 0, size = strlen(text);
    mbstate_t state = {0};
    while (size > 0) {
        wchar_t c;
        size_t took = mbrtowc(&c, text, size, &state);
        if (took == 0 || took > size) {
            took = 1;
            memset(&state, 0, sizeof state);
            columns++;
        } else {
            int width = wcwidth(c);
            columns += width > 0 ? (size_t)width : 0;
        }
        text += took, size -= took;
    }
    return columns;
}

void term_bar(const term_t *self, const char *label, uint64_t done, uint64_t all)
{
    enum { WIDTH = 30 };
    char bar[WIDTH + 1];
    if (!self->err)
        return;
    uint64_t full = all ? done * WIDTH / all : WIDTH;
    for (uint64_t i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%s   [%s] %" PRIu64 "%%\033[K", label, bar, all ? done * 100 / all : 100);
    fflush(stderr);
}

void term_wipe(const term_t *self)
{
    if (self->err)
        fputs("\r\033[K", stderr);
}
