#!/bin/bash
# test_docker.sh - docker/compose.yaml with a real engine: up, called, scaled, killed under load, drained, gone. ./dev docker test
# builds the image and runs this; it needs MOBULA_IMAGE and MOBULA_BIN. The name of the project is this run's own.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
# shellcheck source=tests/support/checks.bash
. "$root/tests/support/checks.bash"
export MOBULA_IMAGE MOBULA_PORTS MOBULA_RATE=100 MOBULA_LOG_FORMAT=logfmt
project=mobulatest$$x$RANDOM
own=$project-own
mobula=${MOBULA_BIN:?}

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose -p "$project" -f "$root/docker/compose.yaml" --profile demo --profile monitor "$@"
    else
        docker-compose --ansi never -p "$project" -f "$root/docker/compose.yaml" --profile demo --profile monitor "$@"
    fi
}
ours=label=com.docker.compose.project=$project
# shellcheck disable=SC2317 # called by the trap
finish() {
    docker ps -aq --filter "$ours" | xargs -r docker rm -f >/dev/null 2>&1
    compose down -v >/dev/null 2>&1
    docker rmi "$own:local" "$own:build" >/dev/null 2>&1
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 143' HUP INT TERM

# ---- Waiting for what happens ----------------------------------------------------------------------

# await SECONDS PATTERN command...: until a line of what the command prints matches; it is ended then.
await() {
    local seconds=$1 pattern=$2 line reader status=1
    shift 2
    exec 3< <(exec timeout "$seconds" "$@" 2>&1)
    reader=$!
    while [ $status -ne 0 ] && IFS= read -r line <&3; do
        echo "$line"
        [[ ! $line =~ $pattern ]] || status=0
    done
    exec 3<&-
    kill "$reader" 2>/dev/null
    wait "$reader" 2>/dev/null
    return $status
}

now() { date +%s.%N; }
ids() { compose ps -q "$1"; }
event() { # SINCE CONTAINER PATTERN: what the engine says of it
    await 60 "$3" docker events --since "$1" --filter "container=$2" --format '{{.Action}} {{.Actor.Attributes.exitCode}}'
}
logged() { await 60 "$3" docker logs -f --since "$1" "$2"; } # SINCE CONTAINER PATTERN
seen() { logged "$1" "$monitor" "$2"; }                      # SINCE PATTERN: in the monitor

all_healthy() { # SINCE SERVICE
    local id
    for id in $(ids "$2"); do event "$1" "$id" '^health_status: healthy' || return 1; done
}

all_probed() { # since now: the next probe of each host says that it serves
    local id since
    since=$(now)
    for id in $(ids actors); do event "$since" "$id" '^exec_die 0' || return 1; done
}

# ---- What is asked ---------------------------------------------------------------------------------

free_ports() { # three in a row, below those that the system gives to clients
    local port
    while port=$((20000 + RANDOM % 10000)); do
        ss -Hltn | grep -qE ":($port|$((port + 1))|$((port + 2)))\\b" || { echo "$port-$((port + 2))"; return; }
    done
}
says() { local want=$1; shift; [ "$("$@")" = "$want" ]; }
inspected() { says "$2" docker inspect -f "$1" "$3"; } # FORMAT WANTED NAME
from_host() { "$mobula" "$@" -b "127.0.0.1:${MOBULA_PORTS%-*}"; }
inside() { local service=$1; shift; compose exec -T "$service" mobula "$@"; }
hosts_are() { [ "$(from_host list hosts -f state=alive -o name | sort -u | wc -l)" -eq "$1" ]; }

up() { compose up -d "$@"; }
guarded() { # no root, no right, nothing to write to
    inspected '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}' \
        '10001:10001 true [ALL] [no-new-privileges:true]' "$1"
}
all_guarded() { local id; for id in $(compose ps -q); do guarded "$id" || return 1; done; }
image_is_labelled() { inspected '{{index .Config.Labels "org.opencontainers.image.title"}}' mobula "$MOBULA_IMAGE"; }
warned() { docker logs "$(ids broker)" 2>&1 | grep -q 'level=warn event=MOB-INSECURE'; }

# Both kinds of call of the client end well again: a task and a method.
served() { seen "$1" 'reply .* customer +price .* ok$' && seen "$1" 'reply .* customer +put .* ok$'; }

home_of_basket() { # the container whose host has the actor
    local id worker
    worker=$(from_host list actors -f name=basket -o json | grep -o '"worker":"[^"]*"')
    for id in $(ids actors); do [[ $worker != *"${id:0:12}"* ]] || echo "$id"; done
}
kill_home() {
    victim=$(home_of_basket)
    [ -n "$victim" ] && docker kill "$victim" && killed=$(now)
}
begins_again() { seen "$killed" 'restart .*basket' && killed=$(now); }
again() { docker start "$victim" && logged "$killed" "$victim" MOB-READY; }

address_of() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }
broker_elsewhere() { # while it is down another container takes its address
    docker kill "$broker" && killed=$(now) && docker run -d --rm --name "$project-squatter" --network "${project}_default" \
        --label "${ours#*=}" --entrypoint sleep "$MOBULA_IMAGE" 300
}

own_image() { # as docs/DOCKER.md says; its first stage has a tag, so that it can go
    local stage name=${MOBULA_IMAGE%%:*}
    for stage in "--target build -t $own:build" "-t $own:local"; do
        # shellcheck disable=SC2086
        sed -e "s,mobula:build,$name:build," -e "s,mobula:local,$MOBULA_IMAGE," "$root/tests/docker/own/Dockerfile" |
            docker build -f - $stage "$root/tests/docker/own" || return 1
    done
}
own_joins() {
    docker run -d --name "$own" --label "${ours#*=}" --network "${project}_default" -e MOBULA_BROKER=tcp://broker:7770 \
        --read-only --cap-drop ALL "$own:local" && logged "$start" "$own" MOB-READY
}
ends_while_it_stops() { # a body that began before; none begins after
    local caller
    from_host run nap 4000 --timeout 30s >"$dir/nap" 2>&1 &
    caller=$!
    logged "$start" "$own" naps && docker stop --time 20 "$own" || return 1
    wait "$caller"
    says 4000 cat "$dir/nap" && inspected '{{.State.ExitCode}}' 0 "$own"
}
away_for_two_probes() { # long enough for who looks for it to grow slow
    event "$killed" "$client" '^exec_die [1-9]' && event "$(now)" "$client" '^exec_die [1-9]'
}
none_given_up() { ! grep 'the actor has ended' "$dir/tally"; }

stop_in_time() {
    local begun=$SECONDS id
    compose stop || return 1
    [ $((SECONDS - begun)) -lt 20 ] || { echo "it took $((SECONDS - begun)) s"; return 1; }
    for id in $(compose ps -q broker actors client); do
        inspected '{{.State.ExitCode}}' 0 "$id" || { docker logs "$id" 2>&1 | tail -n 5; return 1; }
    done
}
none_open() { says 2 grep -c ', 0 open$' "$dir/tally"; }
nothing_left() {
    [ -z "$(docker ps -aq --filter "$ours")$(docker network ls -q --filter "$ours")$(docker volume ls -q --filter "$ours")" ]
}

# ---- The story -------------------------------------------------------------------------------------

MOBULA_PORTS=$(free_ports)
start=$(now)
check 'the compose file is read' compose config
check 'the image is labelled' image_is_labelled
check 'up' up broker actors
check 'the broker is healthy' all_healthy "$start" broker
check 'the host is healthy: it has joined' all_healthy "$start" actors
check 'no root, no right, a root that cannot be written' all_guarded
check 'the broker warns that TCP has no keys' warned
check 'a call from the host' says 120 from_host run price '["pears",60,2]'
check 'a call from a container to another' says 120 inside actors run price '["pears",60,2]'
check 'the tool of the broker finds it by its socket' inside broker health

check 'a client and a monitor' up client monitor
broker=$(ids broker) client=$(ids client) monitor=$(ids monitor)
check 'the monitor sees what the client asks, and how it ends' served "$start"

check 'scaled to 5' up --no-recreate --scale actors=5 actors
check 'all of them are healthy' all_healthy "$start" actors
check 'the broker knows 5 hosts by 5 names' hosts_are 5

check 'the container where the actor lives is killed under load' kill_home
check 'the monitor sees the actor begin again' begins_again
check 'the client is served again' served "$killed"
check 'the container comes back as a host' again

check 'the broker is killed under load, and its address taken' broker_elsewhere
check 'it stays away for a while' away_for_two_probes
check 'it starts again, at another address' docker start "$broker"
check 'it is healthy again' event "$killed" "$broker" '^health_status: healthy'
check 'the address is another one' test "$(address_of "$broker")" != "$(address_of "$project-squatter")"
check 'the client is served again, by the same containers' served "$killed"
check 'all hosts serve again' all_probed
check 'they are 5, as before' hosts_are 5
docker kill "$project-squatter" >/dev/null 2>&1

check 'own actors: an image of one program' own_image
check 'it joins' own_joins
check 'a body that runs when its container is stopped ends first' ends_while_it_stops
docker rm "$own" >/dev/null 2>&1

check 'all drain and exit 0, in time' stop_in_time
docker logs "$client" >"$dir/tally" 2>&1
check 'every call of the client has ended, in a value or a named error' none_open
check 'the actor that lived on was not given up' none_given_up
sed 's/^/# /' "$dir/tally"
check 'down' compose down -v
check 'nothing is left' nothing_left
echo "1..$number"
[ $bad -eq 0 ]
