/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How `show` shows a disk: blocks of lines, or JSON. */
#ifndef WNBD_CLIENT_SHOW_PRINT_H
#define WNBD_CLIENT_SHOW_PRINT_H

#include "include/wnbd.h"

#include <stdbool.h>

struct shown {
    WNBD_CONNECTION_INFO info;
    WNBD_SERVER_STATUS server;     /* if has_server */
    WNBD_IOCTL_STATS_OUTPUT stats; /* if has_stats */
    DWORD lun_limit;               /* if has_limits */
    DWORD adapter_limit;
    bool has_server;
    bool has_stats;
    bool has_limits;
};

void show_print_text(const struct shown *shown);
void show_print_json(const struct shown *shown);

#endif
