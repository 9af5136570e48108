/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper of a disk: a thread that lives as long as the disk is open here. Its OWN command is what the driver sees
 * the owner by: Windows cancels it when this process ends, whatever happens to it.
 *
 * It also looks after what a callback holds up that does not return: every tick it sends answers that have waited since
 * the last one, and calls or wakes threads for requests that have, and one to lead when that nobody has. It is told
 * when there is something to look after after it had gone to sleep, and so costs the busy path nothing.
 */
#ifndef LIBWNBD_KEEPER_H
#define LIBWNBD_KEEPER_H

#include "libwnbd/served.h"

/* Makes the disk this process's. 14, or what the driver says; then there is no keeper. */
DWORD keeper_start(struct served *served);

/* Ends it, and with it the ownership. No worker is left. */
void keeper_stop(struct served *served);

/* Why the disk has gone, as WNBD_IOCTL_OWN_COMMAND has it. After `gone`, before keeper_stop. */
DWORD keeper_reason(struct served *served);

/* Something was queued or deferred: call it with served.lock held, and keeper_tell without, if it was TRUE. */
BOOL keeper_must_be_told(struct served *served);
void keeper_tell(struct served *served);

#endif
