/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IOCTL_SCSI_PASS_THROUGH (data and sense at offsets of the one buffer) and _DIRECT (data at a user's address, which is
 * locked while still in the caller's process: pass_through_lock).
 */
#include "bed/port/internal.h"

struct command_block {
    SCSI_PASS_THROUGH *header; /* in the system buffer; DIRECT's begins with the same fields but for the data pointer */
    UCHAR *system_buffer;
    ULONG room; /* the greater of what came in and what may go out */
    BOOLEAN direct;
    UCHAR *user; /* DIRECT: the caller's data, mapped */
};

static ULONG sense_offset(const struct command_block *block)
{
    return block->direct ? ((SCSI_PASS_THROUGH_DIRECT *)(void *)block->header)->SenseInfoOffset
                         : block->header->SenseInfoOffset;
}

static BOOLEAN fits(const struct command_block *block, ULONG_PTR offset, ULONG length)
{
    return length == 0 || (offset <= block->room && length <= block->room - offset);
}

static NTSTATUS check(const struct disk *disk, const struct command_block *block, ULONG input, ULONG output)
{
    const SCSI_PASS_THROUGH *header = block->header;
    ULONG size = block->direct ? sizeof(SCSI_PASS_THROUGH_DIRECT) : sizeof(SCSI_PASS_THROUGH);
    BOOLEAN in = header->DataIn == SCSI_IOCTL_DATA_IN;

    if (header->Length != size) {
        return STATUS_REVISION_MISMATCH;
    }
    if (header->CdbLength == 0 || header->CdbLength > sizeof(header->Cdb) || header->DataIn > 2 ||
        header->TimeOutValue == 0 || header->TimeOutValue > 30 * 60 * 60) {
        return STATUS_INVALID_PARAMETER;
    }
    if (header->DataTransferLength > disk->adapter->config.MaximumTransferLength) {
        return STATUS_INVALID_PARAMETER;
    }
    if (header->SenseInfoLength != 0 &&
        (sense_offset(block) < size || sense_offset(block) + header->SenseInfoLength > output)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!block->direct && header->DataTransferLength != 0 &&
        (header->DataBufferOffset < size || !fits(block, header->DataBufferOffset, header->DataTransferLength) ||
         header->DataBufferOffset + header->DataTransferLength > (in ? output : input))) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static ULONG direction(const SCSI_PASS_THROUGH *header)
{
    if (header->DataTransferLength == 0 || header->DataIn == SCSI_IOCTL_DATA_UNSPECIFIED) {
        return SRB_FLAGS_NO_DATA_TRANSFER;
    }
    return header->DataIn == SCSI_IOCTL_DATA_IN ? SRB_FLAGS_DATA_IN : SRB_FLAGS_DATA_OUT;
}

/* Where the caller's data is. */
static UCHAR *caller_data(const struct command_block *block)
{
    return block->direct ? block->user : block->system_buffer + block->header->DataBufferOffset;
}

static void store_outcome(const struct command_block *block, const struct outcome *outcome, ULONG_PTR *information)
{
    SCSI_PASS_THROUGH *header = block->header;
    ULONG end = header->Length;

    header->ScsiStatus = outcome->scsi_status;
    if (outcome->sense_valid && header->SenseInfoLength != 0) {
        if (header->SenseInfoLength > outcome->sense_length) {
            header->SenseInfoLength = outcome->sense_length;
        }
        RtlCopyMemory(block->system_buffer + sense_offset(block), outcome->sense, header->SenseInfoLength);
        end = sense_offset(block) + header->SenseInfoLength;
    } else {
        header->SenseInfoLength = 0;
    }
    header->DataTransferLength = outcome->transferred;
    if (!block->direct && header->DataIn == SCSI_IOCTL_DATA_IN && outcome->transferred != 0 &&
        header->DataBufferOffset + outcome->transferred > end) {
        end = (ULONG)header->DataBufferOffset + outcome->transferred;
    }
    *information = end;
}

/* CHECK CONDITION is a success of the ioctl: status and sense tell. */
static NTSTATUS final_status(const struct outcome *outcome)
{
    struct judgement judgement;

    if (outcome->scsi_status != 0 || outcome->sense_valid || outcome->srb_status == SRB_STATUS_DATA_OVERRUN) {
        return STATUS_SUCCESS;
    }
    judge(outcome, &judgement);
    return judgement.status;
}

static NTSTATUS run(struct disk *disk, const struct command_block *block, UCHAR *buffer, ULONG_PTR *information)
{
    const SCSI_PASS_THROUGH *header = block->header;
    ULONG flags = direction(header);
    ULONG length = flags == SRB_FLAGS_NO_DATA_TRANSFER ? 0 : header->DataTransferLength;
    struct request *request = request_take(disk->unit);
    NTSTATUS status;

    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    command_scsi(&request->command, header->Cdb, header->CdbLength, flags | SRB_FLAGS_NO_QUEUE_FREEZE,
                 header->TimeOutValue);
    command_data(request, buffer, length);
    request_run(request);
    status = final_status(&request->outcome);
    if (flags == SRB_FLAGS_DATA_IN && NT_SUCCESS(status)) {
        RtlCopyMemory(caller_data(block), buffer, request->outcome.transferred);
    }
    store_outcome(block, &request->outcome, information);
    request_give(request);
    return status;
}

static MDL *lock_user(void *user, ULONG length, BOOLEAN write)
{
    MDL *mdl = IoAllocateMdl(user, length, FALSE, FALSE, NULL);

    if (mdl == NULL) {
        return NULL;
    }
    __try {
        MmProbeAndLockPages(mdl, UserMode, write ? IoWriteAccess : IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        IoFreeMdl(mdl);
        return NULL;
    }
    return mdl;
}

/* Of a DIRECT request with data: locks them, in the caller's process. The MDL goes to pass_through_unlock. */
NTSTATUS pass_through_lock(IRP *irp, MDL **mdl)
{
    const SCSI_PASS_THROUGH_DIRECT *header = irp->AssociatedIrp.SystemBuffer;
    ULONG input = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.InputBufferLength;

    *mdl = NULL;
    if (input < sizeof(*header) || header->DataTransferLength == 0 || header->DataIn > SCSI_IOCTL_DATA_IN) {
        return STATUS_SUCCESS; /* the checks of pass_through have their say */
    }
    *mdl = lock_user(header->DataBuffer, header->DataTransferLength, header->DataIn == SCSI_IOCTL_DATA_IN);
    return *mdl != NULL ? STATUS_SUCCESS : STATUS_INVALID_USER_BUFFER;
}

void pass_through_unlock(MDL *mdl)
{
    if (mdl != NULL) {
        MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    }
}

/* `user`: of pass_through_lock. */
NTSTATUS pass_through(struct disk *disk, IRP *irp, BOOLEAN direct, MDL *user, ULONG_PTR *information)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG input = stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG output = stack->Parameters.DeviceIoControl.OutputBufferLength;
    struct command_block block = {irp->AssociatedIrp.SystemBuffer, irp->AssociatedIrp.SystemBuffer,
                                  input > output ? input : output, direct, NULL};
    NTSTATUS status;
    UCHAR *buffer;

    if (input < (direct ? sizeof(SCSI_PASS_THROUGH_DIRECT) : sizeof(SCSI_PASS_THROUGH))) {
        return STATUS_INVALID_PARAMETER;
    }
    status = check(disk, &block, input, output);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (user != NULL) {
        block.user = MmGetSystemAddressForMdlSafe(user, NormalPagePriority);
    }
    buffer = ExAllocatePoolWithTag(NonPagedPoolNx, block.header->DataTransferLength + 1, PORT_TAG);
    if (buffer == NULL || (user != NULL && block.user == NULL)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(buffer, block.header->DataTransferLength);
    if (direction(block.header) == SRB_FLAGS_DATA_OUT) {
        RtlCopyMemory(buffer, caller_data(&block), block.header->DataTransferLength);
    }
    status = run(disk, &block, buffer, information);
    ExFreePoolWithTag(buffer, PORT_TAG);
    return status;
}
