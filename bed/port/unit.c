/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units: one address of an adapter with its queue. */
#include "bed/port/internal.h"

struct unit *unit_create(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun)
{
    ULONG length = adapter->config.SpecificLuExtensionSize;
    struct unit *unit = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*unit) + length, PORT_TAG);
    KIRQL irql;

    if (unit == NULL) {
        return NULL;
    }
    RtlZeroMemory(unit, sizeof(*unit) + length);
    unit->references = 1;
    unit->adapter = adapter;
    unit->path = path;
    unit->target = target;
    unit->lun = lun;
    unit->extension = length != 0 ? unit + 1 : NULL;
    unit->depth = adapter->config.InitialLunQueueDepth;
    list_init(&unit->ready_link);
    list_init(&unit->waiting);
    list_init(&unit->outstanding);
    KeAcquireSpinLock(&adapter->lock, &irql);
    list_append(&adapter->units, &unit->link);
    KeReleaseSpinLock(&adapter->lock, irql);
    return unit;
}

void unit_reference(struct unit *unit)
{
    InterlockedIncrement(&unit->references);
}

void unit_release(struct unit *unit)
{
    if (InterlockedDecrement(&unit->references) == 0) {
        ExFreePoolWithTag(unit, PORT_TAG);
    }
}

struct unit *unit_find_locked(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun)
{
    for (struct list_link *link = adapter->units.next; link != &adapter->units; link = link->next) {
        struct unit *unit = list_member(link, struct unit, link);

        if (unit->path == path && unit->target == target && unit->lun == lun) {
            return unit;
        }
    }
    return NULL;
}

static void fail_waiting(struct list_link *requests)
{
    struct list_link *link;

    while ((link = list_take_first(requests)) != NULL) {
        struct request *request = list_member(link, struct request, link);

        RtlZeroMemory(&request->outcome, sizeof(request->outcome));
        request->outcome.srb_status = SRB_STATUS_NO_DEVICE;
        request->state = REQUEST_COMPLETING;
        request->done(request);
    }
}

/* Takes the unit off its adapter: waiting requests fail with NO_DEVICE, outstanding ones stay the miniport's. */
void unit_kill(struct unit *unit)
{
    struct adapter *adapter = unit->adapter;
    struct list_link failed;
    KIRQL irql;

    list_init(&failed);
    KeAcquireSpinLock(&adapter->lock, &irql);
    unit->dead = TRUE;
    list_remove(&unit->link);
    list_remove(&unit->ready_link);
    list_move_all(&failed, &unit->waiting);
    KeReleaseSpinLock(&adapter->lock, irql);
    fail_waiting(&failed);
    unit_release(unit);
}
