/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An adapter's clock: one thread that does what Windows does in timer DPCs, at DISPATCH_LEVEL: the one-second tick,
 * retries, and the miniport's own timers. A host's kernel timers are not relied on: Wine's cannot be set again in their
 * own DPC.
 */
#include "bed/port/internal.h"

#define SECOND 10000000LL /* in 100 ns, as all times here */

static LONGLONG now(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER counter = KeQueryPerformanceCounter(&frequency);

    return (LONGLONG)((ULONGLONG)counter.QuadPart / (ULONGLONG)frequency.QuadPart) * SECOND +
           (LONGLONG)((ULONGLONG)counter.QuadPart % (ULONGLONG)frequency.QuadPart) * SECOND / frequency.QuadPart;
}

void clock_wake(struct adapter *adapter)
{
    KeSetEvent(&adapter->clock_event, IO_NO_INCREMENT, FALSE);
}

/* ---- the miniport's timers ---- */

void hw_timer_set(struct adapter *adapter, struct hw_timer *timer, hw_timer_callback *callback, void *context,
                  ULONGLONG microseconds)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->timer_lock, &irql);
    timer->callback = callback;
    timer->context = context;
    timer->due = microseconds != 0 ? now() + (LONGLONG)microseconds * 10 : 0;
    KeReleaseSpinLock(&adapter->timer_lock, irql);
    clock_wake(adapter);
}

/* Calls one timer that is due; FALSE when there is none. The timer may be freed or set again from its callback. */
static BOOLEAN call_due_timer(struct adapter *adapter, LONGLONG time)
{
    hw_timer_callback *callback = NULL;
    void *context = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->timer_lock, &irql);
    for (struct list_link *link = adapter->hw_timers.next; link != &adapter->hw_timers; link = link->next) {
        struct hw_timer *timer = list_member(link, struct hw_timer, link);

        if (timer->due != 0 && timer->due <= time) {
            timer->due = 0;
            callback = timer->callback;
            context = timer->context;
            break;
        }
    }
    KeReleaseSpinLock(&adapter->timer_lock, irql);
    if (callback != NULL) {
        callback(adapter->extension, context);
    }
    return callback != NULL;
}

static LONGLONG next_timer(struct adapter *adapter, LONGLONG limit)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->timer_lock, &irql);
    for (struct list_link *link = adapter->hw_timers.next; link != &adapter->hw_timers; link = link->next) {
        LONGLONG due = list_member(link, struct hw_timer, link)->due;

        limit = due != 0 && due < limit ? due : limit;
    }
    KeReleaseSpinLock(&adapter->timer_lock, irql);
    return limit;
}

/* ---- the thread ---- */

struct schedule {
    LONGLONG second; /* the next one-second tick */
    LONGLONG retry;  /* the next retry tick; 0: none */
};

static void wait_until(struct adapter *adapter, const struct schedule *schedule)
{
    LONGLONG until = next_timer(adapter, schedule->second);
    LARGE_INTEGER wait;

    until = schedule->retry != 0 && schedule->retry < until ? schedule->retry : until;
    wait.QuadPart = now() - until;
    if (wait.QuadPart < 0) {
        KeWaitForSingleObject(&adapter->clock_event, Executive, KernelMode, FALSE, &wait);
    }
}

static void run_due(struct adapter *adapter, struct schedule *schedule)
{
    unsigned char irql = bed_irql_raise(DISPATCH_LEVEL);
    LONGLONG time = now();

    while (call_due_timer(adapter, time)) {
    }
    if (schedule->retry != 0 && schedule->retry <= time) {
        retry_tick(adapter);
        schedule->retry = 0;
    }
    if (schedule->second <= time) {
        schedule->second = time + SECOND;
        second_tick(adapter);
    }
    bed_irql_lower(irql);
}

static void NTAPI clock_thread(void *context)
{
    struct adapter *adapter = context;
    struct schedule schedule = {now() + SECOND, 0};

    while (!adapter->clock_off) {
        if (schedule.retry == 0 && !list_looks_empty(&adapter->delayed)) {
            schedule.retry = now() + RETRY_TICK_MS * SECOND / 1000;
        }
        wait_until(adapter, &schedule);
        run_due(adapter, &schedule);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS clock_start(struct adapter *adapter)
{
    HANDLE handle;
    NTSTATUS status;

    adapter->clock_off = FALSE;
    KeInitializeEvent(&adapter->clock_event, SynchronizationEvent, FALSE);
    status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, clock_thread, adapter);
    if (NT_SUCCESS(status)) {
        status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &adapter->clock, NULL);
        ZwClose(handle);
    }
    return status;
}

/* Nothing of the clock runs any more when this returns; what waited for a retry has failed. PASSIVE_LEVEL. */
void clock_stop(struct adapter *adapter)
{
    KIRQL irql;

    if (adapter->clock == NULL) {
        return;
    }
    KeAcquireSpinLock(&adapter->lock, &irql);
    adapter->clock_off = TRUE;
    KeReleaseSpinLock(&adapter->lock, irql);
    clock_wake(adapter);
    KeWaitForSingleObject(adapter->clock, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(adapter->clock);
    adapter->clock = NULL;
    retry_tick(adapter);
}
