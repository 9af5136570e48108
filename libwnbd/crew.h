/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who of a dispatcher's threads does what. One of them leads: it waits in the driver for all. The others sit, in user
 * mode, until they are called. While callbacks are quick the one that leads carries out what it was given itself, and
 * what comes meanwhile gathers in the driver for its next command; while they are slow, or there is more than one
 * thread should take on at a time, it calls another one to lead.
 *
 *                                 +--(runs, nobody leads)-- called
 *                                 v                          | ^
 *   serving --(nobody leads)--> leading     (somebody leads) | | (called)
 *      |  ^                        |                         v |
 *      |  +-------(returned)-------+                       sitting
 *      +-----------------(somebody leads)--------------------^
 *
 * Never do all sit: whoever is about to sees that another one leads. One that was called and does not run yet does not
 * lead: on a busy machine it may take a while, and who called it goes on alone meanwhile. The one that sat down last is
 * called first, its stack is still in the cache. Calls nothing of Windows; the caller serialises.
 */
#ifndef LIBWNBD_CREW_H
#define LIBWNBD_CREW_H

#include "libwnbd/pace.h"

enum crew_role {
    CREW_LEAD,   /* send a command that waits */
    CREW_PASS,   /* send a command for the answers that wait; somebody else leads */
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

/* What a thread does that has nothing queued: `answers` wait to be passed on. When it `ends`, each thread learns it
 * from the driver. CREW_SIT: the seat is in use until its role changes. */
enum crew_role crew_choose(struct crew *crew, struct crew_seat *seat, UINT32 answers, BOOL ends);

/* Who was called runs. CREW_LEAD, or CREW_SIT again: somebody leads. */
enum crew_role crew_rise(struct crew *crew, struct crew_seat *seat, BOOL ends);

/* The command of CREW_LEAD or CREW_PASS has come back, or the thread of one that leads or was called is no more: the
 * role is over. */
void crew_return(struct crew *crew, struct crew_seat *seat);

/* A command has brought `got` of at most `wanted` requests: is another one to lead before they are carried out? */
BOOL crew_needs_leader(const struct crew *crew, UINT32 got, UINT32 wanted);

/* Nobody leads or was called to though somebody could: fine, unless it stays so. */
BOOL crew_is_headless(const struct crew *crew);

/* Gives a role, CREW_CALLED or CREW_HELP, to the one that sat down last, whom the caller wakes. NULL: nobody sits. */
struct crew_seat *crew_call(struct crew *crew, enum crew_role role);

#endif
