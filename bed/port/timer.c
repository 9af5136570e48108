/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* StorPortInitializeTimer, StorPortRequestTimer, StorPortFreeTimer: the miniport's own timers, which clock.c calls. */
#include "bed/port/internal.h"

ULONG hw_timer_create(struct adapter *adapter, void **handle)
{
    struct hw_timer *timer = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*timer), PORT_TAG);
    KIRQL irql;

    if (timer == NULL) {
        return STOR_STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(timer, sizeof(*timer));
    KeAcquireSpinLock(&adapter->timer_lock, &irql);
    list_append(&adapter->hw_timers, &timer->link);
    KeReleaseSpinLock(&adapter->timer_lock, irql);
    *handle = timer;
    return STOR_STATUS_SUCCESS;
}

static BOOLEAN is_timer(struct adapter *adapter, const void *handle)
{
    BOOLEAN found = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->timer_lock, &irql);
    for (struct list_link *link = adapter->hw_timers.next; link != &adapter->hw_timers; link = link->next) {
        found = found || list_member(link, struct hw_timer, link) == handle;
    }
    KeReleaseSpinLock(&adapter->timer_lock, irql);
    if (!found) {
        port_violation("timer: %p is no timer of StorPortInitializeTimer", handle);
    }
    return found;
}

/* Timer handle, callback, context, due time and tolerable delay in microseconds; due time 0 cancels. */
ULONG hw_timer_request(struct adapter *adapter, va_list arguments)
{
    struct hw_timer *timer = va_arg(arguments, void *);
    hw_timer_callback *callback = va_arg(arguments, hw_timer_callback *);
    void *context = va_arg(arguments, void *);
    ULONGLONG microseconds = va_arg(arguments, ULONGLONG);

    if (!is_timer(adapter, timer)) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    hw_timer_set(adapter, timer, callback, context, microseconds);
    return STOR_STATUS_SUCCESS;
}

ULONG hw_timer_free(struct adapter *adapter, void *handle)
{
    struct hw_timer *timer = handle;
    KIRQL irql;

    if (!is_timer(adapter, timer)) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    KeAcquireSpinLock(&adapter->timer_lock, &irql);
    list_remove(&timer->link);
    KeReleaseSpinLock(&adapter->timer_lock, irql);
    ExFreePoolWithTag(timer, PORT_TAG);
    return STOR_STATUS_SUCCESS;
}

/* After HwFreeAdapterResources no timer may be left. */
void hw_timers_check(struct adapter *adapter)
{
    struct list_link *link;

    list_remove(&adapter->notification_timer.link);
    while ((link = list_take_first(&adapter->hw_timers)) != NULL) {
        port_violation("timer-leak: a timer of StorPortInitializeTimer was not freed by HwFreeAdapterResources");
        ExFreePoolWithTag(list_member(link, struct hw_timer, link), PORT_TAG);
    }
}
