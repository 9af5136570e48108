/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work items. Each runs on a thread of its own: Windows' pool grows when its threads are held up, which is the same to
 * an item. */
#include "bed/host/irql.h"
#include "bed/host/object.h"
#include "bed/host/sanitizer.h"
#include "bed/host/schedule.h"
#include "bed/host/thread.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#include <stdlib.h>

struct _IO_WORKITEM {
    PDEVICE_OBJECT device;
    PIO_WORKITEM_ROUTINE routine;
    PVOID context;
    volatile LONG queued;
};

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM item;

    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateWorkItem");
    item = calloc(1, sizeof(*item));
    if (item != NULL) {
        item->device = DeviceObject;
    }
    return item;
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoFreeWorkItem");
    if (IoWorkItem->queued != 0) {
        port_violation("work: a queued work item is freed");
    }
    free(IoWorkItem);
}

/* The routine may free its item. */
static void run(void *argument)
{
    PIO_WORKITEM item = argument;
    PDEVICE_OBJECT device = item->device;

    bed_schedule_point(BED_POINT_THREAD);
    InterlockedExchange(&item->queued, 0);
    bed_observe(item);
    item->routine(device, item->context);
    if (bed_irql() != PASSIVE_LEVEL) {
        port_violation("irql: a work item was left at IRQL %u", bed_irql());
    }
    bed_object_release(device);
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context)
{
    UNREFERENCED_PARAMETER(QueueType);
    bed_irql_at_most(DISPATCH_LEVEL, "IoQueueWorkItem");
    if (InterlockedExchange(&IoWorkItem->queued, 1) != 0) {
        port_violation("work: a work item is queued that is queued already");
        return;
    }
    IoWorkItem->routine = WorkerRoutine;
    IoWorkItem->context = Context;
    bed_object_reference(IoWorkItem->device);
    bed_publish(IoWorkItem);
    if (!bed_thread_run(run, IoWorkItem)) {
        abort();
    }
}
