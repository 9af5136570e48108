# SPDX-License-Identifier: LGPL-2.1-or-later
# What depends on the processor and the compiler of a Windows build.
#   WNBD_MACHINE              x64 or arm64: lld-link's and llvm-lib's word, and a file name's
#   WNBD_BED                  whether the bed and the test programs are built: they need mingw-w64's libraries, and Wine
#   WNBD_RC                   the resource compiler with its options
#   WNBD_MESSAGE_COMPILER     mc or windmc
#   WNBD_DLLTOOL_MACHINE      llvm-dlltool's word
#   WNBD_PROGRAM_DEFINITIONS  what programs and libraries are compiled with beside their own
#   WNBD_UNICODE_START        the linker's option for a program that begins with wmain
enable_language(RC)
separate_arguments(WNBD_RC NATIVE_COMMAND "${CMAKE_RC_COMPILER} ${CMAKE_RC_FLAGS}")
set(WNBD_MESSAGE_COMPILER x86_64-w64-mingw32-windmc)
set(WNBD_UNICODE_START -municode)
set(WNBD_BED OFF)

if(MSVC)
  string(TOLOWER ${CMAKE_C_COMPILER_ARCHITECTURE_ID} WNBD_MACHINE)
  set(WNBD_MESSAGE_COMPILER mc)
  set(WNBD_UNICODE_START "")
  set(WNBD_PROGRAM_DEFINITIONS _CRT_SECURE_NO_WARNINGS)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(WNBD_MACHINE arm64)
  set(WNBD_DLLTOOL_MACHINE arm64)
  set(WNBD_PROGRAM_DEFINITIONS _UCRT) # the runtime that every Windows for ARM64 has, and whose printf knows C99
  add_subdirectory(cmake/arm64)
  link_directories(${CMAKE_BINARY_DIR}/arm64)
else()
  set(WNBD_MACHINE x64)
  set(WNBD_DLLTOOL_MACHINE i386:x86-64)
  set(WNBD_PROGRAM_DEFINITIONS __USE_MINGW_ANSI_STDIO=1)
  set(WNBD_BED ON)
endif()
