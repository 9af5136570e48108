/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/user.h"

#include "bed/host/clock.h"
#include "bed/host/device.h"
#include "bed/host/file.h"
#include "bed/host/interface.h"
#include "bed/host/irp.h"
#include "bed/host/object.h"
#include "bed/host/section.h"
#include "bed/host/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_DISK 5
#define LAST_DISK  200

static void io_ended(PIRP irp, void *context)
{
    struct bed_io *io = context;

    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(&io->done, IO_NO_INCREMENT, FALSE);
}

PIO_STACK_LOCATION bed_io_begin(struct bed_io *io, struct bed_file *file, UCHAR major)
{
    PIO_STACK_LOCATION stack;

    memset(io, 0, sizeof(*io));
    io->file = file;
    KeInitializeEvent(&io->done, NotificationEvent, FALSE);
    io->irp = bed_irp_create(file->top->StackSize, io_ended, io);
    if (io->irp == NULL) {
        abort();
    }
    io->irp->RequestorMode = UserMode;
    io->irp->Tail.Overlay.OriginalFileObject = &file->object;
    stack = IoGetNextIrpStackLocation(io->irp);
    stack->MajorFunction = major;
    stack->FileObject = &file->object;
    return stack;
}

/* The same for a request during which the file may be closed. */
static PIO_STACK_LOCATION begin(struct bed_io *io, struct bed_file *file, UCHAR major)
{
    PIO_STACK_LOCATION stack = bed_io_begin(io, file, major);

    bed_object_reference(file);
    io->holds_file = true;
    return stack;
}

/* In the context of the program. */
static void send(struct bed_file *file, PIRP irp)
{
    struct bed_thread *thread = bed_thread_self();

    thread->requests++;
    IoCallDriver(file->top, irp);
    thread->requests--;
}

NTSTATUS bed_io_wait(struct bed_io *io, ULONG milliseconds, ULONG_PTR *information)
{
    LARGE_INTEGER limit = {.QuadPart = -(LONGLONG)milliseconds * 10000};
    NTSTATUS status =
        KeWaitForSingleObject(&io->done, Executive, UserMode, FALSE, milliseconds == MAXULONG ? NULL : &limit);
    PIRP irp = io->irp;
    ULONG_PTR moved = irp->IoStatus.Information;

    if (status == STATUS_TIMEOUT) {
        return status;
    }
    status = irp->IoStatus.Status;
    if (io->system_buffer != NULL && io->output != NULL && !NT_ERROR(status)) {
        memcpy(io->output, io->system_buffer, min(moved, io->output_length));
    }
    free(io->system_buffer);
    if (irp->MdlAddress != NULL && !io->borrows_pages) {
        bed_buffer_unlock(irp->MdlAddress);
    }
    if (information != NULL) {
        *information = moved;
    }
    IoFreeIrp(irp);
    io->irp = NULL;
    if (io->holds_file) {
        bed_object_release(io->file);
    }
    return status;
}

void bed_io_cancel(struct bed_io *io)
{
    IoCancelIrp(io->irp);
}

/* ---- files ---- */

/* Takes the reference to the device. */
static NTSTATUS open_device(PDEVICE_OBJECT device, struct bed_file **file)
{
    struct bed_file *opened = bed_file_create(device);
    NTSTATUS status;

    if (opened == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    InterlockedIncrement(&device->ReferenceCount);
    status = bed_file_send(opened, IRP_MJ_CREATE);
    if (!NT_SUCCESS(status)) {
        InterlockedDecrement(&device->ReferenceCount);
        bed_object_release(opened);
        return status;
    }
    opened->open = TRUE;
    *file = opened;
    return STATUS_SUCCESS;
}

NTSTATUS bed_open(const char *name, struct bed_file **file)
{
    PDEVICE_OBJECT device = bed_device_named(name);

    return device != NULL ? open_device(device, file) : STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS bed_open_interface(const GUID *class, struct bed_file **file)
{
    PDEVICE_OBJECT device = bed_interface_find(class);

    return device != NULL ? open_device(device, file) : STATUS_OBJECT_NAME_NOT_FOUND;
}

void bed_close(struct bed_file *file)
{
    bed_file_send(file, IRP_MJ_CLEANUP);
    bed_object_release(file);
}

bool bed_unmap_view(const void *address)
{
    return bed_view_unmap_user(address);
}

/* ---- controls ---- */

void bed_control_begin(struct bed_io *io, struct bed_file *file, ULONG code, const void *input, ULONG input_length,
                       void *output, ULONG output_length)
{
    PIO_STACK_LOCATION stack = begin(io, file, IRP_MJ_DEVICE_CONTROL);
    ULONG size = max(input_length, output_length);

    stack->Parameters.DeviceIoControl.IoControlCode = code;
    stack->Parameters.DeviceIoControl.InputBufferLength = input_length;
    stack->Parameters.DeviceIoControl.OutputBufferLength = output_length;
    io->code = code;
    io->output = output;
    io->output_length = output_length;
    io->system_buffer = size != 0 ? malloc(size) : NULL;
    if (io->system_buffer != NULL) {
        memset(io->system_buffer, 0xCB, size);
    }
    if (input_length != 0) {
        memcpy(io->system_buffer, input, input_length);
    }
    io->irp->AssociatedIrp.SystemBuffer = io->system_buffer;
    send(file, io->irp);
}

NTSTATUS bed_control(struct bed_file *file, ULONG code, const void *input, ULONG input_length, void *output,
                     ULONG output_length, ULONG *returned)
{
    ULONG_PTR information = 0;
    struct bed_io io;
    NTSTATUS status;

    bed_control_begin(&io, file, code, input, input_length, output, output_length);
    status = bed_io_wait(&io, MAXULONG, &information);
    if (returned != NULL) {
        *returned = (ULONG)information;
    }
    return status;
}

/* ---- transfers ---- */

static PMDL lock(void *buffer, ULONG length, LOCK_OPERATION operation)
{
    PMDL mdl = IoAllocateMdl(buffer, length, FALSE, FALSE, NULL);

    MmProbeAndLockPages(mdl, UserMode, operation);
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    return mdl;
}

PMDL bed_buffer_lock(void *buffer, ULONG length)
{
    return lock(buffer, length, IoModifyAccess);
}

void bed_buffer_unlock(PMDL mdl)
{
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

static void begin_transfer(struct bed_io *io, struct bed_file *file, bool write, ULONGLONG offset, ULONG length)
{
    PIO_STACK_LOCATION stack = begin(io, file, write ? IRP_MJ_WRITE : IRP_MJ_READ);

    stack->Parameters.Read.Length = length;
    stack->Parameters.Read.ByteOffset.QuadPart = (LONGLONG)offset;
}

void bed_transfer_begin(struct bed_io *io, struct bed_file *file, bool write, ULONGLONG offset, void *buffer,
                        ULONG length)
{
    begin_transfer(io, file, write, offset, length);
    if (length != 0) {
        io->irp->MdlAddress = lock(buffer, length, write ? IoReadAccess : IoWriteAccess);
    }
    send(file, io->irp);
}

void bed_transfer_begin_locked(struct bed_io *io, struct bed_file *file, bool write, ULONGLONG offset, PMDL mdl)
{
    begin_transfer(io, file, write, offset, mdl->ByteCount);
    io->borrows_pages = true;
    io->irp->MdlAddress = mdl;
    send(file, io->irp);
}

static NTSTATUS transfer(struct bed_file *file, bool write, ULONGLONG offset, void *buffer, ULONG length)
{
    struct bed_io io;

    bed_transfer_begin(&io, file, write, offset, buffer, length);
    return bed_io_wait(&io, MAXULONG, NULL);
}

NTSTATUS bed_read(struct bed_file *file, ULONGLONG offset, void *buffer, ULONG length)
{
    return transfer(file, false, offset, buffer, length);
}

NTSTATUS bed_write(struct bed_file *file, ULONGLONG offset, const void *buffer, ULONG length)
{
    return transfer(file, true, offset, (void *)(uintptr_t)buffer, length);
}

NTSTATUS bed_flush(struct bed_file *file)
{
    return bed_file_send(file, IRP_MJ_FLUSH_BUFFERS);
}

/* ---- disks ---- */

static bool has_target(struct bed_file *file, UCHAR target)
{
    SCSI_ADDRESS address = {0};

    return NT_SUCCESS(bed_control(file, IOCTL_SCSI_GET_ADDRESS, NULL, 0, &address, sizeof(address), NULL)) &&
           address.TargetId == target;
}

static bool try_disks(UCHAR target, struct bed_file **file)
{
    for (unsigned number = FIRST_DISK; number < LAST_DISK; number++) {
        char name[48];

        snprintf(name, sizeof(name), "\\DosDevices\\PhysicalDrive%u", number);
        if (!NT_SUCCESS(bed_open(name, file))) {
            continue;
        }
        if (has_target(*file, target)) {
            return true;
        }
        bed_close(*file);
    }
    return false;
}

NTSTATUS bed_open_disk(UCHAR target, ULONG milliseconds, struct bed_file **file)
{
    LARGE_INTEGER pause = {.QuadPart = -1 * 10000};
    uint64_t deadline = bed_clock_ns() + milliseconds * 1000000ull;

    while (!try_disks(target, file)) {
        if (bed_clock_ns() >= deadline) {
            return STATUS_NO_SUCH_DEVICE;
        }
        KeDelayExecutionThread(UserMode, FALSE, &pause);
    }
    return STATUS_SUCCESS;
}
