/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/crew.h"

#include <stddef.h>

static void sit_down(struct crew *crew, struct crew_seat *seat)
{
    seat->below = crew->last;
    crew->last = seat;
    crew->sitting++;
}

/* Somebody leads, or can be called to. */
static BOOL has_others(const struct crew *crew)
{
    return crew->leading > 0 || crew->called > 0 || crew->sitting > 0;
}

static enum crew_role role_of(const struct crew *crew, const struct crew_work *work)
{
    if (work->ends)
        return CREW_LEAD;
    if (work->much && has_others(crew))
        return CREW_PASS;
    if (crew->leading == 0)
        return CREW_LEAD;
    return work->answers > 0 ? CREW_PASS : CREW_SIT;
}

enum crew_role crew_choose(struct crew *crew, struct crew_seat *seat, const struct crew_work *work)
{
    seat->role = role_of(crew, work);
    if (seat->role == CREW_LEAD)
        crew->leading++;
    else if (seat->role == CREW_SIT)
        sit_down(crew, seat);
    return seat->role;
}

enum crew_role crew_rise(struct crew *crew, struct crew_seat *seat, BOOL ends)
{
    const struct crew_work work = {.ends = ends};

    crew->called--;
    return crew_choose(crew, seat, &work);
}

void crew_return(struct crew *crew, struct crew_seat *seat)
{
    if (seat->role == CREW_LEAD)
        crew->leading--;
    else if (seat->role == CREW_CALLED)
        crew->called--;
    seat->role = CREW_HELP;
    crew->returned++;
}

BOOL crew_needs_leader(const struct crew *crew, UINT32 got, UINT32 wanted, UINT64 bytes)
{
    BOOL takes_long = got == wanted || bytes > CREW_MUCH_BYTES || !pace_is_quick(&crew->pace);

    return got > 0 && crew_is_headless(crew) && takes_long;
}

BOOL crew_is_headless(const struct crew *crew)
{
    return crew->leading == 0 && crew->called == 0 && crew->sitting > 0;
}

struct crew_seat *crew_call(struct crew *crew, enum crew_role role)
{
    struct crew_seat *seat = crew->last;

    if (!seat)
        return NULL;
    crew->last = seat->below;
    crew->sitting--;
    seat->role = role;
    if (role == CREW_CALLED)
        crew->called++;
    return seat;
}
