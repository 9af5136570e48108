/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether Windows lets a disk be used. By its SAN policy a server may leave a new disk offline, so that no volume of it
 * appears, or read-only; both are Windows' own and nothing that the driver could change.
 */
#ifndef WNBD_RECORDS_ONLINE_H
#define WNBD_RECORDS_ONLINE_H

#include <stdbool.h>

#define ONLINE_ADVICE_SIZE 256

struct online {
    bool is_known; /* else Windows does not show the disk, or does not answer, and the others are false */
    bool is_offline;
    bool is_read_only; /* by Windows, whatever the mapping is */
};

/* Asks Windows about \\.\PhysicalDriveN. A number below 0: Windows has not shown the disk yet. */
void online_ask(int disk_number, struct online *online);

/* A clause with the next step; false: none is needed. `is_writable`: the mapping itself would allow writing. */
bool online_advise(const struct online *online, int disk_number, bool is_writable, char advice[ONLINE_ADVICE_SIZE]);

#endif
