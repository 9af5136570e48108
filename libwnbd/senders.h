/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What threads of the program that answer need for a moment: kept for the next one, so that nothing is made for each
 * answer. There are as many as threads have ever answered at a time. */
#ifndef LIBWNBD_SENDERS_H
#define LIBWNBD_SENDERS_H

#include "libwnbd/served.h"

/* Gives one, without a wish in its command; NULL: no memory. Takes it back. Both take served.lock. */
struct sender *senders_take(struct served *served);
void senders_put(struct served *served, struct sender *sender);

/* Frees all; nobody answers any more. */
void senders_close(struct served *served);

#endif
