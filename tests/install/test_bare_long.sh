#!/bin/bash
# test_bare_long.sh - the two commands on a Debian 12 that has nothing but sh and apt: a fresh one is made, the
# tree is copied in, both must end well. Needs root, mmdebstrap and a mirror; the tree is not touched.
set -u
source=${MOBULA_SOURCE:?}
skip() { echo "skipped: $1"; exit 77; }
[ "$(id -u)" -eq 0 ] || skip "it needs root"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
unshare --mount true 2>/dev/null || skip "no mount namespaces here"

dir=$(mktemp -d "${TMPDIR:-/var/tmp}/mobula-bare-XXXXXX") && trap 'rm -rf --one-file-system "$dir"' EXIT
mmdebstrap --variant=apt bookworm "$dir/bare.tar" >"$dir/log" 2>&1 || { tail -n 3 "$dir/log"; skip "no mirror answers"; }
mkdir "$dir/bare" && tar -C "$dir/bare" -xf "$dir/bare.tar" && rm "$dir/bare.tar" || exit 1
cp /etc/resolv.conf "$dir/bare/etc/"
mkdir "$dir/bare/mobula" && tar -C "$source" --exclude=./build --exclude=./.git -cf - . | tar -C "$dir/bare/mobula" -xf - || exit 1
for tool in gcc make git sudo python3 pkg-config cmake; do
    [ ! -e "$dir/bare/usr/bin/$tool" ] || { echo "not bare: it has $tool"; exit 1; }
done

# Mounts live in a namespace that ends with the command.
inside() {
    # shellcheck disable=SC2016 # expanded inside
    BARE=$dir/bare unshare --mount --pid --fork sh -c '
        mount -t proc proc "$BARE/proc" && mount --bind /dev "$BARE/dev" || exit 1
        exec chroot "$BARE" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh -c "cd / && exec $1"' sh "$1"
}

number=0 bad=0
check() { # TEXT PATTERN COMMAND
    number=$((number + 1))
    if inside "$3" >"$dir/says" 2>&1 && grep -qE "$2" "$dir/says"; then
        echo "ok $number $1"
    else
        bad=$((bad + 1))
        echo "not ok $number $1"
        grep -E -A4 '[*][*][*]|^not ok|^\[FAIL|^dev: .*failed' "$dir/says" | head -n 60 | sed 's/^/# /'
        tail -n 10 "$dir/says" | sed 's/^/# /'
    fi
}

check './dev run on a bare machine: installs, builds, the census is right' 'lost 0 .*ok$' '/mobula/dev run --for 1s'
check './dev run again: nothing to install' 'lost 0 .*ok$' 'env MOBULA_NO_INSTALL=1 /mobula/dev run --for 1s'
check './dev test on a bare machine' '^[0-9]+ passed, 0 failed, [0-9]+ skipped$' '/mobula/dev test'
echo "1..$number"
[ $bad -eq 0 ]
