# mobula_test(NAME [LABEL l] [TIMEOUT s] [ALONE] COMMAND ...): one entry of ctest. ALONE: it measures time or
# kills, so it holds the lock `cores`. Exit code 77 means skipped: it says why on its own.
function(mobula_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ALONE" "LABEL;TIMEOUT" "COMMAND")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${arg_LABEL}"
    ENVIRONMENT "${MOBULA_TEST_ENVIRONMENT}")
  if(arg_ALONE)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK cores RUN_SERIAL ON)
  endif()
endfunction()

# deaf_test(NAME COMMAND ...): the same once more with every notice of every broker dropped, label deaf. Only
# in a build with faults. It waits for a second at each outcome: ./dev runs many at once.
function(deaf_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND")
  if(MOBULA_FAULTS)
    mobula_test(deaf/${name} LABEL deaf TIMEOUT 180
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/deaf.sh 100 ${arg_COMMAND})
  endif()
endfunction()

set(MOBULA_TEST_ENVIRONMENT
  "MOBULA_BUILD=${CMAKE_BINARY_DIR}"
  "MOBULA_SOURCE=${PROJECT_SOURCE_DIR}"
  "MOBULA_BIN=${CMAKE_BINARY_DIR}/mobula"
  "MOBULA_FAULTS=${MOBULA_FAULTS}"
  "CMAKE_GENERATOR=Ninja" # projects that tests configure: a bare machine has no make
  "ASAN_OPTIONS=abort_on_error=1:detect_leaks=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0"
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp:halt_on_error=1:abort_on_error=1")
