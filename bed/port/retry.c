/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that are submitted again after a while: BUSY ones, and those that the class driver tries again. */
#include "bed/port/internal.h"

/* Submits the request again after a while. */
void request_delay(struct request *request, ULONG milliseconds, BOOLEAN head)
{
    struct adapter *adapter = request->adapter;
    BOOLEAN off;
    KIRQL irql;

    request->head = head;
    request->state = REQUEST_WAITING;
    request->delay_ticks = milliseconds / RETRY_TICK_MS + 1;
    KeAcquireSpinLock(&adapter->lock, &irql);
    off = adapter->clock_off;
    if (!off) {
        list_append(&adapter->delayed, &request->link);
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    if (off) {
        request_fail_dead(request);
    } else {
        clock_wake(adapter);
    }
}

/* Moves the requests that are due to `due`. With adapter->lock held. */
static void collect_due_locked(struct adapter *adapter, struct list_link *due)
{
    struct list_link *link = adapter->delayed.next;

    while (link != &adapter->delayed) {
        struct request *request = list_member(link, struct request, link);

        link = link->next;
        if (--request->delay_ticks == 0 || adapter->clock_off) {
            list_remove(&request->link);
            list_append(due, &request->link);
        }
    }
}

/* Every RETRY_TICK_MS while requests wait for a retry, at DISPATCH_LEVEL; and once after the clock has stopped. */
void retry_tick(struct adapter *adapter)
{
    struct list_link due;
    struct list_link *link;
    KIRQL irql;

    list_init(&due);
    KeAcquireSpinLock(&adapter->lock, &irql);
    collect_due_locked(adapter, &due);
    KeReleaseSpinLock(&adapter->lock, irql);
    while ((link = list_take_first(&due)) != NULL) {
        request_submit(list_member(link, struct request, link));
    }
}
