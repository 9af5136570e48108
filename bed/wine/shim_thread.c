/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System threads of drivers, counted: one that is left when the driver is unloaded would run in freed memory. */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/wine/stack.h"
#include "bed/wine/start.h"
#include "bed/port/violation.h"

#define SETTLE_MS 200

struct thread_start {
    PKSTART_ROUTINE routine;
    void *context;
    struct bed_image *image;
};

/* Of whom a thread is. */
static unsigned long image_slot;

void bed_threads_start(void)
{
    image_slot = TlsAlloc();
}

static VOID NTAPI thread_main(PVOID argument)
{
    struct thread_start start = *(struct thread_start *)argument;
    void *stack = bed_stack_begin();

    bed_free(argument);
    TlsSetValue(image_slot, start.image);
    start.routine(start.context);
    bed_stack_end(stack);
    /* Returning is as good as PsTerminateSystemThread. */
    BED_COUNT(start.image, threads, -1);
}

static NTSTATUS NTAPI shim_PsCreateSystemThread(PHANDLE handle, ULONG access, POBJECT_ATTRIBUTES attributes,
                                                HANDLE process, PCLIENT_ID id, PKSTART_ROUTINE routine, PVOID context)
{
    struct bed_image *image = BED_CALLER();
    struct thread_start *start = bed_allocate(sizeof(*start));
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "PsCreateSystemThread");
    if (start == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *start = (struct thread_start){routine, context, image};
    BED_COUNT(image, threads, 1);
    BED_COUNT(image, threads_made, 1);
    status = PsCreateSystemThread(handle, access, attributes, process, id, thread_main, start);
    if (!NT_SUCCESS(status)) {
        BED_COUNT(image, threads, -1);
        bed_free(start);
    }
    return status;
}

static NTSTATUS NTAPI shim_PsTerminateSystemThread(NTSTATUS status)
{
    struct bed_image *image = TlsGetValue(image_slot); /* a call that is a function's last leaves no return address */

    bed_irql_at_most(PASSIVE_LEVEL, "PsTerminateSystemThread");
    BED_COUNT(image, threads, -1);
    return PsTerminateSystemThread(status);
}

void bed_threads_settle(struct bed_image *image)
{
    for (unsigned waited = 0; image->threads > 0 && waited < SETTLE_MS; waited += 10) {
        Sleep(10);
    }
}

const struct shim bed_thread_shims[] = {
    SHIM_CHECK(PsCreateSystemThread),
    SHIM_CHECK(PsTerminateSystemThread),
    SHIM_END,
};
