/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * READ, WRITE and FLUSH of a disk. An IRP becomes as many SRBs as MaximumTransferLength asks for, all submitted at once
 * and all describing their part of the IRP's MDL: DataBuffer - MmGetMdlVirtualAddress(mdl) is the part's offset. Of the
 * IRP's DriverContext: [0] SRBs still under way, [1] the first bad status, [2] the MDL's true StartVa, [3] bytes moved.
 */
#include "bed/port/internal.h"
#include "bed/port/control.h"
#include "core/base/bytes.h"

#define IO_RETRIES 8

struct transfer {
    volatile LONG remaining;
    volatile LONG status;
    void *start_va;
    volatile LONG64 moved;
};

/* Where the transfer of an IRP is kept: in the IRP. */
static struct transfer *transfer_of(IRP *irp)
{
    C_ASSERT(offsetof(struct transfer, status) == 4);
    C_ASSERT(sizeof(struct transfer) <= sizeof(irp->Tail.Overlay.DriverContext));
    return (struct transfer *)(void *)irp->Tail.Overlay.DriverContext;
}

static void transfer_complete(IRP *irp)
{
    struct transfer *transfer = transfer_of(irp);
    NTSTATUS status = transfer->status;
    ULONG_PTR moved = NT_SUCCESS(status) ? (ULONG_PTR)transfer->moved : 0;

    if (irp->MdlAddress != NULL && transfer->start_va != NULL) {
        irp->MdlAddress->StartVa = transfer->start_va;
    }
    irp_finish(irp, status, moved);
}

static void part_over(IRP *irp, NTSTATUS status, ULONG moved)
{
    struct transfer *transfer = transfer_of(irp);

    if (!NT_SUCCESS(status)) {
        InterlockedCompareExchange(&transfer->status, status, STATUS_SUCCESS);
    }
    InterlockedExchangeAdd64(&transfer->moved, moved);
    if (InterlockedDecrement(&transfer->remaining) == 0) {
        transfer_complete(irp);
    }
}

/* 06/2A/09: the class driver reads the capacity again. */
static void notice_attention(struct request *request)
{
    const struct outcome *outcome = &request->outcome;
    struct disk *disk = request->unit->disk;

    if (disk != NULL && outcome->sense_valid && (outcome->sense[2] & 0x0F) == 0x06 && outcome->sense[12] == 0x2A &&
        outcome->sense[13] == 0x09) {
        InterlockedExchange(&disk->capacity_changed, 1);
    }
}

/* A removed device's requests are not tried again. */
static BOOLEAN is_gone(const struct disk *disk)
{
    return disk == NULL || disk_state(disk) == DISK_GONE;
}

static void transfer_done(struct request *request)
{
    struct judgement judgement;
    IRP *irp = request->irp;
    ULONG moved = request->outcome.transferred;

    judge(&request->outcome, &judgement);
    notice_attention(request);
    if (judgement.retry && request->retries < IO_RETRIES && !is_gone(request->unit->disk)) {
        request->retries++;
        request_delay(request, judgement.delay_ms, FALSE);
        return;
    }
    guard_end(request);
    request_give(request);
    part_over(irp, judgement.status, moved);
}

/* Submits a request of an IRP's transfer. */
void transfer_submit(struct request *request)
{
    request->done = transfer_done;
    request_submit(request);
}

static void transfer_cdb(UCHAR cdb[16], UCHAR *length, BOOLEAN write, ULONGLONG lba, ULONG blocks, BOOLEAN fua)
{
    RtlZeroMemory(cdb, 16);
    cdb[1] = fua ? 0x08 : 0;
    if (lba + blocks > 0xFFFFFFFF || blocks > 0xFFFF) {
        cdb[0] = write ? SCSIOP_WRITE16 : SCSIOP_READ16;
        store_be64(cdb + 2, lba);
        store_be32(cdb + 10, blocks);
        *length = 16;
    } else {
        cdb[0] = write ? SCSIOP_WRITE : SCSIOP_READ;
        store_be32(cdb + 2, (ULONG)lba);
        store_be16(cdb + 7, (USHORT)blocks);
        *length = 10;
    }
}

struct part {
    ULONGLONG offset; /* on the disk */
    ULONG at;         /* in the IRP's buffer */
    ULONG length;
    BOOLEAN write;
    BOOLEAN fua;
};

static void part_prepare(struct disk *disk, struct request *request, IRP *irp, const struct part *part)
{
    struct command *command = &request->command;
    ULONG block_size = disk->capacity.block_size;
    UCHAR cdb[16];
    UCHAR cdb_length;

    transfer_cdb(cdb, &cdb_length, part->write, part->offset / block_size, part->length / block_size, part->fua);
    command_scsi(command, cdb, cdb_length,
                 (part->write ? SRB_FLAGS_DATA_OUT : SRB_FLAGS_DATA_IN) | SRB_FLAGS_NO_QUEUE_FREEZE |
                     SRB_FLAGS_QUEUE_ACTION_ENABLE | SRB_FLAGS_ADAPTER_CACHE_ENABLE,
                 disk->adapter->miniport->parameters.io_timeout_s);
    request->irp = irp;
    command->mdl = irp->MdlAddress;
    command->length = part->length;
    command->system = (UCHAR *)irp->MdlAddress->MappedSystemVa + part->at;
    command->shown = (UCHAR *)MmGetMdlVirtualAddress(irp->MdlAddress) + part->at;
    if (disk->adapter->config.MapBuffers == STOR_MAP_ALL_BUFFERS_INCLUDING_READ_WRITE) {
        command->shown = command->system;
    }
    guard_begin(request);
}

/* The virtual address that the MDL names from now on leads nowhere, as a user's address does in another process. */
static void poison_mdl(IRP *irp)
{
    MDL *mdl = irp->MdlAddress;

    transfer_of(irp)->start_va = mdl->StartVa;
    mdl->StartVa = (void *)(PORT_POISON_VA + ((ULONG_PTR)mdl->StartVa & 0xFFFFF000));
}

static void transfer_split(struct disk *disk, IRP *irp, struct part *part, ULONG total)
{
    ULONG maximum = disk->adapter->config.MaximumTransferLength;

    maximum -= maximum % disk->capacity.block_size;
    while (total != 0) {
        struct request *request = request_take(disk->unit);

        part->length = total < maximum ? total : maximum;
        if (request == NULL) {
            part_over(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        } else {
            part_prepare(disk, request, irp, part);
            transfer_submit(request);
        }
        part->offset += part->length;
        part->at += part->length;
        total -= part->length;
    }
}

/* As disk.sys: not a multiple of a sector or a bad start is INVALID_PARAMETER, beyond the end NONEXISTENT_SECTOR. */
static NTSTATUS transfer_check(const struct disk *disk, LONGLONG offset, ULONG length)
{
    ULONG block_size = disk->capacity.block_size;
    LONGLONG size = (LONGLONG)(disk_blocks(disk) * block_size);

    if (offset < 0 || offset > size || length % block_size != 0 || offset % block_size != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((LONGLONG)length > size - offset) {
        return STATUS_NONEXISTENT_SECTOR;
    }
    return STATUS_SUCCESS;
}

/* Disks are asked at PASSIVE_LEVEL in this bed. */
static void read_changed_capacity(struct disk *disk)
{
    if (disk->capacity_changed != 0 && InterlockedExchange(&disk->capacity_changed, 0) != 0) {
        disk_update(disk);
        port_log("disk %lu: %llu blocks now", disk->number, disk_blocks(disk));
    }
}

static NTSTATUS transfer(struct disk *disk, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    BOOLEAN write = stack->MajorFunction == IRP_MJ_WRITE;
    ULONG length = write ? stack->Parameters.Write.Length : stack->Parameters.Read.Length;
    LONGLONG offset = write ? stack->Parameters.Write.ByteOffset.QuadPart : stack->Parameters.Read.ByteOffset.QuadPart;
    struct part part = {.offset = (ULONGLONG)offset, .write = write};
    struct transfer *state = transfer_of(irp);
    ULONG maximum = disk->adapter->config.MaximumTransferLength;
    NTSTATUS status;

    read_changed_capacity(disk);
    status = write && (disk->attributes & BED_DISK_READ_ONLY) ? STATUS_MEDIA_WRITE_PROTECTED
                                                              : transfer_check(disk, offset, length);
    if (!NT_SUCCESS(status) || length == 0) {
        return irp_finish(irp, status, 0);
    }
    if (write && ((stack->Flags & SL_WRITE_THROUGH) != 0 ||
                  (stack->FileObject != NULL && (stack->FileObject->Flags & FO_WRITE_THROUGH) != 0))) {
        part.fua = disk->fua && disk->write_cache;
    }
    IoMarkIrpPending(irp);
    RtlZeroMemory(state, sizeof(*state));
    maximum -= maximum % disk->capacity.block_size;
    state->remaining = (LONG)((length + maximum - 1) / maximum);
    poison_mdl(irp);
    transfer_split(disk, irp, &part, length);
    return STATUS_PENDING;
}

/* ---- flush ---- */

/* After SYNCHRONIZE CACHE an adapter that caches is told to flush as well. */
static void flush_adapter(struct disk *disk, IRP *irp)
{
    struct request *request = disk->adapter->config.CachesData ? request_take(disk->unit) : NULL;

    if (request == NULL) {
        return;
    }
    InterlockedIncrement(&transfer_of(irp)->remaining);
    request->irp = irp;
    request->command.function = SRB_FUNCTION_FLUSH;
    request->command.timeout_s = disk->adapter->miniport->parameters.io_timeout_s * 4;
    transfer_submit(request);
}

/* FLUSH_BUFFERS: SYNCHRONIZE CACHE when the disk has a write cache. */
static NTSTATUS flush(struct disk *disk, IRP *irp)
{
    static const UCHAR synchronize_cache[10] = {SCSIOP_SYNCHRONIZE_CACHE};
    struct transfer *transfer = transfer_of(irp);
    struct request *request;

    request = disk->write_cache ? request_take(disk->unit) : NULL;
    IoMarkIrpPending(irp);
    RtlZeroMemory(transfer, sizeof(*transfer));
    transfer->remaining = 1;
    if (request != NULL) {
        request->irp = irp;
        command_scsi(&request->command, synchronize_cache, sizeof(synchronize_cache),
                     SRB_FLAGS_NO_DATA_TRANSFER | SRB_FLAGS_NO_QUEUE_FREEZE | SRB_FLAGS_QUEUE_ACTION_ENABLE,
                     disk->adapter->miniport->parameters.io_timeout_s * 4);
        transfer->remaining = 2;
        transfer_submit(request);
    }
    flush_adapter(disk, irp);
    part_over(irp, disk->write_cache && request == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static NTSTATUS enter_and(struct disk *disk, IRP *irp, NTSTATUS (*serve)(struct disk *disk, IRP *irp))
{
    NTSTATUS status;

    if (!disk_enter(disk)) {
        return irp_finish(irp, STATUS_NO_SUCH_DEVICE, 0);
    }
    status = serve(disk, irp);
    disk_leave(disk);
    return status;
}

NTSTATUS disk_transfer(struct disk *disk, IRP *irp)
{
    return enter_and(disk, irp, transfer);
}

NTSTATUS disk_flush(struct disk *disk, IRP *irp)
{
    return enter_and(disk, irp, flush);
}
