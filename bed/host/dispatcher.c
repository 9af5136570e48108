/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One lock guards all dispatcher objects, as on Windows. Who waits is on one list; whoever signals an object hands it
 * to those it satisfies, in the order in which they came. They are woken without the lock, for which they would only
 * wait. ThreadSanitizer sees an edge for each object alone.
 */
#include "bed/host/dispatcher.h"

#include "bed/host/clock.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/sanitizer.h"
#include "bed/host/schedule.h"
#include "bed/host/spinlock.h"
#include "bed/host/thread.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#define OBJECTS_MAX 64

enum { WAITER_WAITS, WAITER_SATISFIED };

struct waiter {
    struct list_link link; /* guarded by lock */
    DISPATCHER_HEADER *const *objects;
    ULONG count;
    BOOLEAN all;
    ULONG index;    /* which object let it go */
    BOOLEAN let_go; /* guarded by lock: it is on the list of whoever is about to wake it */
    volatile uint32_t state;
};

static struct bed_lock lock;
static struct list_link waiters = {&waiters, &waiters};

static BOOLEAN is_known_type(const DISPATCHER_HEADER *header)
{
    switch (header->Type) {
    case DISPATCHER_NOTIFICATION:
    case DISPATCHER_SYNCHRONIZATION:
    case DISPATCHER_SEMAPHORE:
    case DISPATCHER_THREAD:
        return TRUE;
    default:
        return FALSE;
    }
}

static void consume(DISPATCHER_HEADER *header)
{
    if (header->Type == DISPATCHER_SYNCHRONIZATION) {
        header->SignalState = 0;
    } else if (header->Type == DISPATCHER_SEMAPHORE) {
        header->SignalState--;
    }
}

/* Takes what the waiter waits for if it is there. With the lock held. */
static BOOLEAN satisfy(struct waiter *waiter)
{
    ULONG signalled = 0;

    for (ULONG i = 0; i < waiter->count; i++) {
        if (waiter->objects[i]->SignalState <= 0) {
            continue;
        }
        signalled++;
        if (!waiter->all) {
            waiter->index = i;
            consume(waiter->objects[i]);
            return TRUE;
        }
    }
    if (!waiter->all || signalled != waiter->count) {
        return FALSE;
    }
    for (ULONG i = 0; i < waiter->count; i++) {
        consume(waiter->objects[i]);
    }
    return TRUE;
}

static BOOLEAN waits_for(const struct waiter *waiter, const DISPATCHER_HEADER *header)
{
    for (ULONG i = 0; i < waiter->count; i++) {
        if (waiter->objects[i] == header) {
            return TRUE;
        }
    }
    return FALSE;
}

/* With the lock held: whom the object satisfies goes over to the list `woken`. */
static void let_go(DISPATCHER_HEADER *header, struct list_link *woken)
{
    struct list_link *link = waiters.next;

    list_init(woken);
    while (link != &waiters && header->SignalState > 0) {
        struct waiter *waiter = list_member(link, struct waiter, link);

        link = link->next;
        if (waits_for(waiter, header) && satisfy(waiter)) {
            list_remove(&waiter->link);
            waiter->let_go = TRUE;
            list_append(woken, &waiter->link);
        }
    }
}

/* Without the lock. Once one of them runs the object may be gone, and so is the waiter. */
static void wake(struct list_link *woken)
{
    struct list_link *link;

    while ((link = list_take_first(woken)) != NULL) {
        struct waiter *waiter = list_member(link, struct waiter, link);

        __atomic_store_n(&waiter->state, WAITER_SATISFIED, __ATOMIC_RELEASE);
        bed_word_wake(&waiter->state); /* touches no memory */
    }
}

static void check_object(const DISPATCHER_HEADER *header, const char *routine)
{
    if (!is_known_type(header)) {
        port_violation("dispatcher: %s of %p, which is not initialised", routine, (const void *)header);
    }
}

void bed_dispatcher_signal(DISPATCHER_HEADER *header)
{
    struct list_link woken;

    bed_publish(header);
    bed_lock_unseen(&lock);
    header->SignalState = 1;
    let_go(header, &woken);
    bed_unlock_unseen(&lock);
    wake(&woken);
}

/* ---- waiting ---- */

/* What is left until `deadline`, in nanoseconds; UINT64_MAX: for ever. */
static uint64_t time_left(uint64_t deadline)
{
    uint64_t now;

    if (deadline == UINT64_MAX) {
        return UINT64_MAX;
    }
    now = bed_clock_ns();
    return now < deadline ? deadline - now : 0;
}

/* The deadline of a timeout in NT's form: NULL for ever, negative relative, else absolute system time. */
static uint64_t deadline_of(const LARGE_INTEGER *timeout)
{
    LARGE_INTEGER now;
    LONGLONG ticks;

    if (timeout == NULL) {
        return UINT64_MAX;
    }
    ticks = -timeout->QuadPart;
    if (timeout->QuadPart > 0) {
        KeQuerySystemTime(&now);
        ticks = timeout->QuadPart > now.QuadPart ? timeout->QuadPart - now.QuadPart : 0;
    }
    return bed_clock_ns() + (uint64_t)ticks * 100;
}

/* Sleeps until somebody lets the waiter go; FALSE: the time has passed first. */
static BOOLEAN sleep_at_most(struct waiter *waiter, const LARGE_INTEGER *timeout)
{
    uint64_t deadline = deadline_of(timeout);
    BOOLEAN is_let_go;
    uint64_t left;

    while (waiter->state == WAITER_WAITS && (left = time_left(deadline)) != 0) {
        bed_word_wait_ns(&waiter->state, WAITER_WAITS, bed_clock_real_ns(left));
    }
    bed_schedule_point(BED_POINT_TIMEOUT);
    if (__atomic_load_n(&waiter->state, __ATOMIC_ACQUIRE) == WAITER_SATISFIED) {
        return TRUE;
    }
    bed_lock_unseen(&lock);
    is_let_go = waiter->let_go;
    if (!is_let_go) {
        list_remove(&waiter->link);
    }
    bed_unlock_unseen(&lock);
    while (is_let_go && __atomic_load_n(&waiter->state, __ATOMIC_ACQUIRE) == WAITER_WAITS) {
        bed_word_wait(&waiter->state, WAITER_WAITS, BED_FOREVER);
    }
    return is_let_go;
}

static NTSTATUS wait(struct waiter *waiter, const LARGE_INTEGER *timeout)
{
    BOOLEAN satisfied;

    bed_schedule_point(BED_POINT_WAIT);
    bed_lock_unseen(&lock);
    satisfied = satisfy(waiter);
    if (!satisfied) {
        list_append(&waiters, &waiter->link);
    }
    bed_unlock_unseen(&lock);
    if (!satisfied && !sleep_at_most(waiter, timeout)) {
        return STATUS_TIMEOUT;
    }
    for (ULONG i = 0; i < waiter->count; i++) {
        if (waiter->all || i == waiter->index) {
            bed_observe(waiter->objects[i]);
        }
    }
    return STATUS_WAIT_0 + (NTSTATUS)waiter->index;
}

static void check_wait(const LARGE_INTEGER *timeout, const char *routine)
{
    if (timeout == NULL || timeout->QuadPart != 0) {
        bed_irql_at_most(APC_LEVEL, routine);
        bed_spinlocks_none(routine);
    } else {
        bed_irql_at_most(DISPATCH_LEVEL, routine);
    }
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout)
{
    DISPATCHER_HEADER *const objects[1] = {Object};
    struct waiter waiter = {.objects = objects, .count = 1};

    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    check_wait(Timeout, "KeWaitForSingleObject");
    check_object(Object, "KeWaitForSingleObject");
    return wait(&waiter, Timeout);
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON WaitReason,
                                  KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PVOID WaitBlockArray)
{
    struct waiter waiter = {.objects = (DISPATCHER_HEADER **)Object, .count = Count, .all = WaitType == WaitAll};

    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    check_wait(Timeout, "KeWaitForMultipleObjects");
    if (Count == 0 || Count > (WaitBlockArray != NULL ? OBJECTS_MAX : 3)) {
        port_violation("dispatcher: KeWaitForMultipleObjects of %u objects", Count);
    }
    for (ULONG i = 0; i < Count; i++) {
        check_object(Object[i], "KeWaitForMultipleObjects");
    }
    return wait(&waiter, Timeout);
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    struct waiter nobody = {.objects = NULL};

    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    check_wait(Interval, "KeDelayExecutionThread");
    wait(&nobody, Interval);
    return STATUS_SUCCESS;
}

/* ---- events and semaphores ---- */

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    RtlZeroMemory(Event, sizeof(*Event));
    Event->Header.Type = (UCHAR)Type;
    Event->Header.SignalState = State;
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    struct list_link woken;
    LONG old;

    UNREFERENCED_PARAMETER(Increment);
    list_init(&woken);
    bed_irql_at_most(Wait ? APC_LEVEL : DISPATCH_LEVEL, "KeSetEvent");
    check_object(&Event->Header, "KeSetEvent");
    bed_schedule_point(BED_POINT_SET);
    bed_publish(Event);
    bed_lock_unseen(&lock);
    old = Event->Header.SignalState;
    Event->Header.SignalState = 1;
    if (old == 0) {
        let_go(&Event->Header, &woken);
    }
    bed_unlock_unseen(&lock);
    wake(&woken);
    return old;
}

LONG KeResetEvent(PRKEVENT Event)
{
    LONG old;

    bed_irql_at_most(DISPATCH_LEVEL, "KeResetEvent");
    check_object(&Event->Header, "KeResetEvent");
    bed_lock_unseen(&lock);
    old = Event->Header.SignalState;
    Event->Header.SignalState = 0;
    bed_unlock_unseen(&lock);
    return old;
}

VOID KeClearEvent(PRKEVENT Event)
{
    KeResetEvent(Event);
}

LONG KeReadStateEvent(PRKEVENT Event)
{
    return __atomic_load_n(&Event->Header.SignalState, __ATOMIC_ACQUIRE);
}

VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    RtlZeroMemory(Semaphore, sizeof(*Semaphore));
    Semaphore->Header.Type = DISPATCHER_SEMAPHORE;
    Semaphore->Header.SignalState = Count;
    Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    struct list_link woken;
    LONG old;

    UNREFERENCED_PARAMETER(Increment);
    list_init(&woken);
    bed_irql_at_most(Wait ? APC_LEVEL : DISPATCH_LEVEL, "KeReleaseSemaphore");
    check_object(&Semaphore->Header, "KeReleaseSemaphore");
    bed_publish(Semaphore);
    bed_lock_unseen(&lock);
    old = Semaphore->Header.SignalState;
    if (Adjustment <= 0 || Adjustment > Semaphore->Limit - old) {
        port_violation("dispatcher: KeReleaseSemaphore by %d, %d of %d are there", Adjustment, old, Semaphore->Limit);
    } else {
        Semaphore->Header.SignalState += Adjustment;
        let_go(&Semaphore->Header, &woken);
    }
    bed_unlock_unseen(&lock);
    wake(&woken);
    return old;
}
