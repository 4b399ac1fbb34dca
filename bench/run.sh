#!/bin/sh
# run.sh BUILD [compare|million|start|ray|monitor] [FLAGS] - what ./dev bench does once everything is built.
set -eu
build=$1
shift
what=${1:-compare}
[ $# -gt 0 ] && shift
case $what in
compare)
    exec "$build/bench/bench_compare" --json "$build/compare.json" "$@" "$build/bench" "$build/bench" "$build/mobula"
    ;;
million)
    exec "$build/bench/bench_million" "$@" "$build/mobula" "$build/bench/bench_mobula_worker"
    ;;
start)
    exec "$build/bench/bench_start" "$@" "$build/mobula"
    ;;
ray)
    exec "$build/mobula" bench ray "$@"
    ;;
monitor)
    exec "$build/bench/bench_monitor" "$@" "$build/bench" "$build/mobula"
    ;;
*)
    echo "bench: $what is not one of compare, million, start, ray, monitor" >&2
    exit 2
    ;;
esac
