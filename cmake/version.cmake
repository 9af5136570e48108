# SPDX-License-Identifier: LGPL-2.1-or-later
# build/.../generated/version.h: the one place the numbers of a build come from.
set(WNBD_VERSION_STR "${PROJECT_VERSION}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in ${CMAKE_BINARY_DIR}/generated/version.h @ONLY)
