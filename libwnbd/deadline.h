/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trying again until a time is up. */
#ifndef LIBWNBD_DEADLINE_H
#define LIBWNBD_DEADLINE_H

#include "include/wnbd.h"

#define DEADLINE_NEVER_MS (MAXLONGLONG / 2)

struct deadline {
    ULONGLONG end_ms; /* by GetTickCount64 */
};

static inline void deadline_start(struct deadline *deadline, ULONGLONG timeout_ms)
{
    deadline->end_ms = GetTickCount64() + timeout_ms;
}

/* Sleeps `interval_ms`, or what is left. FALSE: the time is up. Never spins: an interval of 0 is taken as 1. */
static inline BOOL deadline_sleep(const struct deadline *deadline, DWORD interval_ms)
{
    ULONGLONG now_ms = GetTickCount64();
    ULONGLONG left_ms = now_ms < deadline->end_ms ? deadline->end_ms - now_ms : 0;

    if (left_ms == 0)
        return FALSE;
    if (interval_ms == 0)
        interval_ms = 1;
    Sleep(interval_ms < left_ms ? interval_ms : (DWORD)left_ms);
    return TRUE;
}

#endif
