/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IRP_MJ_CREATE, CLEANUP and CLOSE. A host that sends no CLEANUP gets one made up here: a file object's CLOSE without a
 * CLEANUP before it sends the CLEANUP first, through the driver object, so that a miniport that chained itself in sees
 * it.
 */
#include "bed/port/internal.h"

#define CLEANED_UP ((void *)(ULONG_PTR)0x4e41454c43)

static NTSTATUS open(struct device *device, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);

    if (device->kind == DEVICE_DISK && disk_state((const struct disk *)device) == DISK_GONE) {
        return irp_finish(irp, STATUS_NO_SUCH_DEVICE, 0);
    }
    if (device->kind == DEVICE_DISK && (stack->Parameters.Create.Options & FILE_WRITE_THROUGH) != 0) {
        stack->FileObject->Flags |= FO_WRITE_THROUGH;
    }
    InterlockedIncrement(&device->open_handles);
    return irp_finish(irp, STATUS_SUCCESS, FILE_OPENED);
}

static NTSTATUS NTAPI cleaned_up(DEVICE_OBJECT *object, IRP *irp, void *context)
{
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* In the name of whoever sent the CLOSE. */
static void send_cleanup(struct device *device, FILE_OBJECT *file, const IRP *of_close)
{
    IRP *irp = IoAllocateIrp(device->object->StackSize, FALSE);
    IO_STACK_LOCATION *stack;
    KEVENT event;

    if (irp == NULL) {
        return;
    }
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    irp->RequestorMode = of_close->RequestorMode;
    irp->Tail.Overlay.Thread = of_close->Tail.Overlay.Thread;
    irp->Tail.Overlay.OriginalFileObject = file;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_CLEANUP;
    stack->FileObject = file;
    IoSetCompletionRoutine(irp, cleaned_up, &event, TRUE, TRUE, TRUE);
    if (IoCallDriver(device->object, irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    }
    IoFreeIrp(irp);
}

static NTSTATUS close(struct device *device, IRP *irp)
{
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;

    if (file != NULL && file->FsContext2 != CLEANED_UP) {
        send_cleanup(device, file, irp);
    }
    InterlockedDecrement(&device->open_handles);
    return irp_finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS cleanup(struct device *device, IRP *irp)
{
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;

    UNREFERENCED_PARAMETER(device);
    if (file != NULL) {
        file->FsContext2 = CLEANED_UP;
    }
    return irp_finish(irp, STATUS_SUCCESS, 0);
}

NTSTATUS file_dispatch(struct device *device, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MajorFunction) {
    case IRP_MJ_CREATE:
        return open(device, irp);
    case IRP_MJ_CLEANUP:
        return cleanup(device, irp);
    default:
        return close(device, irp);
    }
}
