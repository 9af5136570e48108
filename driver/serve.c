/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control requests of a program that serves a disk (include/wnbd_ioctl.h, "Serving a disk"): whose, and how long. */
#include "driver/serve.h"

#include "driver/disk.h"

#include "core/base/checked.h"

static PFILE_OBJECT file_of(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->FileObject;
}

static ULONG input_length(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.InputBufferLength;
}

/* ---- Which disk ---- */

static bool is_served_by_program(const struct disk *disk)
{
    return disk->backend == &channel_backend;
}

/* STATUS_SUCCESS: the disk is one that the caller serves. */
static NTSTATUS check(struct disk *disk, WNBD_CONNECTION_ID id, PIRP irp)
{
    if (disk->connection_id != id || !is_served_by_program(disk)) {
        return STATUS_INVALID_HANDLE;
    }
    return owner_is(disk, file_of(irp)) ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* The disk, pinned: without a lock or a search, which the data path is to be spared. NULL and a status: it is not to be
 * had. */
static struct disk *pin(struct adapter *adapter, WNBD_CONNECTION_ID id, PIRP irp, NTSTATUS *status)
{
    struct disk *disk = disk_pin(adapter, disk_target_of_id(id));

    *status = STATUS_INVALID_HANDLE;
    if (disk == NULL) {
        return NULL;
    }
    *status = check(disk, id, irp);
    if (!NT_SUCCESS(*status)) {
        disk_unpin(disk);
        return NULL;
    }
    return disk;
}

/* The disk whatever its state, with a reference; NULL. */
static struct disk *find(struct adapter *adapter, WNBD_CONNECTION_ID id)
{
    struct disk *disk = disk_in_place(adapter, disk_target_of_id(id));

    if (disk != NULL && (disk->connection_id != id || !is_served_by_program(disk))) {
        disk_release(disk);
        return NULL;
    }
    return disk;
}

/* For a command that would wait and whose disk cannot be pinned: when the disk is on its way out it waits for the end,
 * because the name is free only then. */
static void wait_for_end(struct adapter *adapter, WNBD_CONNECTION_ID id, PIRP irp, NTSTATUS status)
{
    struct disk *disk = status == STATUS_INVALID_HANDLE ? find(adapter, id) : NULL;

    if (disk == NULL || disk_state(disk) == DISK_CONNECTING) {
        ioctl_complete(adapter, irp, status, 0);
    } else {
        channel_await_end(disk, irp);
    }
    if (disk != NULL) {
        disk_release(disk);
    }
}

/* ---- ENTER ---- */

static bool is_whole(const WNBD_IOCTL_ENTER_COMMAND *command, PIRP irp)
{
    ULONG room = (input_length(irp) - FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers)) / sizeof command->Answers[0];

    return command->AnswerCount <= min(room, WNBD_ENTER_MAX_ANSWERS);
}

static void enter_pinned(struct disk *disk, PIRP irp)
{
    WNBD_IOCTL_ENTER_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    uint32_t refused = 0;

    if (command->AnswerCount != 0) {
        refused = channel_answer(disk, command->Answers, command->AnswerCount, command->MaxRequests != 0);
    }
    if (command->Wake != 0) {
        channel_wake_enters(disk, command->Wake);
    }
    channel_enter(disk, irp, refused);
}

void serve_enter(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_ENTER_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    WNBD_CONNECTION_ID id = command->ConnectionId;
    bool waits = command->Wait && command->MaxRequests != 0;
    struct disk *disk;
    NTSTATUS status;

    if (!is_whole(command, irp)) {
        ioctl_complete(adapter, irp, STATUS_INVALID_PARAMETER, 0);
        return;
    }
    disk = pin(adapter, id, irp, &status);
    if (disk == NULL && waits) {
        wait_for_end(adapter, id, irp, status);
    } else if (disk == NULL) {
        ioctl_complete(adapter, irp, status, 0);
    } else if (command->MaxRequests != 0 && !channel_has_arena(&disk->channel)) {
        ioctl_complete(adapter, irp, STATUS_INVALID_DEVICE_STATE, 0);
        disk_unpin(disk);
    } else {
        enter_pinned(disk, irp);
        disk_unpin(disk);
    }
}

/* ---- FETCH_REQ and SEND_RSP ---- */

/* Locks a buffer of the caller, as much of it as a request can need. `*mdl` NULL and success: it has no bytes. */
static NTSTATUS lock_buffer(PVOID buffer, UINT32 size, LOCK_OPERATION operation, PMDL *mdl)
{
    NTSTATUS status;

    *mdl = NULL;
    if (size == 0) {
        return STATUS_SUCCESS;
    }
    if (buffer == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *mdl = IoAllocateMdl(buffer, min(size, RECORD_DATA_MAX), FALSE, FALSE, NULL);
    if (*mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ddk_lock_pages(*mdl, UserMode, operation);
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(*mdl);
        *mdl = NULL;
        return status == STATUS_ACCESS_VIOLATION ? STATUS_INVALID_PARAMETER : STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

static void unlock_buffer(PMDL mdl)
{
    if (mdl != NULL) {
        MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    }
}

/* More than there can be requests would lock memory for nothing. */
static NTSTATUS lock_for_fetch(struct disk *disk, const WNBD_IOCTL_FETCH_REQ_COMMAND *command, PMDL *mdl)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    *mdl = NULL;
    if (InterlockedIncrement(&disk->channel.fetching) <= (LONG)disk->requests.queue.depth) {
        status = lock_buffer(command->DataBuffer, command->DataBufferSize, IoWriteAccess, mdl);
    }
    if (*mdl == NULL) {
        InterlockedDecrement(&disk->channel.fetching);
    }
    return status;
}

void serve_fetch(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    WNBD_CONNECTION_ID id = command->ConnectionId;
    NTSTATUS status;
    struct disk *disk = pin(adapter, id, irp, &status);
    PMDL mdl;

    if (disk == NULL) {
        wait_for_end(adapter, id, irp, status);
        return;
    }
    status = lock_for_fetch(disk, command, &mdl);
    if (NT_SUCCESS(status)) {
        channel_fetch(disk, irp, mdl);
    } else {
        ioctl_complete(adapter, irp, status, 0);
    }
    disk_unpin(disk);
}

static void take_response(const WNBD_IO_RESPONSE *response, UINT32 length, WNBD_ANSWER *answer)
{
    const WNBD_STATUS *status = &response->Status;

    RtlZeroMemory(answer, sizeof *answer);
    answer->RequestHandle = response->RequestHandle;
    answer->DataLength = length;
    answer->ScsiStatus = status->ScsiStatus;
    answer->SenseKey = status->SenseKey;
    answer->ASC = status->ASC;
    answer->ASCQ = status->ASCQ;
    answer->Information = status->Information;
    answer->InformationValid = status->InformationValid != 0;
}

static NTSTATUS answer_with_buffer(struct disk *disk, const WNBD_IOCTL_SEND_RSP_COMMAND *command)
{
    const uint8_t *data = NULL;
    WNBD_ANSWER answer;
    NTSTATUS answered;
    NTSTATUS status;
    PMDL mdl;

    take_response(&command->Response, command->DataBufferSize, &answer);
    status = lock_buffer(command->DataBuffer, command->DataBufferSize, IoReadAccess, &mdl);
    if (NT_SUCCESS(status) && mdl != NULL) {
        data = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute);
        status = data != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(status)) {
        channel_make_failure(&answer); /* what it has said of its data is not true: the request must not wait */
    }
    answered = channel_answer_from(disk, &answer, data);
    unlock_buffer(mdl);
    return NT_SUCCESS(answered) ? status : answered;
}

void serve_send(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_SEND_RSP_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status;
    struct disk *disk = pin(adapter, command->ConnectionId, irp, &status);

    if (disk != NULL) {
        status = answer_with_buffer(disk, command);
        disk_unpin(disk);
    }
    ioctl_complete(adapter, irp, status, 0);
}

/* ---- The disk ---- */

void serve_own(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_OWN_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    struct disk *disk = find(adapter, command->ConnectionId);

    if (disk == NULL) {
        ioctl_complete(adapter, irp, STATUS_INVALID_HANDLE, 0);
        return;
    }
    channel_own(disk, irp);
    disk_release(disk);
}

void serve_map_arena(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_MAP_ARENA_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    WNBD_ARENA *output = irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status;
    struct disk *disk = pin(adapter, command->ConnectionId, irp, &status);
    PVOID address = NULL;

    if (disk != NULL) {
        status = channel_make_arena(disk, irp, &address);
        if (NT_SUCCESS(status)) {
            output->Address = (ULONG_PTR)address;
            output->Size = disk->properties.ArenaSize;
        }
        disk_unpin(disk);
    }
    ioctl_complete(adapter, irp, status, NT_SUCCESS(status) ? sizeof *output : 0);
}

void serve_attach(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_ATTACH_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    WNBD_CONNECTION_INFO *output = irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status = STATUS_OBJECT_NAME_NOT_FOUND;
    struct disk *disk;

    command->InstanceName[WNBD_MAX_NAME_LENGTH - 1] = '\0';
    disk = disk_named(adapter, command->InstanceName);
    if (disk != NULL) {
        status = is_served_by_program(disk) && file_of(irp) != NULL ? channel_attach(disk, file_of(irp))
                                                                    : STATUS_SHARING_VIOLATION;
        if (NT_SUCCESS(status)) {
            disk_describe(disk, output);
        }
        disk_release(disk);
    }
    ioctl_complete(adapter, irp, status, NT_SUCCESS(status) ? sizeof *output : 0);
}

static NTSTATUS resize(struct disk *disk, uint64_t block_count)
{
    uint64_t bytes;

    if (block_count == 0 || !checked_multiply_u64(block_count, disk->device.block_size, &bytes) || bytes > INT64_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    disk_resize(disk, block_count);
    return STATUS_SUCCESS;
}

void serve_resize(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_SET_SIZE_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    NTSTATUS status;
    struct disk *disk = pin(adapter, command->ConnectionId, irp, &status);

    if (disk != NULL) {
        status = resize(disk, command->BlockCount);
        disk_unpin(disk);
    } else if (status == STATUS_INVALID_HANDLE) {
        status = STATUS_OBJECT_NAME_NOT_FOUND; /* as consumers know it */
    }
    ioctl_complete(adapter, irp, status, 0);
}
