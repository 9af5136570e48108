/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/stack.h"

#include "bed/host/schedule.h"
#include "bed/host/thread.h"

#define STACK_LEFT   14000 /* of 24 KiB, when a miniport is entered */
#define FRAME_SCALE  8     /* how much larger a sanitizer's frames are */
#define SHORT_ONE_IN 40
#define SHORT_BYTES  1000

void *bed_stack_begin(void)
{
    struct bed_thread *thread = bed_thread_self();
    void *old = (void *)(size_t)thread->driver_entered;

    if (old == NULL) {
        thread->driver_entered = __builtin_frame_address(0);
    }
    return old;
}

void bed_stack_end(void *old)
{
    bed_thread_self()->driver_entered = old;
}

size_t bed_stack_left(const void *here)
{
    const struct bed_thread *thread = bed_thread_self();
    const UCHAR *base = thread->driver_entered != NULL ? thread->driver_entered : thread->stack_base;
    size_t used = (const UCHAR *)here < base ? (size_t)(base - (const UCHAR *)here) / FRAME_SCALE : 0;

    if (bed_schedule_chance(SHORT_ONE_IN)) {
        return SHORT_BYTES;
    }
    return used < STACK_LEFT ? STACK_LEFT - used : 0;
}

ULONG_PTR IoGetRemainingStackSize(VOID)
{
    return bed_stack_left(__builtin_frame_address(0));
}
