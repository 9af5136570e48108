/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the driver's disk to one that can be used: Windows has to make its disk device. */
#ifndef WNBD_CLIENT_READY_H
#define WNBD_CLIENT_READY_H

#include "include/wnbd.h"

/* Waits until \\.\PhysicalDriveN opens, 30 s at most. ERROR_OPERATION_ABORTED: an interruption (interrupt.h); 2:
 * somebody has unmapped it; others of WnbdPollDiskNumber. */
DWORD ready_wait(const char *name, DWORD *disk_number);

/* After a failure of ready_wait, when the disk is unmapped again: says why, and returns the exit code. */
int ready_report(const char *name, DWORD error);

#endif
