/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES, action TRIM: the ranges become UNMAP commands within the disk's limits. */
#include "bed/port/internal.h"
#include "core/base/bytes.h"
#include "core/base/checked.h"

#define ACTION_TRIM     1
#define ACTION_FLAGS    0x80000000
#define DESCRIPTORS     128 /* in one UNMAP at most */
#define UNMAP_TIMEOUT_S 60

/* DEVICE_MANAGE_DATA_SET_ATTRIBUTES, DEVICE_DATA_SET_RANGE of ntddstor.h */
struct data_set {
    ULONG size;
    ULONG action;
    ULONG flags;
    ULONG parameters_offset;
    ULONG parameters_length;
    ULONG ranges_offset;
    ULONG ranges_length;
};

struct data_range {
    LONGLONG offset;
    ULONGLONG length;
};

/* A list of UNMAP block descriptors under construction. */
struct unmap {
    ULONG count;
    ULONG maximum;        /* descriptors the disk takes */
    ULONGLONG blocks;     /* so far */
    ULONGLONG blocks_max; /* the disk takes */
    UCHAR list[8 + DESCRIPTORS * 16];
};

static void limits(const struct disk *disk, struct unmap *unmap)
{
    const struct identity *identity = &disk->identity;

    unmap->blocks_max = 0xFFFFFFFF;
    unmap->maximum = DESCRIPTORS;
    if (identity->block_limits_length >= 28) {
        ULONG blocks = load_be32(identity->block_limits + 20);
        ULONG descriptors = load_be32(identity->block_limits + 24);

        unmap->blocks_max = blocks != 0 ? blocks : 0xFFFFFFFF;
        unmap->maximum = descriptors != 0 && descriptors < DESCRIPTORS ? descriptors : DESCRIPTORS;
    }
}

static NTSTATUS send(struct disk *disk, struct unmap *unmap)
{
    ULONG length = 8 + unmap->count * 16;
    UCHAR cdb[10] = {SCSIOP_UNMAP, [7] = (UCHAR)(length >> 8), (UCHAR)length};
    struct judgement judgement;
    struct request *request;

    if (unmap->count == 0) {
        return STATUS_SUCCESS;
    }
    request = request_take(disk->unit);
    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(unmap->list, 8);
    store_be16(unmap->list, (USHORT)(length - 2));
    store_be16(unmap->list + 2, (USHORT)(length - 8));
    command_scsi(&request->command, cdb, sizeof(cdb), SRB_FLAGS_DATA_OUT | SRB_FLAGS_NO_QUEUE_FREEZE, UNMAP_TIMEOUT_S);
    command_data(request, unmap->list, length);
    request_run(request);
    judge(&request->outcome, &judgement);
    request_give(request);
    unmap->count = 0;
    unmap->blocks = 0;
    return judgement.status;
}

static NTSTATUS add(struct disk *disk, struct unmap *unmap, ULONGLONG lba, ULONGLONG blocks)
{
    while (blocks != 0) {
        ULONGLONG room = unmap->blocks_max - unmap->blocks;
        ULONGLONG take = blocks < room ? blocks : room;
        UCHAR *descriptor = unmap->list + 8 + unmap->count * 16;

        store_be64(descriptor, lba);
        store_be32(descriptor + 8, (ULONG)take);
        store_be32(descriptor + 12, 0);
        unmap->count++;
        unmap->blocks += take;
        lba += take;
        blocks -= take;
        if (unmap->count == unmap->maximum || unmap->blocks == unmap->blocks_max) {
            NTSTATUS status = send(disk, unmap);

            if (!NT_SUCCESS(status)) {
                return status;
            }
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS trim(struct disk *disk, const struct data_range *ranges, ULONG count)
{
    ULONG block_size = disk->capacity.block_size;
    ULONGLONG size = disk_blocks(disk) * block_size;
    struct unmap *unmap = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*unmap), PORT_TAG);
    NTSTATUS status = STATUS_SUCCESS;

    if (unmap == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(unmap, sizeof(*unmap));
    limits(disk, unmap);
    for (ULONG i = 0; i < count && NT_SUCCESS(status); i++) {
        ULONGLONG offset = (ULONGLONG)ranges[i].offset;

        if (ranges[i].offset < 0 || !checked_range(offset, ranges[i].length, size) || offset % block_size != 0 ||
            ranges[i].length % block_size != 0) {
            status = STATUS_INVALID_PARAMETER;
        } else {
            status = add(disk, unmap, offset / block_size, ranges[i].length / block_size);
        }
    }
    if (NT_SUCCESS(status)) {
        status = send(disk, unmap);
    }
    ExFreePoolWithTag(unmap, PORT_TAG);
    return status;
}

NTSTATUS manage_data_set(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    const UCHAR *input = irp->AssociatedIrp.SystemBuffer;
    const struct data_set *set = irp->AssociatedIrp.SystemBuffer;
    ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.InputBufferLength;

    *information = 0;
    if (length < sizeof(*set) || set->size < sizeof(*set)) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((set->action & ~ACTION_FLAGS) != ACTION_TRIM) {
        return STATUS_NOT_SUPPORTED;
    }
    if (!checked_range(set->ranges_offset, set->ranges_length, length) || set->ranges_offset % 8 != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!disk->capacity.thin) {
        return STATUS_NOT_SUPPORTED;
    }
    return trim(disk, (const struct data_range *)(const void *)(input + set->ranges_offset),
                set->ranges_length / sizeof(struct data_range));
}
