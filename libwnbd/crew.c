/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/crew.h"

#include <stddef.h>

static void sit_down(struct crew *crew, struct crew_seat *seat)
{
    seat->below = crew->last;
    crew->last = seat;
    crew->sitting++;
}

static enum crew_role role_of(const struct crew *crew, UINT32 answers, BOOL ends)
{
    if (crew->leading == 0 || ends)
        return CREW_LEAD;
    return answers > 0 ? CREW_PASS : CREW_SIT;
}

enum crew_role crew_choose(struct crew *crew, struct crew_seat *seat, UINT32 answers, BOOL ends)
{
    seat->role = role_of(crew, answers, ends);
    if (seat->role == CREW_LEAD)
        crew->leading++;
    else if (seat->role == CREW_SIT)
        sit_down(crew, seat);
    return seat->role;
}

enum crew_role crew_rise(struct crew *crew, struct crew_seat *seat, BOOL ends)
{
    crew->called--;
    return crew_choose(crew, seat, 0, ends);
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

BOOL crew_needs_leader(const struct crew *crew, UINT32 got, UINT32 wanted)
{
    return got > 0 && crew_is_headless(crew) && (got == wanted || !pace_is_quick(&crew->pace));
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
