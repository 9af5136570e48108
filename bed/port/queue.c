/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a submitted request to HwStartIo. A virtual miniport's HwStartIo is called without a lock, from any thread, at
 * up to DISPATCH_LEVEL; several threads may be in it at once. A completion inside HwStartIo or HwResetBus is handled
 * when that has returned, as Windows does it in a DPC: the miniport is never entered again from its own call.
 */
#include "bed/port/internal.h"

#define SYNCHRONOUS_LIMIT 600 /* seconds */

/* ---- holding back ---- */

static BOOLEAN is_paused(const struct adapter *adapter, ULONG until)
{
    return until != 0 && (LONG)(until - adapter->seconds) > 0;
}

static BOOLEAN adapter_may_start(const struct adapter *adapter)
{
    return adapter->held == 0 && adapter->busy_remaining == 0 && !is_paused(adapter, adapter->paused_until) &&
           adapter->outstanding < adapter->config.MaxNumberOfIO;
}

static BOOLEAN unit_may_start(const struct unit *unit)
{
    return unit->held == 0 && unit->busy_remaining == 0 && !is_paused(unit->adapter, unit->paused_until) &&
           unit->outstanding_count < unit->depth;
}

/* The next request that may be started, taken off its queue; NULL when there is none. With adapter->lock held. */
static struct request *next_to_start(struct adapter *adapter)
{
    while (!list_is_empty(&adapter->ready)) {
        struct unit *unit = list_member(adapter->ready.next, struct unit, ready_link);
        struct request *first = list_member(unit->waiting.next, struct request, link);
        BOOLEAN some = !list_is_empty(&unit->waiting);

        if (some && first->unheld) {
            list_remove(&first->link);
            return first;
        }
        if (!some || !unit_may_start(unit)) {
            list_remove(&unit->ready_link);
            continue;
        }
        if (!adapter_may_start(adapter)) {
            return NULL;
        }
        list_remove(&unit->ready_link);
        list_append(&adapter->ready, &unit->ready_link);
        list_remove(&first->link);
        return first;
    }
    return NULL;
}

static void count_down(ULONG *remaining, ULONG outstanding)
{
    if (*remaining != 0) {
        (*remaining)--;
    }
    if (outstanding == 0) {
        *remaining = 0;
    }
}

static void mark_ready_locked(struct unit *unit)
{
    if (!list_is_empty(&unit->waiting) && list_is_empty(&unit->ready_link) && !unit->dead) {
        list_append(&unit->adapter->ready, &unit->ready_link);
    }
}

static void leave_outstanding_locked(struct request *request)
{
    struct adapter *adapter = request->adapter;
    struct unit *unit = request->unit;

    list_remove(&request->link);
    unit->outstanding_count--;
    adapter->outstanding--;
    count_down(&unit->busy_remaining, unit->outstanding_count);
    count_down(&adapter->busy_remaining, adapter->outstanding);
    mark_ready_locked(unit);
}

/* Something that kept the unit from starting may be over. */
void unit_ready(struct unit *unit)
{
    KIRQL irql;

    KeAcquireSpinLock(&unit->adapter->lock, &irql);
    mark_ready_locked(unit);
    KeReleaseSpinLock(&unit->adapter->lock, irql);
    adapter_pump(unit->adapter);
}

void adapter_hold(struct adapter *adapter)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    adapter->held++;
    KeReleaseSpinLock(&adapter->lock, irql);
}

void adapter_unhold(struct adapter *adapter)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    adapter->held--;
    KeReleaseSpinLock(&adapter->lock, irql);
    adapter_pump(adapter);
}

/* ---- starting ---- */

static struct pump *pump_of_thread_locked(struct adapter *adapter)
{
    HANDLE thread = PsGetCurrentThreadId();
    struct pump *pump;

    for (pump = adapter->pumps; pump != NULL && pump->thread != thread;) {
        pump = pump->next;
    }
    return pump;
}

/* The miniport's part is over. A thread that is in the miniport puts the request aside until it has returned. */
void request_leave(struct request *request)
{
    struct adapter *adapter = request->adapter;
    struct pump *pump;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    pump = pump_of_thread_locked(adapter);
    if (pump != NULL) {
        list_remove(&request->link);
        list_append(&pump->finished, &request->link);
    } else {
        leave_outstanding_locked(request);
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    if (pump == NULL) {
        request_finish(request);
    }
}

static void mark_outstanding_locked(struct request *request)
{
    struct adapter *adapter = request->adapter;
    struct unit *unit = request->unit;

    list_append(&unit->outstanding, &request->link);
    unit->outstanding_count++;
    adapter->outstanding++;
    InterlockedIncrement(&adapter->activity);
    request->deadline = adapter->seconds + request->command.timeout_s + 1;
    request->overdue = FALSE;
    request->state = REQUEST_OUTSTANDING;
}

/* HwStartIo did not want it: as if it had been completed with BUSY, unless it was completed as well. */
static void refused(struct request *request)
{
    if (InterlockedCompareExchange(&request->state, REQUEST_COMPLETING, REQUEST_OUTSTANDING) == REQUEST_OUTSTANDING) {
        request_spoil(request);
        guard_seal(request);
        RtlZeroMemory(&request->outcome, sizeof(request->outcome));
        request->outcome.srb_status = SRB_STATUS_BUSY;
        request_leave(request);
    }
}

/* The request is outstanding. When this returns it may be over and used again for another. */
void request_start(struct request *request)
{
    struct adapter *adapter = request->adapter;
    const HW_INITIALIZATION_DATA *hw = &adapter->miniport->hw;
    SCSI_REQUEST_BLOCK *srb = &request->srb.scsi;
    unsigned char irql = bed_irql_raise(DISPATCH_LEVEL);
    BOOLEAN started = TRUE;

    guard_start(request);
    srb_build(request);
    if (hw->HwBuildIo == NULL || hw->HwBuildIo(adapter->extension, srb)) {
        started = hw->HwStartIo(adapter->extension, srb);
    }
    bed_irql_lower(irql);
    if (!started) {
        refused(request);
    }
}

static BOOLEAN pump_enter_locked(struct adapter *adapter, struct pump *pump)
{
    if (pump_of_thread_locked(adapter) != NULL) {
        return FALSE;
    }
    pump->thread = PsGetCurrentThreadId();
    pump->next = adapter->pumps;
    adapter->pumps = pump;
    list_init(&pump->finished);
    return TRUE;
}

static void pump_leave_locked(struct adapter *adapter, struct pump *pump)
{
    struct pump **link;

    for (link = &adapter->pumps; *link != pump;) {
        link = &(*link)->next;
    }
    *link = pump->next;
}

/* Starts what may be started and finishes what was completed meanwhile. With adapter->lock held, which it drops. */
static void pump_run_locked(struct adapter *adapter, struct pump *pump, KIRQL *irql)
{
    for (;;) {
        struct list_link *link = list_take_first(&pump->finished);
        struct request *request;

        if (link != NULL) {
            request = list_member(link, struct request, link);
            leave_outstanding_locked(request);
            KeReleaseSpinLock(&adapter->lock, *irql);
            request_finish(request);
        } else {
            request = next_to_start(adapter);
            if (request == NULL) {
                return;
            }
            mark_outstanding_locked(request);
            KeReleaseSpinLock(&adapter->lock, *irql);
            request_start(request);
        }
        KeAcquireSpinLock(&adapter->lock, irql);
    }
}

/* With adapter->lock held, which it drops meanwhile, as the next. */
static void pump_here_locked(struct adapter *adapter, KIRQL *irql)
{
    struct pump pump;

    if (!list_is_empty(&adapter->ready) && pump_enter_locked(adapter, &pump)) {
        pump_run_locked(adapter, &pump, irql);
        pump_leave_locked(adapter, &pump);
    }
}

static void pump_locked(struct adapter *adapter, KIRQL *irql)
{
    if (adapter->issuer_count == 0) {
        pump_here_locked(adapter, irql);
    } else if (!list_is_empty(&adapter->ready)) {
        KeReleaseSemaphore(&adapter->issue, IO_NO_INCREMENT, 1, FALSE);
    }
}

/* Starts what may be started, on this thread. */
void adapter_pump_here(struct adapter *adapter)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    pump_here_locked(adapter, &irql);
    KeReleaseSpinLock(&adapter->lock, irql);
}

/* Starts what may be started, on this thread or, when the adapter has issuers, on one of theirs. */
void adapter_pump(struct adapter *adapter)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    pump_locked(adapter, &irql);
    KeReleaseSpinLock(&adapter->lock, irql);
}

BOOLEAN pump_enter(struct adapter *adapter, struct pump *pump)
{
    BOOLEAN entered;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    entered = pump_enter_locked(adapter, pump);
    KeReleaseSpinLock(&adapter->lock, irql);
    return entered;
}

void pump_leave(struct adapter *adapter, struct pump *pump)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    pump_run_locked(adapter, pump, &irql);
    pump_leave_locked(adapter, pump);
    KeReleaseSpinLock(&adapter->lock, irql);
}

/* ---- submitting ---- */

/* As if the miniport had said that nobody is there. */
void request_fail_dead(struct request *request)
{
    RtlZeroMemory(&request->outcome, sizeof(request->outcome));
    request->outcome.srb_status = SRB_STATUS_NO_DEVICE;
    request->state = REQUEST_COMPLETING;
    request->done(request);
}

/* Queues the request; `done` is called exactly once, perhaps before this returns. Takes the request until then. */
void request_submit(struct request *request)
{
    struct unit *unit = request->unit;
    struct adapter *adapter = request->adapter;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    if (unit->dead) {
        KeReleaseSpinLock(&adapter->lock, irql);
        request_fail_dead(request);
        return;
    }
    request->state = REQUEST_WAITING;
    list_append(request->head ? unit->waiting.next : &unit->waiting, &request->link);
    mark_ready_locked(unit);
    pump_locked(adapter, &irql);
    KeReleaseSpinLock(&adapter->lock, irql);
}

static void run_done(struct request *request)
{
    KeSetEvent(request->context, IO_NO_INCREMENT, FALSE);
}

/*
 * Submits and waits; the outcome is in the request, which stays the caller's. PASSIVE_LEVEL. A miniport that never
 * completes it has been reset by then many times; the request is lost, on purpose.
 */
NTSTATUS request_run(struct request *request)
{
    LARGE_INTEGER limit = {.QuadPart = -(LONGLONG)SYNCHRONOUS_LIMIT * 10000000};
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    request->done = run_done;
    request->context = &event;
    request_submit(request);
    if (KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &limit) == STATUS_TIMEOUT) {
        port_violation("never-completed: a synchronous request (function 0x%x, CDB 0x%x) was not completed within %u s",
                       request->command.function, request->command.cdb[0], SYNCHRONOUS_LIMIT);
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    }
    return STATUS_SUCCESS;
}
