# SPDX-License-Identifier: LGPL-2.1-or-later
# What every target of ours is compiled with.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(WNBD_SANITIZE "" CACHE STRING "Sanitizers of a native build, e.g. address,undefined")
option(WNBD_COVERAGE "Count which lines a native build runs (clang); tests/coverage reports" OFF)
option(WNBD_FUZZERS "Build the libFuzzer targets (clang, native)" OFF)

include_directories(${CMAKE_SOURCE_DIR})

if(MSVC)
  add_compile_options(/W3 /utf-8)
  set(CMAKE_MSVC_RUNTIME_LIBRARY "MultiThreaded$<$<CONFIG:Debug>:Debug>")
  string(REPLACE "/RTC1" "" CMAKE_C_FLAGS_DEBUG "${CMAKE_C_FLAGS_DEBUG}") # a driver cannot have it
  return()
endif()

add_compile_options(-Wall -Wextra -Werror -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
  -Wcast-qual -Wpointer-arith -Wwrite-strings
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=." )

if(WNBD_SANITIZE)
  add_compile_options(-fsanitize=${WNBD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${WNBD_SANITIZE})
endif()

if(WNBD_COVERAGE)
  # The place is said here: from the environment it would be copied, and a library that is unloaded would leak it.
  add_compile_options(-fprofile-instr-generate=${CMAKE_SOURCE_DIR}/build/results/coverage/%m.profraw -fcoverage-mapping
    -fcoverage-prefix-map=${CMAKE_SOURCE_DIR}=${CMAKE_SOURCE_DIR})
  add_link_options(-fprofile-instr-generate)
endif()
