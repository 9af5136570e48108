/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WNBD_USR_STATS: what changes when. Calls nothing; the caller serialises. */
#ifndef LIBWNBD_USR_STATS_H
#define LIBWNBD_USR_STATS_H

#include "libwnbd/requests.h"

/* A request came, and with what result it was put among the others. */
void usr_stats_received(PWNBD_USR_STATS stats, enum requests_put_result put);

/* Its callback is about to be called, or the library to refuse it. */
void usr_stats_submitted(PWNBD_USR_STATS stats, const WNBD_IO_REQUEST *request);

/* That has returned. */
void usr_stats_returned(PWNBD_USR_STATS stats);

/* Somebody answers; `found`: a request that is unanswered, whose answer is on its way then. */
void usr_stats_reply(PWNBD_USR_STATS stats, const WNBD_IO_RESPONSE *response, BOOL found);

/* So many answers have reached the driver, or never will. */
void usr_stats_passed_on(PWNBD_USR_STATS stats, UINT32 count);

/* The disk is gone: before the lists are dropped. */
void usr_stats_gone(PWNBD_USR_STATS stats, const struct requests *requests);

#endif
