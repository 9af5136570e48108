/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made by cmake/version.cmake. */
#ifndef WNBD_VERSION_H
#define WNBD_VERSION_H

#define WNBD_VERSION_MAJOR  0
#define WNBD_VERSION_MINOR  8
#define WNBD_VERSION_PATCH  0
#define WNBD_VERSION_STR    "0.8.0"
#define WNBD_VERSION_STR_MS "0.8.0.0"

/* With what git knows, when this is no release. */
#define WNBD_VERSION_TEXT "0.8.0"

/* For packaging/dist. Seconds since 1970 and the whole name, 0 and "" when nobody knows. */
#define WNBD_COMMIT_TIME 0
#define WNBD_COMMIT      ""

#endif
