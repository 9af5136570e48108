# SPDX-License-Identifier: LGPL-2.1-or-later
# add_host_image(name SOURCES ...): a driver as a shared library that exports DriverEntry alone.
function(add_host_image name)
  cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE bed_host_flags core)
  target_link_options(${name} PRIVATE
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/bed/host/image.map -Wl,-Bsymbolic)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX .so
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/bed/host/image.map)
endfunction()
