#!/usr/bin/env bats
# init.bats - the project that init writes is configured, built, tested and served as it is, against an installed mobula.

load stage

setup_file() { start_stage; }
teardown_file() { end_stage; }

@test "init writes a project that builds, passes and serves" {
    if ldd "$mobula" | grep -q san; then skip "a sanitizer in the library would have to be in the project, too"; fi
    cmake --install "$MOBULA_BUILD" --prefix "$stage/prefix" >/dev/null
    cd "$stage"
    run "$mobula" init hello_there
    [ "$status" -eq 0 ]
    cd hello_there
    cmake -B build -DCMAKE_PREFIX_PATH="$stage/prefix" -DCMAKE_C_FLAGS='-Wall -Wextra -Werror' >/dev/null
    cmake --build build >/dev/null
    ctest --test-dir build >/dev/null
    build/hello_there --slots 1 2>"$stage/host.log" 3>&- &
    echo $! >>"$stage/pids"
    wait_for MOB-READY "$stage/host.log"
    run build/hello_there-caller
    [ "$status" -eq 0 ]
    [ "$output" = $'hello, world\n15' ]
    run "$mobula" run hello world
    [ "$output" = "hello, world" ]
}

@test "init overwrites nothing, and wants a name that C can say" {
    cd "$stage"
    mkdir there
    run "$mobula" init there
    [ "$status" -eq 5 ]
    [[ $output == *"nothing is overwritten"* ]]
    run "$mobula" init 9lives
    [ "$status" -eq 2 ]
}
