# SPDX-License-Identifier: LGPL-2.1-or-later
# Kernel-mode images (.sys): how they are compiled and linked. Flags and their reasons: docs/building.md.

set(WNBD_KERNEL_COMPILE_OPTIONS
  -O2 -g -gcodeview -gno-codeview-command-line -fdebug-compilation-dir=.
  -Wno-multichar -Wno-four-char-constants -Wno-\#warnings -Wno-cast-qual -Wno-missing-prototypes
  -Wframe-larger-than=2048
  -ffreestanding -fno-strict-aliasing -fno-delete-null-pointer-checks
  -fasynchronous-unwind-tables -mgeneral-regs-only -fms-extensions -Wno-microsoft
  -fstack-protector-strong -mguard=cf)
if(WNBD_MACHINE STREQUAL x64)
  list(APPEND WNBD_KERNEL_COMPILE_OPTIONS -mno-red-zone)
  set(WNBD_KERNEL_PROCESSOR _AMD64_)
else()
  list(APPEND WNBD_KERNEL_COMPILE_OPTIONS "SHELL:-isystem ${CMAKE_BINARY_DIR}/arm64/ddk"
    "SHELL:-isystem ${CMAKE_SOURCE_DIR}/cmake/arm64")
  set(WNBD_KERNEL_PROCESSOR _ARM64_)
endif()
list(APPEND WNBD_KERNEL_COMPILE_OPTIONS
  "SHELL:-isystem /usr/share/mingw-w64/include" "SHELL:-isystem /usr/share/mingw-w64/include/ddk")
set(WNBD_KERNEL_DEFINITIONS _WIN32_WINNT=0x0A00 NTDDI_VERSION=0x0A000000 ${WNBD_KERNEL_PROCESSOR})

# What every image has beside its own sources: what the compiler and the linker take for granted.
set(WNBD_KERNEL_SUPPORT ${CMAKE_SOURCE_DIR}/driver/support.c ${CMAKE_SOURCE_DIR}/driver/support_${WNBD_MACHINE}.c)

# An import library from a .def file that lists what may be imported, and nothing else.
function(add_import_library name def)
  set(library ${CMAKE_CURRENT_BINARY_DIR}/lib${name}.a)
  add_custom_command(OUTPUT ${library}
    COMMAND llvm-dlltool-19 -m ${WNBD_DLLTOOL_MACHINE} -d ${CMAKE_CURRENT_SOURCE_DIR}/${def} -l ${library}
    DEPENDS ${def} VERBATIM)
  add_custom_target(${name}_import DEPENDS ${library})
  set_property(TARGET ${name}_import PROPERTY IMPORT_LIBRARY ${library})
endfunction()

# add_kernel_image(name ENTRY symbol SOURCES ... [LIBRARIES import-targets ...] [OBJECTS object-libraries ...]
#                  [FILES archives ...] [RESOURCE file.rc] [RESOURCE_HEADERS ...]
#                  [RESOURCE_PARTS files ...] [LINK_OPTIONS ...] [OUTPUT file-name] [DEF exports.def])
# RESOURCE_PARTS: what file.rc includes and a build step makes, all in one folder.
# makes ${CMAKE_CURRENT_BINARY_DIR}/<name>.sys and its PDB, and a target <name>.
function(add_kernel_image name)
  cmake_parse_arguments(ARG "" "ENTRY;RESOURCE;OUTPUT;DEF"
    "SOURCES;LIBRARIES;OBJECTS;FILES;LINK_OPTIONS;DEFINITIONS;RESOURCE_HEADERS;RESOURCE_PARTS"
    ${ARGN})
  if(NOT ARG_ENTRY)
    set(ARG_ENTRY DriverEntry)
  endif()
  if(NOT ARG_OUTPUT)
    set(ARG_OUTPUT ${name}.sys)
  endif()
  add_library(${name}_objects OBJECT ${ARG_SOURCES})
  target_compile_options(${name}_objects PRIVATE ${WNBD_KERNEL_COMPILE_OPTIONS})
  target_compile_definitions(${name}_objects PRIVATE ${WNBD_KERNEL_DEFINITIONS} ${ARG_DEFINITIONS})

  set(image ${CMAKE_CURRENT_BINARY_DIR}/${ARG_OUTPUT})
  get_filename_component(stem ${ARG_OUTPUT} NAME_WE)
  get_filename_component(folder ${image} DIRECTORY)
  set(inputs $<TARGET_OBJECTS:${name}_objects>)
  set(depends ${name}_objects)
  foreach(object IN LISTS ARG_OBJECTS)
    list(APPEND inputs $<TARGET_OBJECTS:${object}>)
    list(APPEND depends ${object})
  endforeach()
  foreach(library IN LISTS ARG_LIBRARIES)
    list(APPEND inputs $<TARGET_PROPERTY:${library}_import,IMPORT_LIBRARY>)
    list(APPEND depends ${library}_import)
  endforeach()
  list(APPEND inputs ${ARG_FILES})
  if(ARG_RESOURCE)
    set(resource ${CMAKE_CURRENT_BINARY_DIR}/${name}_rc.o)
    set(parts_option)
    if(ARG_RESOURCE_PARTS)
      list(GET ARG_RESOURCE_PARTS 0 part)
      get_filename_component(parts_folder ${part} DIRECTORY)
      set(parts_option -I ${parts_folder})
    endif()
    add_custom_command(OUTPUT ${resource}
      COMMAND ${WNBD_RC} -I ${CMAKE_BINARY_DIR}/generated -I ${CMAKE_SOURCE_DIR} ${parts_option}
        ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_RESOURCE} ${resource}
      DEPENDS ${ARG_RESOURCE} ${ARG_RESOURCE_HEADERS} ${ARG_RESOURCE_PARTS} ${CMAKE_BINARY_DIR}/generated/version.h VERBATIM)
    list(APPEND inputs ${resource})
    list(APPEND depends ${resource})
  endif()
  if(ARG_DEF)
    file(RELATIVE_PATH def ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DEF})
    list(APPEND ARG_LINK_OPTIONS /def:${def})
    list(APPEND depends ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DEF})
  endif()
  # The PDB holds the command line, and the image the PDB's hash: no name in it may say where the build is.
  file(RELATIVE_PATH relative_image ${CMAKE_BINARY_DIR} ${image})
  file(RELATIVE_PATH relative_stem ${CMAKE_BINARY_DIR} ${folder}/${stem})
  add_custom_command(OUTPUT ${image}
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/relative lld-link-19 /nologo /machine:${WNBD_MACHINE} /driver /subsystem:native,10.0 /osversion:10.0
      /version:${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} /entry:${ARG_ENTRY} /nodefaultlib /base:0x140000000
      /dynamicbase /nxcompat /highentropyva /tsaware:no /release /guard:cf,nolongjmp /section:INIT,ERD
      /merge:.edata=.rdata /merge:.xdata=.rdata /merge:.00cfg=.rdata /opt:ref /opt:icf
      /debug /pdb:${relative_stem}.pdb /pdbaltpath:${stem}.pdb "/pdbsourcepath:Z:\\src" /Brepro
      /map:${relative_stem}.map /out:${relative_image} ${ARG_LINK_OPTIONS} ${inputs}
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
    DEPENDS ${depends} ${inputs} COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${image})
  set_property(TARGET ${name} PROPERTY IMAGE ${image})
endfunction()
