# SPDX-License-Identifier: LGPL-2.1-or-later
# kernel_image.cmake for Visual Studio: the same functions over Microsoft's kit. Written from its documentation; nobody has
# run it (docs/verification.md). vstudio/wnbd.sln does the same with the kit's own project type.
set(WNBD_KIT "C:/Program Files (x86)/Windows Kits/10" CACHE PATH "The Windows Driver Kit's folder")
file(GLOB kits LIST_DIRECTORIES true RELATIVE ${WNBD_KIT}/Include ${WNBD_KIT}/Include/10.*)
list(SORT kits COMPARE NATURAL)
list(FILTER kits INCLUDE REGEX "^10\\.[0-9.]+$")
set(newest "")
foreach(kit IN LISTS kits)
  if(EXISTS ${WNBD_KIT}/Include/${kit}/km/ntifs.h)
    set(newest ${kit})
  endif()
endforeach()
set(WNBD_KIT_VERSION "${newest}" CACHE STRING "The kit's version, such as 10.0.26100.0")
if(NOT EXISTS ${WNBD_KIT}/Include/${WNBD_KIT_VERSION}/km/ntifs.h)
  message(FATAL_ERROR "no Windows Driver Kit in ${WNBD_KIT}: install it, or say -DWNBD_KIT=... and -DWNBD_KIT_VERSION=...")
endif()

set(kit_include ${WNBD_KIT}/Include/${WNBD_KIT_VERSION})
set(WNBD_KERNEL_COMPILE_OPTIONS /kernel /GS /GF /Gy /guard:cf /Zp8 /Zi /wd4324
  "/I${kit_include}/km" "/I${kit_include}/km/crt" "/I${kit_include}/shared")
set(WNBD_KERNEL_DEFINITIONS _WIN64 _WIN32_WINNT=0x0A00 NTDDI_VERSION=0x0A000006)
if(WNBD_MACHINE STREQUAL x64)
  list(APPEND WNBD_KERNEL_DEFINITIONS _AMD64_ AMD64)
else()
  list(APPEND WNBD_KERNEL_DEFINITIONS _ARM64_ ARM64)
endif()
set(WNBD_KERNEL_SUPPORT "") # BufferOverflowFastFailK.lib

# The kit has the libraries of these names.
function(add_import_library name def)
endfunction()

function(add_kernel_image name)
  cmake_parse_arguments(ARG "" "RESOURCE;OUTPUT" "SOURCES;LIBRARIES;OBJECTS;DEFINITIONS;RESOURCE_HEADERS;RESOURCE_PARTS" ${ARGN})
  get_filename_component(stem ${ARG_OUTPUT} NAME_WE)
  add_library(${name}_objects OBJECT ${ARG_SOURCES})
  target_compile_options(${name}_objects PRIVATE ${WNBD_KERNEL_COMPILE_OPTIONS})
  target_compile_definitions(${name}_objects PRIVATE ${WNBD_KERNEL_DEFINITIONS} ${ARG_DEFINITIONS})
  add_executable(${name} $<TARGET_OBJECTS:${name}_objects> ${ARG_RESOURCE})
  foreach(objects IN LISTS ARG_OBJECTS)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${stem} SUFFIX .sys LINKER_LANGUAGE C)
  target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/generated)
  foreach(part IN LISTS ARG_RESOURCE_PARTS) # what the resource script includes, and is made
    get_filename_component(folder ${part} DIRECTORY)
    target_include_directories(${name} PRIVATE ${folder})
  endforeach()
  list(TRANSFORM ARG_RESOURCE_HEADERS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  set_source_files_properties(${ARG_RESOURCE} PROPERTIES OBJECT_DEPENDS "${ARG_RESOURCE_HEADERS};${ARG_RESOURCE_PARTS}")
  target_link_directories(${name} PRIVATE ${WNBD_KIT}/Lib/${WNBD_KIT_VERSION}/km/${WNBD_MACHINE})
  target_link_options(${name} PRIVATE /DRIVER /KERNEL /SUBSYSTEM:NATIVE,10.00 /OSVERSION:10.0 /ENTRY:GsDriverEntry
    /NODEFAULTLIB /DYNAMICBASE /NXCOMPAT /GUARD:CF /SECTION:INIT,d /RELEASE /DEBUG /OPT:REF /OPT:ICF /INCREMENTAL:NO
    /MANIFEST:NO /VERSION:${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_link_libraries(${name} PRIVATE BufferOverflowFastFailK ${ARG_LIBRARIES})
endfunction()
