/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/interrupt.h"

#define CANCEL_AGAIN_MS 50

static HANDLE adapter_handle;
static HANDLE work_is_over; /* event */
static LONG volatile has_happened;

/*
 * Runs in a thread of its own. A command that is issued just after the cancelling would be missed, so it is repeated
 * until the work is over; when this returns after a closed console, Windows ends the process.
 */
static BOOL WINAPI on_interrupt(DWORD type)
{
    (void)type;
    InterlockedExchange(&has_happened, 1);
    for (DWORD pause_ms = 0; WaitForSingleObject(work_is_over, pause_ms) == WAIT_TIMEOUT; pause_ms = CANCEL_AGAIN_MS)
        CancelIoEx(adapter_handle, NULL);
    return TRUE;
}

DWORD interrupt_start(HANDLE adapter)
{
    adapter_handle = adapter;
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
    SetConsoleCtrlHandler(on_interrupt, FALSE);
}
