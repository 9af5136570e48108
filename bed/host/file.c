/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/file.h"

#include "bed/host/object.h"
#include "bed/host/pnp.h"
#include "bed/host/user.h"

static void file_gone(void *object)
{
    struct bed_file *file = object;

    if (file->open) {
        bed_file_send(file, IRP_MJ_CLOSE);
        InterlockedDecrement(&file->named->ReferenceCount);
    }
    bed_object_release(file->top);
    bed_object_release(file->named);
    bed_pnp_handle_closed();
}

struct bed_file *bed_file_create(PDEVICE_OBJECT device)
{
    struct bed_file *file = bed_object_create(BED_OBJECT_FILE, sizeof(*file), file_gone, __builtin_return_address(0));

    if (file == NULL) {
        bed_object_release(device);
        return NULL;
    }
    file->named = device;
    file->top = IoGetAttachedDeviceReference(device);
    file->object.DeviceObject = device;
    return file;
}

NTSTATUS bed_file_send(struct bed_file *file, UCHAR major)
{
    struct bed_io io;

    bed_io_begin(&io, file, major);
    IoCallDriver(file->top, io.irp);
    return bed_io_wait(&io, MAXULONG, NULL);
}
