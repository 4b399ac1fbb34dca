// options.h - the numbers that options share with the public API, without its functions.

#ifndef MOBULA_OPTIONS_H
#define MOBULA_OPTIONS_H

enum { MOB_RETRY_MAX = 4 }; // as in mobula.h
enum { MOB_CANCEL_FORCE = 1, MOB_CANCEL_ALONE = 2 };
enum { MOB_STOP_DRAIN, MOB_STOP_NOW, MOB_STOP_RESTART };
enum { MOB_NOT_EXECUTED, MOB_MAYBE_EXECUTED, MOB_EXECUTED };
#define MOB_FOREVER (-1)
#define MOB_NONE (-2)
#define MOB_STREAM (-3)
#define MOB_ANY_CODE (-1000)

#endif
