/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C (or a closed console) while a disk is being mapped: the work is broken off and undone, not abandoned. */
#ifndef WNBD_CLIENT_INTERRUPT_H
#define WNBD_CLIENT_INTERRUPT_H

#include "include/wnbd.h"

#include <stdbool.h>

/* From here to interrupt_end an interruption cancels what is pending on `adapter` (borrowed), instead of ending the
 * process. One at a time. */
DWORD interrupt_start(HANDLE adapter);

/* Was there one? */
bool interrupt_happened(void);

void interrupt_end(void);

#endif
