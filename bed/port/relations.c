/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/port/internal.h"
#include "bed/port/relations.h"

#define STEP_MS     10
#define PATIENCE_MS 30000

static KSPIN_LOCK lock;
static LONG unanswered;    /* guarded by lock: the PnP manager was told and has not asked yet */
static BOOLEAN held;       /* guarded by lock */
static BOOLEAN put_off;    /* guarded by lock: somebody wanted to tell meanwhile */
static KEVENT *at_barrier; /* guarded by lock */

void relations_invalidate(struct adapter *adapter)
{
    BOOLEAN tell;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    tell = !held;
    if (tell) {
        unanswered++;
    } else {
        put_off = TRUE;
    }
    KeReleaseSpinLock(&lock, irql);
    if (tell) {
        IoInvalidateDeviceRelations(adapter->pdo, BusRelations);
    }
}

void relations_asked(void)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    if (unanswered > 0) {
        unanswered--;
    }
    KeReleaseSpinLock(&lock, irql);
}

void relations_barrier_reached(void)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    if (at_barrier != NULL) {
        KeSetEvent(at_barrier, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&lock, irql);
}

static void set_barrier(KEVENT *event)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    at_barrier = event;
    KeReleaseSpinLock(&lock, irql);
}

static void wait_until_asked(void)
{
    LARGE_INTEGER pause = {.QuadPart = -10000LL * STEP_MS};

    for (ULONG waited = 0; *(volatile LONG *)&unanswered > 0; waited += STEP_MS) {
        if (waited >= PATIENCE_MS) {
            port_log("%ld changes of disks were not looked at within %u s", unanswered, PATIENCE_MS / 1000);
            return;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
}

/* One thread looks at one device after the other: when it asks about the control device, it is done with the rest. */
static void wait_until_done(void)
{
    LARGE_INTEGER limit = {.QuadPart = -10000LL * PATIENCE_MS};
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    set_barrier(&event);
    if (control_invalidate() && KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &limit) != STATUS_SUCCESS) {
        port_log("the PnP manager did not finish within %u s", PATIENCE_MS / 1000);
    }
    set_barrier(NULL);
}

void relations_hold(void)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    held = TRUE;
    KeReleaseSpinLock(&lock, irql);
    wait_until_asked();
    wait_until_done();
}

/* Adapters are only made and removed between hold and let go, by the same thread, so their list stands still here. */
void relations_let_go(void)
{
    BOOLEAN tell;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    tell = put_off;
    held = FALSE;
    put_off = FALSE;
    KeReleaseSpinLock(&lock, irql);
    for (struct adapter *adapter = adapters; tell && adapter != NULL; adapter = adapter->next) {
        relations_invalidate(adapter);
    }
}
