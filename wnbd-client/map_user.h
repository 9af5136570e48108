/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_CLIENT_MAP_USER_H
#define WNBD_CLIENT_MAP_USER_H

#include <stdbool.h>
#include <wnbd.h>

/* map --user: this process is the NBD client, until the disk is unmapped or Ctrl-C is typed. The exit code. */
int map_user(WNBD_PROPERTIES *properties, bool json);

/* map.c: tells what was mapped. */
void map_print_result(bool json, const WNBD_CONNECTION_INFO *info, DWORD disk_number);

#endif
