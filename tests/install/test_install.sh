#!/bin/bash
# test_install.sh - an installed mobula as users meet it: found by pkg-config and by find_package, linked,
# called, moved elsewhere; the library exports what the headers declare and nothing else; the binaries carry
# the traces of their hardening.
set -u
export LC_ALL=C
build=${MOBULA_BUILD:?} source=${MOBULA_SOURCE:?}
# shellcheck source-path=SCRIPTDIR source=../support/checks.bash
. "$(dirname "$0")/../support/checks.bash"

install_and_move() {
    cmake --install "$build" --prefix "$dir/first" && mv "$dir/first" "$dir/usr" &&
        "$dir/usr/bin/mobula" version && "$dir/usr/bin/mobula-broker" --help
}

libdir() { dirname "$(find "$dir/usr" -name libmobula.so)"; }

by_pkg_config() {
    PKG_CONFIG_PATH=$(libdir)/pkgconfig
    export PKG_CONFIG_PATH
    pkg-config --exact-version=0.1.0 mobula || pkg-config --atleast-version=0.1 mobula || return 1
    for program in worker caller; do
        # shellcheck disable=SC2046
        cc -Wall -Wextra -Werror -o "$dir/$program" "$source/examples/$program.c" $(pkg-config --cflags --libs mobula) || return 1
    done
}

static_too() {
    PKG_CONFIG_PATH=$(libdir)/pkgconfig
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046
    cc -o "$dir/static" "$source/examples/01_hello.c" $(pkg-config --cflags mobula) "$(libdir)/libmobula.a" \
        $(pkg-config --libs libzmq mpack) -lpthread -lm
}

by_find_package() {
    mkdir -p "$dir/project"
    cat >"$dir/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(mobula 0.1 CONFIG REQUIRED)
add_executable(hello $source/examples/01_hello.c)
target_link_libraries(hello PRIVATE mobula::mobula)
END
    CMAKE_PREFIX_PATH=$dir/usr cmake -S "$dir/project" -B "$dir/project/build" && cmake --build "$dir/project/build"
}

other_version_is_refused() {
    sed -i 's/mobula 0.1/mobula 0.2/' "$dir/project/CMakeLists.txt"
    CMAKE_PREFIX_PATH=$dir/usr cmake -S "$dir/project" -B "$dir/project/other" 2>&1 | tr -d '\n' | grep 'compatible *with requested version "0.2"'
}

they_talk() {
    LD_LIBRARY_PATH=$(libdir)
    export LD_LIBRARY_PATH
    MOBULA_BIN=$dir/usr/bin/mobula "$source/tests/support/with_broker.sh" \
        "$source/tests/support/with_worker.sh" "$dir/worker" -- \
        "$source/tests/support/same_output.sh" "$source/examples/expected/caller.txt" "$dir/caller"
}

# What the headers declare outside static inline functions.
declared() {
    sed 's,//.*,,' "$dir"/usr/include/mobula/{types,mobula,worker,pool}.h | grep -vE '^ *#|^extern' | tr '\n' ' ' |
        sed 's/{[^{}]*}//g; s/{[^{}]*}//g; s/{[^{}]*}//g; s/static inline [^()]*([^()]*)//g' | tr ';' '\n' |
        grep -v typedef | grep -oE '\bmob_[a-z_0-9]+\(' | tr -d '(' | sort -u
}

exports_match() {
    declared >"$dir/declared"
    nm -D --defined-only "$(libdir)/libmobula.so" | awk '{ print $3 }' | sed "s,@.*,," | grep -v "^MOBULA_0" | sort -u >"$dir/exported"
    [ "$(wc -l <"$dir/exported")" -ge 40 ] && diff "$dir/declared" "$dir/exported"
}

hardened() { # FILE...
    for file; do
        readelf -hW "$file" | grep -q 'DYN' || { echo "$file: not position independent"; return 1; }
        readelf -lW "$file" | grep -q GNU_RELRO || { echo "$file: no RELRO"; return 1; }
        readelf -dW "$file" | grep -qE 'BIND_NOW|FLAGS_1.*NOW' || { echo "$file: lazy binding"; return 1; }
        readelf -lW "$file" | grep GNU_STACK | grep -q 'RW ' || { echo "$file: executable stack"; return 1; }
        readelf -sW "$file" | grep -q __stack_chk_fail || { echo "$file: no stack protector"; return 1; }
        readelf -sW "$file" | grep -qE '__[a-z]+_chk@' || { echo "$file: not fortified"; return 1; }
        [ "$(uname -m)" != x86_64 ] || [ "$(objdump -d "$file" | grep -c endbr64)" -gt 20 ] || { echo "$file: no landing pads"; return 1; }
    done
}

check 'it installs, and works where it was moved to' install_and_move
check 'programs build by pkg-config' by_pkg_config
check 'programs build with the static library' static_too
check 'programs build by find_package' by_find_package
check 'another minor version is refused' other_version_is_refused
check 'worker and caller built that way talk' they_talk
check 'the library exports what the headers declare, and nothing else' exports_match
check 'the binaries are hardened' hardened "$dir/usr/bin/mobula" "$(libdir)/libmobula.so"
echo "1..$number"
[ $bad -eq 0 ]
