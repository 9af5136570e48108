/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/worker.h"

static struct work *take(struct worker *worker, bool *ending)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link *link;
    struct work *work = NULL;

    KeAcquireInStackQueuedSpinLock(&worker->lock, &handle);
    link = list_take_first(&worker->works);
    if (link != NULL) {
        work = list_member(link, struct work, link);
        work->queued = false;
    }
    *ending = worker->ending;
    KeReleaseInStackQueuedSpinLock(&handle);
    return work;
}

static VOID NTAPI worker_thread(PVOID context)
{
    struct worker *worker = context;
    bool ending = false;

    while (!ending) {
        struct work *work;

        KeWaitForSingleObject(&worker->wake, Executive, KernelMode, FALSE, NULL);
        while ((work = take(worker, &ending)) != NULL) {
            work->routine(work);
        }
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS worker_start(struct worker *worker)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE thread;
    NTSTATUS status;

    KeInitializeEvent(&worker->wake, SynchronizationEvent, FALSE);
    KeInitializeSpinLock(&worker->lock);
    list_init(&worker->works);
    worker->ending = false;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, &attributes, NULL, NULL, worker_thread, worker);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, DDK_THREAD_TYPE, KernelMode, (PVOID *)&worker->thread,
                                       NULL);
    NT_ASSERT(NT_SUCCESS(status)); /* a handle of our own to a thread */
    ZwClose(thread);
    return status;
}

void worker_stop(struct worker *worker)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&worker->lock, &handle);
    worker->ending = true;
    KeReleaseInStackQueuedSpinLock(&handle);
    KeSetEvent(&worker->wake, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(worker->thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(worker->thread);
}

void work_init(struct work *work, void (*routine)(struct work *work))
{
    list_init(&work->link);
    work->routine = routine;
    work->queued = false;
}

bool worker_queue(struct worker *worker, struct work *work)
{
    KLOCK_QUEUE_HANDLE handle;
    bool queue;

    KeAcquireInStackQueuedSpinLock(&worker->lock, &handle);
    queue = !work->queued;
    if (queue) {
        work->queued = true;
        list_append(&worker->works, &work->link);
        KeSetEvent(&worker->wake, IO_NO_INCREMENT, FALSE); /* under the lock: what is queued may be the worker's last */
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return queue;
}

struct call {
    struct work work;
    void (*routine)(void *context);
    void *context;
    KEVENT done;
};

static void run_call(struct work *work)
{
    struct call *call = CONTAINING_RECORD(work, struct call, work);

    call->routine(call->context);
    KeSetEvent(&call->done, IO_NO_INCREMENT, FALSE); /* the call is gone from here on */
}

void worker_call(struct worker *worker, void (*routine)(void *context), void *context)
{
    struct call call = {.routine = routine, .context = context};

    work_init(&call.work, run_call);
    KeInitializeEvent(&call.done, NotificationEvent, FALSE);
    worker_queue(worker, &call.work);
    KeWaitForSingleObject(&call.done, Executive, KernelMode, FALSE, NULL);
}
