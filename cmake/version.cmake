# SPDX-License-Identifier: LGPL-2.1-or-later
# The version of a build, and build/.../generated/version.h, the one place that everything else takes it from. Included
# before project(); as a script (`cmake -P cmake/version.cmake`) it prints the version.
#
#   at a tag v0.9.0       0.9.0
#   12 commits after it   0.9.0+12.g3e92b27
#   without any tag       0.8.0-dev+g3e92b27, with the numbers below
#   without git           the same from what `git archive` has written below; or else the numbers alone
#
#   WNBD_VERSION          three numbers
#   WNBD_VERSION_TEXT     all of it
#   WNBD_COMMIT           the commit's whole name; empty without git
#   WNBD_COMMIT_TIME      when it was made, in seconds since 1970; 0 without git
set(WNBD_VERSION 0.8.0)
set(archived_tag "$Format:%(describe:tags=true,match=v[0-9]*)$")
set(archived_commit "$Format:%H$")
set(archived_time "$Format:%ct$")

get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

# What a git command says; empty when it fails, or when there is no git.
function(ask_git answer)
  execute_process(COMMAND git ${ARGN} WORKING_DIRECTORY ${root} OUTPUT_VARIABLE said RESULT_VARIABLE failed
                  ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    set(said "")
  endif()
  set(${answer} "${said}" PARENT_SCOPE)
endfunction()

# A new commit or tag configures the build again.
function(watch name)
  ask_git(path rev-parse --git-path ${name})
  get_filename_component(path "${path}" ABSOLUTE BASE_DIR ${root})
  if(EXISTS ${path} AND NOT CMAKE_SCRIPT_MODE_FILE)
    set_property(DIRECTORY ${root} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  endif()
endfunction()

set(tag "")
set(WNBD_COMMIT "")
set(WNBD_COMMIT_TIME 0)
ask_git(top rev-parse --show-toplevel)
if(NOT archived_commit MATCHES "Format")
  set(tag "${archived_tag}")
  set(WNBD_COMMIT "${archived_commit}")
  set(WNBD_COMMIT_TIME "${archived_time}")
elseif(top STREQUAL root) # and not a tarball in somebody's repository
  ask_git(tag describe --tags --match "v[0-9]*")
  ask_git(WNBD_COMMIT rev-parse HEAD)
  ask_git(WNBD_COMMIT_TIME log -1 --format=%ct)
  watch(logs/HEAD)
  watch(refs/tags)
endif()

# Always as long: what git shortens to depends on its settings and on how much the repository has.
string(SUBSTRING "${WNBD_COMMIT}" 0 7 commit)

set(WNBD_VERSION_TEXT ${WNBD_VERSION})
if(tag MATCHES "^v([0-9]+[.][0-9]+[.][0-9]+)(-[a-z]+[0-9]*)?(-([0-9]+)-g[0-9a-f]+)?$")
  set(WNBD_VERSION ${CMAKE_MATCH_1})
  set(WNBD_VERSION_TEXT ${CMAKE_MATCH_1}${CMAKE_MATCH_2})
  if(CMAKE_MATCH_3)
    string(APPEND WNBD_VERSION_TEXT "+${CMAKE_MATCH_4}.g${commit}")
  endif()
elseif(commit)
  string(APPEND WNBD_VERSION_TEXT "-dev+g${commit}")
endif()

if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${WNBD_VERSION_TEXT})
else()
  string(REPLACE "." ";" numbers ${WNBD_VERSION})
  list(GET numbers 0 WNBD_VERSION_MAJOR)
  list(GET numbers 1 WNBD_VERSION_MINOR)
  list(GET numbers 2 WNBD_VERSION_PATCH)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in ${CMAKE_BINARY_DIR}/generated/version.h @ONLY)
endif()
