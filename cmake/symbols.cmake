# SPDX-License-Identifier: LGPL-2.1-or-later
# Debug symbols of what ships and runs in user mode: a PDB beside the image, which the image knows by its name alone. The PDB
# holds the linker's command line, so that names in it are relative to the build folder, where the linker runs. Only of the
# build that is shipped: Visual Studio makes its own.

add_library(with_symbols INTERFACE)
if(NOT WNBD_BED)
  function(add_symbols)
  endfunction()
  return()
endif()
target_compile_options(with_symbols INTERFACE -g -gcodeview -gno-codeview-command-line -fdebug-compilation-dir=.)

# add_symbols(target pdb-name)
function(add_symbols target name)
  file(RELATIVE_PATH path ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR}/${name})
  target_link_libraries(${target} PRIVATE with_symbols)
  target_link_options(${target} PRIVATE -Wl,--pdb=${path} -Wl,-Xlink=-pdbaltpath:${name}
    "-Wl,-Xlink=-pdbsourcepath:Z:\\src")
endfunction()
