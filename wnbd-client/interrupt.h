/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C (or a closed console) while a disk is being mapped or served: the work is ended and undone, not abandoned. */
#ifndef WNBD_CLIENT_INTERRUPT_H
#define WNBD_CLIENT_INTERRUPT_H

#include "include/wnbd.h"

#include <stdbool.h>

/* Ends the work. Called on a thread of its own, again and again until interrupt_end, never twice at a time. */
typedef void interrupt_action(void *context);

/* From here to interrupt_end an interruption calls `action`, instead of ending the process. Context: kept until then.
 * One at a time. */
DWORD interrupt_start(interrupt_action *action, void *context);

/* Was there one? */
bool interrupt_happened(void);

/* Waits for an action that is running; none runs after that. */
void interrupt_end(void);

#endif
