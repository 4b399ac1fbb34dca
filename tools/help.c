// help.c - the overview and the help of one command, both from the table.

#include <stdio.h>
#include <string.h>

#include "say.h"
#include "verb.h"

static void print_flags(const flag_t *flags)
{
    for (; flags->name; flags++) {
        char left[64], letter[8] = "    ";
        if (flags->letter)
            snprintf(letter, sizeof letter, "-%c, ", flags->letter);
        bool optional = flags->value && flags->value[0] == '[';
        snprintf(left, sizeof left, "%s--%s%s%s", letter, flags->name,
                 flags->value && !optional ? " " : "", flags->value ? flags->value : "");
        printf(strlen(left) > 28 ? "  %s\n%32s%s\n" : "  %-28s  %s%s\n", left, "", flags->help);
    }
}

static void print_lines(const char *text, const char *before)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        printf("%s%.*s\n", before, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void verb_help(const tool_t *tool, const command_t *verb)
{
    bool colour = tool->term.colour_out;
    print_lines(verb->examples, "  $ ");
    printf("\n%smobula %s%s%s%s [FLAGS]    %s\n", term_on(colour, TERM_BOLD), verb->name,
           *verb->usage ? " " : "", verb->usage, term_off(colour), verb->summary);
    if (verb->flags->name)
        puts("\nflags");
    print_flags(verb->flags);
    if (verb->listing) {
        puts("\nof every listing");
        print_flags(verb_list_flags);
    }
    puts("\nof every command");
    print_flags(verb_common_flags);
}

static size_t entry(char *out, size_t size, const command_t *verb)
{
    int length = snprintf(out, size, "%-11s%s", verb->name, verb->summary);
    return length < 0 ? 0 : (size_t)length;
}

// Two commands a line where both fit.
void verb_overview(const tool_t *tool)
{
    static const char *const families[] = {"RUN", "TALK", "WATCH", "MANAGE", "MEASURE", "SETUP"};
    enum { LEFT = 46, RIGHT = 54 };
    bool colour = tool->term.colour_out;
    printf("mobula " MOB_VERSION " - actors, tasks and futures over ZeroMQ      start here: mobula "
           "demo      any command: --help, -o json\n");
    for (const command_t *verb = verbs; verb->name;) {
        family_t family = verb->family;
        for (bool first = true; verb->name && verb->family == family; verb++, first = false) {
            char text[128], next[128];
            size_t size = entry(text, sizeof text, verb);
            const command_t *after = verb + 1;
            bool pair = size < LEFT && after->name && after->family == family &&
                        entry(next, sizeof next, after) <= RIGHT;
            printf("%s%-9s%s%s%*s%s\n", term_on(colour, TERM_BOLD), first ? families[family] : "",
                   term_off(colour), text, pair ? (int)(LEFT - size) : 0, "", pair ? next : "");
            verb += pair;
        }
    }
}
