// init.c - init: writes a project that builds as it is, from the files of template/. Never
// overwrites.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "say.h"
#include "verb.h"

// The text of a file, put into the program as it is.
#define TEMPLATE(symbol, file)                                                                   \
    __asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" file "\"\n.byte 0\n.popsection\n"); \
    extern const char symbol[] __attribute__((visibility("hidden")))

TEMPLATE(template_cmake, "template/CMakeLists.txt");
TEMPLATE(template_contract, "template/contract.h");
TEMPLATE(template_bodies, "template/bodies.c");
TEMPLATE(template_worker, "template/worker.c");
TEMPLATE(template_main, "template/main.c");
TEMPLATE(template_test, "template/test.c");
TEMPLATE(template_readme, "template/README.md");

static const struct {
    const char *name, *text; // @NAME@ in both
} files[] = {{"CMakeLists.txt", template_cmake}, {"@NAME@.contract.h", template_contract},
             {"bodies.c", template_bodies},      {"worker.c", template_worker},
             {"main.c", template_main},          {"test.c", template_test},
             {"README.md", template_readme}};

// Text with @NAME@ and @UPPER@ replaced.
static void fill(FILE *to, const char *text, const char *name)
{
    while (*text) {
        bool plain = strncmp(text, "@NAME@", 6) == 0, upper = strncmp(text, "@UPPER@", 7) == 0;
        for (const char *at = name; (plain || upper) && *at; at++)
            fputc(upper && *at >= 'a' && *at <= 'z' ? *at - 32 : *at, to);
        if (!plain && !upper)
            fputc(*text, to);
        text += plain ? 6 : upper ? 7 : 1;
    }
}

static bool is_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return size > 0 && size <= 64 && name[size] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

static int refused(tool_t *tool, const char *path)
{
    trouble_t out =
        trouble(errno == EEXIST ? MOB_EEXISTS : MOB_EDENIED, "%s: %s", path, strerror(errno));
    trouble_cause(&out, "nothing is overwritten");
    return say_trouble(tool, &out);
}

static int write_one(tool_t *tool, const char *name, size_t index)
{
    char path[256];
    snprintf(path, sizeof path, "%s/", name);
    FILE *file = fmemopen(path + strlen(path), sizeof path - strlen(path), "w");
    if (!file)
        return refused(tool, path);
    fill(file, files[index].name, name);
    fclose(file);
    file = fopen(path, "wxe");
    if (!file)
        return refused(tool, path);
    fill(file, files[index].text, name);
    return fclose(file) == 0 ? 0 : refused(tool, path);
}

int init(tool_t *tool)
{
    const char *name = tool->words[0];
    if (!is_name(name)) {
        trouble_t out =
            trouble_usage("a name of lower-case letters, digits and _ is wanted, not \"%s\"", name);
        trouble_try(&out, "mobula init hello");
        return say_trouble(tool, &out);
    }
    int wrong = mkdir(name, 0777) == 0 ? 0 : refused(tool, name);
    for (size_t i = 0; i < sizeof files / sizeof *files && !wrong; i++)
        wrong = write_one(tool, name, i);
    if (!wrong)
        say_note(tool, "next:  cd %s && cmake -B build && cmake --build build && build/%s", name,
                 name);
    return wrong;
}
