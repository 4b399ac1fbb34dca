#!/bin/bash
# test_mistakes.sh - every mistake of mistakes.txt must be refused by gcc and clang as careful users call them
# (-Wall -Wextra -Werror), and every right program must pass. Most mistakes are refused with the flags alone
# that our CMake target and mobula.pc hand out; how many, it says at the end.
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
strict=(-Wall -Wextra -Werror)
handed_out=(-Werror=incompatible-pointer-types -Werror=implicit-function-declaration -Werror=int-conversion)
include=(-I"$top/wire/include" -I"$top/sdk/include" -I"$here")
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
number=0 bad=0 weak=0 wrong=0

compiles() { # COMPILER flags...
    local compiler=$1
    shift
    "$compiler" -std=gnu11 "$@" "${include[@]}" -c -o "$dir/case.o" "$dir/case.c" >"$dir/says" 2>&1
}

report() { # RIGHT-OR-NOT text
    number=$((number + 1))
    if [ "$1" = yes ]; then
        echo "ok $number $2"
    else
        bad=$((bad + 1))
        echo "not ok $number $2"
        sed 's/^/# /' "$dir/says" | head -5
    fi
}

while IFS= read -r line; do
    case $line in '#'* | '') continue ;; esac
    line="$line "
    kind=${line%% | *} rest=${line#* | }
    what=${rest%% | *} rest=${rest#* | }
    statements=${rest%% | *} top_level=${rest#* | }
    what=${what%"${what##*[! ]}"}
    cat >"$dir/case.c" <<END
#include "contract.h"
$top_level
int f(mob_t *m, mob_ctx_t *ctx, counter_h c);
int f(mob_t *m, mob_ctx_t *ctx, counter_h c)
{
    (void)m; (void)ctx; (void)c;
    $statements
    return 0;
}
END
    for compiler in gcc clang; do
        if [ "${kind%% *}" = right ]; then
            compiles $compiler "${strict[@]}" && good=yes || good=no
        else
            wrong=$((wrong + 1))
            compiles $compiler "${strict[@]}" && good=no || good=yes
            [ "$good" = no ] || ! compiles $compiler "${handed_out[@]}" || weak=$((weak + 1))
        fi
        report "$good" "$compiler: ${kind%% *}: $what"
    done
done <"$here/mistakes.txt"

# What only the linker can see: a constructor with arguments that nobody wrote.
cat >"$dir/case.c" <<'END'
#include "contract.h"
mob_err_t counter_add(mob_ctx_t *ctx, counter_t *self, int64_t by, int64_t *out) { (void)ctx; (void)self; *out = by; return MOB_OK; }
mob_err_t counter_value(mob_ctx_t *ctx, counter_t *self, int64_t *out) { (void)ctx; (void)self; *out = 1; return MOB_OK; }
int main(int argc, char **argv) { return mob_main(argc, argv, mob_actor(counter, COUNTER)); }
END
for compiler in gcc clang; do
    compiles $compiler "${strict[@]}" &&
        ! $compiler -o "$dir/x" "$dir/case.o" -Wl,--unresolved-symbols=report-all >"$dir/says" 2>&1 &&
        grep -q counter_init "$dir/says" && good=yes || good=no
    report "$good" "$compiler: wrong: a constructor that is not written does not link"
done

echo "1..$number"
echo "# $wrong mistakes refused or not by two compilers, $bad cases bad; $weak only with -Wall -Werror"
[ $bad -eq 0 ] && [ $wrong -ge 108 ]
