/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/interrupt.h"

#define ACT_AGAIN_MS 50

static interrupt_action *action;
static void *action_context;
static SRWLOCK action_lock = SRWLOCK_INIT; /* held while the action runs */
static HANDLE work_is_over;                /* event */
static LONG volatile has_happened;

/* False: the work is over. */
static bool act(void)
{
    bool goes_on;

    AcquireSRWLockExclusive(&action_lock);
    goes_on = WaitForSingleObject(work_is_over, 0) == WAIT_TIMEOUT;
    if (goes_on)
        action(action_context);
    ReleaseSRWLockExclusive(&action_lock);
    return goes_on;
}

/*
 * Runs in a thread of its own. A command that is issued just after the cancelling would be missed, so it is repeated
 * until the work is over; when this returns after a closed console, Windows ends the process.
 */
static BOOL WINAPI on_interrupt(DWORD type)
{
    (void)type;
    InterlockedExchange(&has_happened, 1);
    while (act())
        WaitForSingleObject(work_is_over, ACT_AGAIN_MS);
    return TRUE;
}

DWORD interrupt_start(interrupt_action *called, void *context)
{
    action = called;
    action_context = context;
    work_is_over = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!work_is_over)
        return GetLastError();
    return SetConsoleCtrlHandler(on_interrupt, TRUE) ? ERROR_SUCCESS : GetLastError();
}

bool interrupt_happened(void)
{
    return InterlockedCompareExchange(&has_happened, 0, 0) != 0;
}

void interrupt_end(void)
{
    /* In this order: taking the handler off may wait for one that is running, which waits for the event. The event
     * stays open because of that one; the process ends soon. */
    SetEvent(work_is_over);
    AcquireSRWLockExclusive(&action_lock);
    ReleaseSRWLockExclusive(&action_lock);
    SetConsoleCtrlHandler(on_interrupt, FALSE);
}
