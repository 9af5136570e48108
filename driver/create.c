/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/create.h"

#include "driver/text.h"

#include "core/base/checked.h"

/* ---- How many are under way ---- */

static void count_in(struct adapter *adapter)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    adapter->creations++;
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* True: that was the last one. */
static bool count_out(struct adapter *adapter)
{
    KLOCK_QUEUE_HANDLE handle;
    bool is_last;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    NT_ASSERT(adapter->creations != 0);
    is_last = --adapter->creations == 0;
    KeReleaseInStackQueuedSpinLock(&handle);
    return is_last;
}

bool create_await_all(struct adapter *adapter, PIRP irp)
{
    KLOCK_QUEUE_HANDLE handle;
    bool waits;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    waits = adapter->creations != 0 && !adapter->ending;
    if (waits) {
        InsertTailList(&adapter->creation_waiters, &irp->Tail.Overlay.ListEntry);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return waits;
}

static PIRP take_waiter(struct adapter *adapter)
{
    KLOCK_QUEUE_HANDLE handle;
    PIRP irp = NULL;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    if (!IsListEmpty(&adapter->creation_waiters)) {
        irp = CONTAINING_RECORD(RemoveHeadList(&adapter->creation_waiters), IRP, Tail.Overlay.ListEntry);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return irp;
}

void create_release_waiters(struct adapter *adapter)
{
    PIRP irp;

    while ((irp = take_waiter(adapter)) != NULL) {
        ioctl_complete(adapter, irp, STATUS_SUCCESS, 0);
    }
}

/* ---- The answer ---- */

/* While `irp` is not complete the adapter stays. */
static void complete(struct adapter *adapter, PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    if (count_out(adapter)) {
        create_release_waiters(adapter);
    }
    ioctl_complete(adapter, irp, status, information);
}

static void write_message(WNBD_IOCTL_CREATE_OUTPUT *output, NTSTATUS status, const char *message)
{
    if (message[0] != '\0') {
        text_format(output->Message, sizeof output->Message, "%s", message);
    } else {
        text_format(output->Message, sizeof output->Message, "the driver answered with status 0x%08lx", status);
    }
}

/* Whether the caller has room for words. */
static bool takes_words(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength >=
           sizeof(WNBD_IOCTL_CREATE_OUTPUT);
}

/* What a disk is not that its export is, for whoever asked for it. */
static void write_note(WNBD_IOCTL_CREATE_OUTPUT *output, const struct disk *disk)
{
    uint64_t rest = disk->properties.Flags.UseKernelNbd ? disk->nbd.export.size % disk->device.block_size : 0;

    if (rest != 0) {
        text_format(output->Message, sizeof output->Message,
                    "the last %llu bytes of the export are less than a block of %u and not part of the disk", rest,
                    disk->device.block_size);
    }
}

/* Both forms of the output begin with the description of the disk. */
static void answer_success(struct disk *disk, PIRP irp)
{
    WNBD_IOCTL_CREATE_OUTPUT *output = irp->AssociatedIrp.SystemBuffer;
    ULONG size = takes_words(irp) ? sizeof *output : sizeof output->Info;

    RtlZeroMemory(output, size);
    disk_describe(disk, &output->Info);
    if (takes_words(irp)) {
        write_note(output, disk);
    }
    complete(disk->adapter, irp, STATUS_SUCCESS, size);
}

static void answer_failure(struct adapter *adapter, PIRP irp, NTSTATUS status, const char *message)
{
    WNBD_IOCTL_CREATE_OUTPUT *output = irp->AssociatedIrp.SystemBuffer;

    if (!takes_words(irp)) {
        complete(adapter, irp, status, 0);
        return;
    }
    RtlZeroMemory(output, sizeof *output);
    output->Status = status;
    write_message(output, status, message);
    complete(adapter, irp, STATUS_SUCCESS, sizeof *output);
}

/* ---- Cancelling ---- */

/* The disk an IRP has made; its create has one reference to it, which whoever disarms the cancel routine returns, or
 * the routine itself. */
static struct disk **disk_of_irp(PIRP irp)
{
    return (struct disk **)&irp->Tail.Overlay.DriverContext[0];
}

/* The I/O manager calls it with the cancel lock held. The disk's thread ends, and with it the IRP. */
static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct disk *disk = *disk_of_irp(irp);

    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql); /* from here on the IRP may be gone */
    disk_stop(disk, DISK_DESERTED);
    disk_release(disk);
}

/* False: it was cancelled, and its disk is on the way out. */
static bool disarm(PIRP irp)
{
    KIRQL irql;

    if (IoSetCancelRoutine(irp, NULL) != NULL) {
        disk_release(*disk_of_irp(irp));
        return true;
    }
    /* The routine runs or has run. It looks at the IRP only as long as it has the cancel lock. */
    IoAcquireCancelSpinLock(&irql);
    IoReleaseCancelSpinLock(irql);
    return false;
}

/* Pends the IRP. False: it was cancelled before that, and is still the caller's. */
static bool arm(struct disk *disk, PIRP irp)
{
    disk_reference(disk);
    *disk_of_irp(irp) = disk;
    disk->create_irp = irp; /* the disk is not known to anybody yet */
    IoSetCancelRoutine(irp, cancel);
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
        disk->create_irp = NULL;
        disk_release(disk);
        return false;
    }
    return true; /* or it is being cancelled: the disk's thread will see `stop` */
}

void create_finish(struct disk *disk, NTSTATUS status)
{
    PIRP irp = disk_take_create_irp(disk);

    if (irp == NULL) {
        return;
    }
    if (!disarm(irp) && NT_SUCCESS(status)) {
        answer_failure(disk->adapter, irp, STATUS_CANCELLED, "the mapping was given up when it was ready");
    } else if (NT_SUCCESS(status)) {
        answer_success(disk, irp);
    } else {
        answer_failure(disk->adapter, irp, status, disk->message);
    }
}

void create_abandon(struct disk *disk)
{
    PIRP irp = disk_take_create_irp(disk);

    if (irp != NULL) {
        (void)disarm(irp);
        answer_failure(disk->adapter, irp, STATUS_CANCELLED, "the adapter is being removed");
    }
}

/* ---- The command ---- */

/* Why a command is refused, NULL when it is not. */
static const char *check_server(const NBD_CONNECTION_PROPERTIES *server)
{
    if (server->Hostname[0] == '\0') {
        return "the name of the server is missing";
    }
    if (server->PortNumber == 0 || server->PortNumber > 65535) {
        return "the port number is not within 1 and 65535";
    }
    if (server->Connections > WNBD_MAX_CONNECTIONS) {
        return "a disk has 16 connections at most";
    }
    return NULL;
}

static const char *check_size(const WNBD_PROPERTIES *properties)
{
    uint64_t bytes;

    if (properties->BlockCount == 0) {
        return "the disk has no blocks";
    }
    /* Windows counts the bytes of a disk in a signed 64-bit number. */
    if (!checked_multiply_u64(properties->BlockCount, properties->BlockSize, &bytes) || bytes > INT64_MAX) {
        return "the disk is larger than 2^63 - 1 bytes";
    }
    return NULL;
}

/* Blocks of 4096 are something to ask for: an NBD disk that has them did, a program says so with the flag. */
static const char *check_block_size(const WNBD_PROPERTIES *properties)
{
    bool large = properties->Flags.UseKernelNbd || properties->Flags.LargeBlocksAllowed;

    if (properties->BlockSize == 512 || (large && properties->BlockSize == 4096)) {
        return NULL;
    }
    return large ? "the block size is neither 512 nor 4096" : "the block size is not 512";
}

static const char *check_physical_block(const WNBD_PROPERTIES *properties)
{
    UINT32 bytes = properties->PhysicalBlockSize;

    if (bytes == 0) {
        return NULL;
    }
    if ((bytes & (bytes - 1)) != 0 || bytes < properties->BlockSize || bytes > WNBD_MAX_PHYSICAL_BLOCK_SIZE) {
        return "the physical block size is not a power of two from the block size to 65536";
    }
    return NULL;
}

static const char *check_blocks(const WNBD_PROPERTIES *properties)
{
    const char *problem = check_block_size(properties);

    return problem != NULL ? problem : check_physical_block(properties);
}

static const char *check_channel(const WNBD_PROPERTIES *properties)
{
    if (properties->ArenaSize < WNBD_MIN_ARENA_SIZE || properties->ArenaSize > WNBD_MAX_ARENA_SIZE ||
        properties->ArenaSize % (64 << 10) != 0) {
        return "the arena has not a size from 2 MiB to 64 MiB that is a multiple of 64 KiB";
    }
    return NULL;
}

static const char *check(const WNBD_PROPERTIES *properties)
{
    bool kernel = properties->Flags.UseKernelNbd;
    const char *problem = kernel ? check_server(&properties->NbdProperties) : check_channel(properties);

    if (properties->InstanceName[0] == '\0') {
        return "the disk has no name";
    }
    if (properties->QueueDepth > WNBD_ABS_MAX_IO_REQ_PER_LUN) {
        return "a disk has 1024 requests in flight at most";
    }
    if (problem == NULL) {
        problem = check_blocks(properties);
    }
    if (problem == NULL && (!kernel || properties->NbdProperties.Flags.SkipNegotiation)) {
        problem = check_size(properties);
    }
    return problem;
}

static void normalize_channel(WNBD_PROPERTIES *properties)
{
    if (properties->ArenaSize == 0) {
        properties->ArenaSize = WNBD_DEFAULT_ARENA_SIZE;
    }
    if (properties->MaxUnmapDescCount == 0) {
        properties->MaxUnmapDescCount = 1;
    }
    if (properties->PhysicalBlockSize == 0 && !properties->Flags.UseKernelNbd) { /* else as the server prefers */
        properties->PhysicalBlockSize = properties->BlockSize;
    }
}

/* Makes whatever the caller left open definite. */
static void normalize(struct adapter *adapter, WNBD_PROPERTIES *properties, PIRP irp)
{
    properties->InstanceName[sizeof properties->InstanceName - 1] = '\0';
    properties->SerialNumber[sizeof properties->SerialNumber - 1] = '\0';
    properties->Owner[sizeof properties->Owner - 1] = '\0';
    properties->NbdProperties.Hostname[sizeof properties->NbdProperties.Hostname - 1] = '\0';
    properties->NbdProperties.ExportName[sizeof properties->NbdProperties.ExportName - 1] = '\0';
    if (properties->Flags.UseKernelNbd) {
        properties->Flags.PersistResSupported = 0; /* two machines would each be granted the disk */
        if (properties->BlockSize == 0) {
            properties->BlockSize = WNBD_DEFAULT_BLOCK_SIZE;
        }
    }
    if (properties->QueueDepth == 0) {
        properties->QueueDepth = adapter->lun_queue_depth;
    }
    normalize_channel(properties);
    if (properties->Pid == 0) {
        properties->Pid = (INT)IoGetRequestorProcessId(irp);
    }
}

static const char *enter_problem(NTSTATUS status)
{
    switch (status) {
    case STATUS_OBJECT_NAME_COLLISION:
        return "the name is in use";
    case STATUS_TOO_MANY_ADDRESSES:
        return "128 disks are mapped, which is all that the adapter takes";
    case STATUS_DELETE_PENDING:
        return "the adapter is being removed";
    default:
        return "";
    }
}

/* The disk takes the IRP, whatever comes of it. */
static void start(struct disk *disk, PIRP irp)
{
    NTSTATUS status;

    if (!arm(disk, irp)) {
        answer_failure(disk->adapter, irp, STATUS_CANCELLED, "the mapping was given up before it was ready");
        return;
    }
    status = disk_enter(disk);
    if (NT_SUCCESS(status)) {
        status = disk_start(disk);
        if (!NT_SUCCESS(status)) {
            disk_leave(disk);
        }
    } else {
        text_format(disk->message, sizeof disk->message, "%s", enter_problem(status));
    }
    if (!NT_SUCCESS(status)) {
        create_finish(disk, status);
        disk_complete_removal_irps(disk);
    }
}

/* A disk that a program serves belongs to the handle that makes it. False: that has been closed. */
static bool own(struct disk *disk, PIRP irp)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;

    return disk->backend != &channel_backend || file == NULL || owner_take(disk, file);
}

void create_begin(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_CREATE_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    const char *problem;
    struct disk *disk;

    count_in(adapter); /* before the option is looked at: see create_await_all */
    if (!driver_options.new_mappings_allowed) {
        answer_failure(adapter, irp, STATUS_SHUTDOWN_IN_PROGRESS, "new mappings are not allowed (NewMappingsAllowed)");
        return;
    }
    normalize(adapter, &command->Properties, irp);
    problem = check(&command->Properties);
    if (problem != NULL) {
        answer_failure(adapter, irp, STATUS_INVALID_PARAMETER, problem);
        return;
    }
    disk = disk_create(adapter, &command->Properties);
    if (disk == NULL) {
        answer_failure(adapter, irp, STATUS_INSUFFICIENT_RESOURCES, "there is not enough memory");
        return;
    }
    if (own(disk, irp)) {
        start(disk, irp);
    } else {
        answer_failure(adapter, irp, STATUS_INVALID_HANDLE, "the handle that the disk would belong to is closed");
    }
    disk_release(disk);
}
