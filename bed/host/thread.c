/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "bed/host/thread.h"

#include "bed/host/dispatcher.h"
#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/object.h"
#include "bed/host/sanitizer.h"
#include "bed/host/schedule.h"
#include "bed/port/violation.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>

#define STACK_BYTES (1 << 20)

/* The object of a thread of PsCreateSystemThread; its header is signalled when the thread has ended. */
struct _KTHREAD {
    DISPATCHER_HEADER header;
    PKSTART_ROUTINE routine;
    PVOID context;
    jmp_buf end;
};

static __thread struct bed_thread self;
static volatile LONG numbers;

struct bed_thread *bed_thread_self(void)
{
    if (self.number == 0) {
        self.number = (ULONG)InterlockedIncrement(&numbers);
        self.stack_base = __builtin_frame_address(0);
        bed_schedule_thread(&self);
    }
    return &self;
}

static bool create(void *(*start)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool created;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    created = pthread_create(&thread, &attributes, start, argument) == 0;
    pthread_attr_destroy(&attributes);
    return created;
}

struct plain {
    void (*routine)(void *argument);
    void *argument;
};

static void *run_plain(void *argument)
{
    struct plain plain = *(struct plain *)argument;

    free(argument);
    plain.routine(plain.argument);
    return NULL;
}

bool bed_thread_run(void (*routine)(void *argument), void *argument)
{
    struct plain *plain = malloc(sizeof(*plain));

    if (plain == NULL) {
        return false;
    }
    *plain = (struct plain){routine, argument};
    if (!create(run_plain, plain)) {
        free(plain);
        return false;
    }
    return true;
}

static void check_end(const struct bed_thread *thread)
{
    if (thread->irql != PASSIVE_LEVEL) {
        port_violation("thread: a thread ends at IRQL %u", thread->irql);
    }
    if (thread->held_count != 0) {
        port_violation("thread: a thread ends with a spin lock held");
    }
    if (thread->critical_regions != 0) {
        port_violation("thread: a thread ends in a critical region");
    }
}

static void *run_system(void *argument)
{
    struct _KTHREAD *thread = argument;
    struct bed_thread *current = bed_thread_self();

    current->object = thread;
    if (setjmp(thread->end) == 0) {
        bed_schedule_point(BED_POINT_THREAD);
        thread->routine(thread->context);
    }
    check_end(current);
    bed_dispatcher_signal(&thread->header);
    bed_object_release(thread);
    return NULL;
}

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              HANDLE ProcessHandle, PVOID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    struct _KTHREAD *thread;

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(ObjectAttributes);
    UNREFERENCED_PARAMETER(ProcessHandle);
    UNREFERENCED_PARAMETER(ClientId);
    bed_irql_at_most(PASSIVE_LEVEL, "PsCreateSystemThread");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_THREAD)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    thread = bed_object_create(BED_OBJECT_THREAD, sizeof(*thread), NULL, __builtin_return_address(0));
    if (thread == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    thread->header.Type = DISPATCHER_THREAD;
    thread->routine = StartRoutine;
    thread->context = StartContext;
    *ThreadHandle = bed_handle_create(thread);
    if (*ThreadHandle == NULL || !create(run_system, thread)) {
        abort();
    }
    return STATUS_SUCCESS;
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    struct bed_thread *thread = bed_thread_self();

    UNREFERENCED_PARAMETER(ExitStatus);
    if (thread->object == NULL) {
        port_violation("thread: PsTerminateSystemThread on a thread that PsCreateSystemThread did not make");
        abort();
    }
    longjmp(thread->object->end, 1);
}

HANDLE PsGetCurrentThreadId(VOID)
{
    return (HANDLE)(ULONG_PTR)bed_thread_self()->number;
}
