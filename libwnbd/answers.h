/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBWNBD_ANSWERS_H
#define LIBWNBD_ANSWERS_H

#include "libwnbd/served.h"

/* Answers up to WNBD_ENTER_MAX_ANSWERS requests with one command, at once; the data of those that have some is in their
 * buffers already. Those that nobody waits for any more are left out. Any thread. */
void answers_send(struct served *served, const WNBD_IO_RESPONSE *responses, UINT32 count);

#endif
