// error.c - texts of the error codes. Owns no state; a code from a newer peer gets a text, too.

#include "error.h"

const char *mob_strerror(mob_err_t err)
{
    switch (err) {
#define X(id, number, exit, text) \
    case MOB_##id:                \
        return text;
        MOB_ERR_MAP(X)
#undef X
    }
    return "an error that this version does not know";
}

const char *error_name(mob_err_t err)
{
    switch (err) {
#define X(id, number, exit, text) \
    case MOB_##id:                \
        return #id;
        MOB_ERR_MAP(X)
#undef X
    }
    return "?";
}
