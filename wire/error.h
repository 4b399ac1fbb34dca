// error.h - an error code as a word.

#ifndef MOBULA_WIRE_ERROR_H
#define MOBULA_WIRE_ERROR_H

#include "mobula/types.h"

// "EDEAD" of MOB_EDEAD; "?" for a number that this version does not know.
const char *error_name(mob_err_t err);

#endif
