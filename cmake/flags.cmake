# mobula_flags: what every file of ours is compiled and linked with. tests/install/hardening.sh looks for
# the traces of these in the binaries.
include(CheckPIESupported)
check_pie_supported(OUTPUT_VARIABLE ignored LANGUAGES C)

add_library(mobula_flags INTERFACE)
target_compile_options(mobula_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow
  -fstack-protector-strong -fstack-clash-protection)
if(MOBULA_WERROR)
  target_compile_options(mobula_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|i.86")
  target_compile_options(mobula_flags INTERFACE -fcf-protection)
endif()
target_link_options(mobula_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
target_compile_definitions(mobula_flags INTERFACE _GNU_SOURCE MOB_VERSION="${PROJECT_VERSION}")

if(MOBULA_SANITIZE)
  target_compile_options(mobula_flags INTERFACE
    -fsanitize=${MOBULA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mobula_flags INTERFACE -fsanitize=${MOBULA_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(mobula_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(MOBULA_FUZZ)
  target_compile_options(mobula_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MOBULA_FAULTS)
  target_compile_definitions(mobula_flags INTERFACE MOB_FAULTS=1)
endif()

# What people run is optimised as a whole: a call crosses many small functions of many files. Objects of the static
# library hold plain code as well, for those who link it without this. Tests do without: they link thirty programs.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT MOBULA_TESTS AND NOT MOBULA_SANITIZE)
  set(whole_program ON)
else()
  set(whole_program OFF)
endif()
option(MOBULA_LTO "optimise across files" ${whole_program})
if(MOBULA_LTO)
  set(MOBULA_LTO_FLAGS -flto=auto -ffat-lto-objects)
  target_compile_options(mobula_flags INTERFACE ${MOBULA_LTO_FLAGS} -O3 -fno-semantic-interposition)
  target_link_options(mobula_flags INTERFACE ${MOBULA_LTO_FLAGS} -O3)
endif()

# What everybody who uses contract.h should have: these turn its checks into errors.
set(MOBULA_USER_FLAGS
  -Werror=incompatible-pointer-types -Werror=implicit-function-declaration -Werror=int-conversion)
