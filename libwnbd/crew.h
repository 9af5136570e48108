/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who of a dispatcher's threads does what. One of them leads: it waits in the driver for all. The others sit, in user
 * mode, until they are called. While callbacks are quick the one that leads carries out what it was given itself, and
 * what comes meanwhile gathers in the driver for its next command; while they are slow, or there is more than one
 * thread should take on at a time, it calls another one to lead. A command with much data to copy is for one that does
 * not lead, so that small requests never wait behind it in the driver, as long as there are threads that sit.
 *
 *                                 +--(runs, nobody leads)-- called
 *                                 v                          | ^
 *   serving --(nobody leads)--> leading     (somebody leads) | | (called)
 *      |  ^                        |                         v |
 *      |  +-------(returned)-------+                       sitting
 *      +-----------------(somebody leads)--------------------^
 *
 * Answers that wait, or much to copy, make a serving thread pass instead: a command that does not wait.
 *
 * Never do all sit: whoever is about to sees that another one leads. One that was called and does not run yet does not
 * lead: on a busy machine it may take a while, and who called it goes on alone meanwhile. The one that sat down last is
 * called first, its stack is still in the cache. Calls nothing of Windows; the caller serialises.
 */
#ifndef LIBWNBD_CREW_H
#define LIBWNBD_CREW_H

#include "libwnbd/pace.h"

#define CREW_MUCH_BYTES (128u << 10) /* more is: what the driver copies at a time */

enum crew_role {
    CREW_LEAD,   /* send a command that waits */
    CREW_PASS,   /* send one for what there is, the answers that wait or data to copy; somebody else leads, or will */
    CREW_HELP,   /* carry out what is queued here */
    CREW_SIT,    /* until called: the seat's role changes then */
    CREW_CALLED, /* it is to rise */
};

/* A thread's place. */
struct crew_seat {
    struct crew_seat *below; /* who sat down before */
    enum crew_role role;
};

struct crew {
    struct pace pace;
    struct crew_seat *last; /* who sat down last */
    UINT32 sitting;
    UINT32 called;
    UINT32 leading;  /* are in a command that waits, or on the way into one */
    UINT64 returned; /* commands that have come back, ever */
};

static inline void crew_start(struct crew *crew)
{
    pace_start(&crew->pace);
}

/* What there is to do for a thread that has nothing queued. */
struct crew_work {
    UINT32 answers; /* wait to be passed on */
    BOOL much;      /* is to be copied by its command */
    BOOL ends;      /* the disk does: each thread learns it from the driver */
};

/* What the thread does. CREW_SIT: the seat is in use until its role changes. CREW_PASS: if nobody leads somebody is to
 * be called. */
enum crew_role crew_choose(struct crew *crew, struct crew_seat *seat, const struct crew_work *work);

/* Who was called runs. CREW_LEAD, or CREW_SIT again: somebody leads. */
enum crew_role crew_rise(struct crew *crew, struct crew_seat *seat, BOOL ends);

/* The command of CREW_LEAD or CREW_PASS has come back, or the thread of one that leads or was called is no more: the
 * role is over. */
void crew_return(struct crew *crew, struct crew_seat *seat);

/* A command has brought `got` of at most `wanted` requests, with that much data: is another one to lead before they are
 * carried out? */
BOOL crew_needs_leader(const struct crew *crew, UINT32 got, UINT32 wanted, UINT64 bytes);

/* Nobody leads or was called to though somebody could: fine, unless it stays so. */
BOOL crew_is_headless(const struct crew *crew);

/* Gives a role, CREW_CALLED or CREW_HELP, to the one that sat down last, whom the caller wakes. NULL: nobody sits. */
struct crew_seat *crew_call(struct crew *crew, enum crew_role role);

#endif
