# SPDX-License-Identifier: LGPL-2.1-or-later
# What depends on the processor of a Windows build.
#   WNBD_MACHINE              x64 or arm64: lld-link's and llvm-lib's word, and a file name's
#   WNBD_RC                   the resource compiler with its options
#   WNBD_DLLTOOL_MACHINE      llvm-dlltool's word
#   WNBD_PROGRAM_DEFINITIONS  what programs and libraries are compiled with beside their own
enable_language(RC)
separate_arguments(WNBD_RC NATIVE_COMMAND "${CMAKE_RC_COMPILER} ${CMAKE_RC_FLAGS}")

if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(WNBD_MACHINE arm64)
  set(WNBD_DLLTOOL_MACHINE arm64)
  set(WNBD_PROGRAM_DEFINITIONS _UCRT) # the runtime that every Windows for ARM64 has, and whose printf knows C99
  add_subdirectory(cmake/arm64)
  link_directories(${CMAKE_BINARY_DIR}/arm64)
else()
  set(WNBD_MACHINE x64)
  set(WNBD_DLLTOOL_MACHINE i386:x86-64)
  set(WNBD_PROGRAM_DEFINITIONS __USE_MINGW_ANSI_STDIO=1)
endif()
