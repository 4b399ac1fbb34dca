# Each fuzz_NAME.c is a libFuzzer program and an entry of ctest that runs it for MOBULA_FUZZ_SECONDS from the
# committed corpus; what it finds is left in the build folder.
set(MOBULA_FUZZ_SECONDS 10 CACHE STRING "seconds for each fuzz target")
file(GLOB sources CONFIGURE_DEPENDS fuzz/fuzz_*.c)
add_custom_target(fuzzers)
foreach(source ${sources})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "^fuzz_" "" short ${name})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${short})
  if(NOT EXISTS ${corpus})
    set(corpus "")
  endif()
  set(found ${CMAKE_BINARY_DIR}/found/${short})
  file(MAKE_DIRECTORY ${found})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE mobula_flags mobula_core mobula_wire PkgConfig::MPACK)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
  mobula_test(fuzz/${short} LABEL fuzz TIMEOUT 7200 COMMAND
    ${name} -max_total_time=${MOBULA_FUZZ_SECONDS} -timeout=1 -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix=${found}/ ${found} ${corpus})
endforeach()
