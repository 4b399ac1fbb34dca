#!/bin/sh
# lint.sh - what ./dev lint checks: format, static analysis, scripts, spelling, and the rules of docs/STYLE.md
# that a machine can see. Prints what is wrong, check by check; exits 1 if anything is.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0

# check WHAT command...: it must exit 0; what it printed is shown if it does not
check() {
    what=$1
    shift
    if says=$("$@" 2>&1); then
        echo "ok      $what"
    else
        echo "WRONG   $what"
        echo "$says" | head -n 40 | sed 's/^/        /'
        bad=$((bad + 1))
    fi
}

# none WHAT command...: it must find nothing
none() {
    what=$1
    shift
    says=$("$@" 2>/dev/null)
    if [ -z "$says" ]; then
        echo "ok      $what"
    else
        echo "WRONG   $what"
        echo "$says" | head -n 40 | sed 's/^/        /'
        bad=$((bad + 1))
    fi
}

code() { # the .c and .h files below these folders
    find "$@" \( -name '*.c' -o -name '*.h' \) -not -path '*/corpus/*' | sort
}
product='wire broker sdk actors tools'

formatted() {
    code wire broker sdk actors tools examples bench tests | while read -r file; do
        clang-format --dry-run -Werror "$file" >/dev/null 2>&1 || echo "$file"
    done
}
analysed() {
    # shellcheck disable=SC2086
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability \
        --suppress=missingInclude --suppress=unknownMacro --suppress=varFuncNullUB --suppress=nullPointerRedundantCheck \
        --suppress=uninitvar --suppress=legacyUninitvar --suppress=internalAstError --suppress=preprocessorErrorDirective \
        -D__GNUC__=12 -Iwire/include -Isdk/include -Iwire -Ibroker/core -Isdk $product
}
scripts() {
    git ls-files 2>/dev/null | grep -E '(^dev|^\.ci/run|\.sh|\.bash)$' | xargs shellcheck -x
}
spelling() {
    codespell --quiet-level=3 --ignore-words-list=inflight,statics,nam,nd,crate,moniter --skip='*/corpus/*,*.bats' \
        README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs wire broker sdk actors tools examples bench tests dev cmake docker
}
# shellcheck disable=SC2086
short_functions() { code $product examples bench | xargs awk -f tests/support/long_functions.awk; }
quotes() { awk -f tests/support/quotes.awk README.md docs/*.md; }

# includes "FOLDERS" FOLDER...: lines in the first that include a header of the others, unless they have one of
# that name themselves
includes() {
    where=$1
    shift
    # shellcheck disable=SC2086
    find "$@" -maxdepth 1 -name '*.h' | while read -r header; do
        name=$(basename "$header")
        [ -z "$(find $where -name "$name")" ] || continue
        find $where -name '*.[ch]' -exec grep -Hn "#include \"$name\"" {} +
    done
}
broker_and_library() { includes "broker" sdk actors; includes "sdk actors wire" broker broker/core; }
library_order() { includes "wire" sdk actors; includes "sdk" actors; }
user_like() { includes "examples" wire sdk actors broker broker/core; }
pure_core() { grep -rnE '#include <(zmq|czmq|pthread|sys/socket|time|unistd|fcntl|poll)' broker/core; }
public_clean() { grep -rnE '#include [<"](zmq|czmq|mpack)' wire/include sdk/include; }
library_without_czmq() { grep -rn 'czmq\.h' wire sdk actors --include=*.[ch]; }
library_quiet() { grep -rnE '[^_a-z](signal|sigaction|abort|assert|atexit)\(' wire sdk --include=*.c; }
# shellcheck disable=SC2086
one_mpack_include() { grep -rlE '#include [<"]mpack\.h' $product | grep -v '^wire/pack\.c$'; }
# shellcheck disable=SC2086
mpack_reads() { grep -rnE '[^_a-z]mpack_read\(' $product --include=*.c | grep -v ':[0-9]*: *//'; }
one_mpack_read() { [ "$(mpack_reads | wc -l)" -eq 1 ] || mpack_reads; }
# Bodies work for a time: in work.c.
sleeps() { git grep -nE '\b((|u|nano|clock_nano|time\.)sleep|zclock_sleep)\(' -- 'tests/*.[ch]' 'tests/*.py' ':!tests/support/work.c'; }
fresh_conformance() { tests/support/scenarios.sh --markdown | diff docs/CONFORMANCE.md -; }
# What only one of the two builders takes.
one_builder() { git grep -nE '^[^#]*(RUN --(mount|network)|<<|COPY --(chmod|link))|^# *syntax' -- '*Dockerfile*'; }
composed() { ! command -v docker-compose >/dev/null || docker-compose -f docker/compose.yaml --profile demo config; }
# A knob that is not in the example is one that nobody finds.
knobs() { grep -oE '\$\{MOBULA_[A-Z_]+' docker/compose.yaml | cut -c 3- | sort -u | while read -r knob; do grep -q "^$knob=" docker/.env.example || echo "$knob"; done; }
machine_paths() { git grep -nE '/work/|/home/[a-z]|/root/' -- . ':!tests/support/lint.sh'; }
decisions() { # each number once, and in its title
    git ls-files 'docs/decisions/[0-9]*.md' | sed 's|.*/||; s|-.*||' | sort | uniq -d
    git ls-files 'docs/decisions/[0-9]*.md' ':!docs/decisions/0000-*' | while read -r page; do
        head -n 1 "$page" | grep -q "^# $(basename "$page" | cut -d- -f1) " || echo "$page"
    done
}
# shellcheck disable=SC2086
first_lines() { # a file says first what it owns
    code $product | while read -r file; do head -n 1 "$file" | grep -qE "^// .+ - |^// $(basename "$file")" || echo "$file"; done
}

none 'format is what .clang-format says' formatted
check 'cppcheck finds nothing' analysed
check 'shellcheck finds nothing' scripts
check 'spelling' spelling
check 'no function has more than 60 lines' short_functions
check 'code quoted in the docs stands in the examples' quotes
none 'the broker knows nothing of the library, nor the library of the broker' broker_and_library
none 'wire, sdk, actors: each includes only those before it' library_order
none 'examples include public headers only' user_like
none 'the core does no input or output' pure_core
none 'no public header includes a library'"'"'s' public_clean
none 'the library has no CZMQ' library_without_czmq
none 'the library takes no signal, never aborts, asserts nothing' library_quiet
none 'mpack.h is included by wire/pack.c alone' one_mpack_include
none 'mpack_read is called in one place' one_mpack_read
check 'each scenario that is named has its test' tests/support/scenarios.sh
check 'fresh: tests/support/scenarios.sh --markdown >docs/CONFORMANCE.md' fresh_conformance
none 'tests wait for events, they do not sleep' sleeps
none 'Dockerfiles: the classic builder takes them, and BuildKit' one_builder
check 'Compose 1.29 reads the compose file' composed
none 'every knob of the compose file is in .env.example' knobs
none 'no path of one machine' machine_paths
none 'the first line of a file says what it owns' first_lines
none 'each decision has a number of its own' decisions

echo
if [ $bad -eq 0 ]; then echo "lint: all well"; else echo "lint: $bad checks are not"; exit 1; fi
