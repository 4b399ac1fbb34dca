#!/bin/bash
# test_dev.sh - what ./dev promises on its own: usage and exit codes, nothing installed when that is forbidden,
# works from any directory. dpkg-query and apt-get are stand-ins here: nothing is really installed.
set -u
source=${MOBULA_SOURCE:?}
dir=$(mktemp -d "${TMPDIR:-/tmp}/mobula-dev-XXXXXX") && trap 'rm -rf "$dir"' EXIT
number=0 bad=0

check() { # TEXT EXPECTED-EXIT PATTERN command...
    local text=$1 want=$2 pattern=$3
    shift 3
    number=$((number + 1))
    (cd "$dir" && "$@") >"$dir/says" 2>&1
    local got=$?
    if [ $got -eq "$want" ] && { [ -z "$pattern" ] || grep -qE -- "$pattern" "$dir/says"; }; then
        echo "ok $number $text"
    else
        bad=$((bad + 1))
        echo "not ok $number $text"
        echo "# exit $got, not $want, or no $pattern in:"
        sed 's/^/# /' "$dir/says" | head -n 10
    fi
}

mkdir "$dir/bin"
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/dpkg-query" # nothing is there
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$@" >>%s/apt\nexit 1\n' "$dir" >"$dir/bin/apt-get"
chmod +x "$dir"/bin/*
bare=(env "PATH=$dir/bin:$PATH")

check 'help is on stdout and exits 0' 0 'dev run' "$source/dev" help
check 'no verb: the same' 0 'dev test' "$source/dev"
check 'an unknown verb is exit 2' 2 'no verb dance' "$source/dev" dance
check 'an unknown flag of test is exit 2' 2 '--never' "$source/dev" test --never
check 'scenarios are listed' 0 'C01' "$source/dev" test --list-scenarios
check 'containers without an engine: skipped, exit 69' 69 '0 passed, 0 failed, 1 skipped' \
    env DOCKER_HOST=unix:///nowhere "$source/dev" docker test
check 'an unknown verb of docker is exit 2' 2 'build, up, test or down' "$source/dev" docker dance
check 'forbidden to install: exit 69 and the line to run' 69 'apt-get install .*libzmq3-dev' \
    "${bare[@]}" MOBULA_NO_INSTALL=1 "$source/dev" run
check 'forbidden: apt-get was not called' 1 '' test -e "$dir/apt"
if [ "$(id -u)" -eq 0 ]; then
    check 'cannot install: exit 69, the end of what apt-get said' 69 'could not install' "${bare[@]}" "$source/dev" fuzz
    check 'it tried, refreshed the lists, tried again' 0 'update' cat "$dir/apt"
else
    echo "skipped: not root, so apt-get stands behind sudo"
fi
check 'it is one POSIX shell file' 0 '' dash -n "$source/dev"
echo "1..$number"
[ $bad -eq 0 ]
