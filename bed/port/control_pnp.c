/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the PnP manager does on request: asks a device's stack whether it may go, and takes it away; disables and
 * enables an adapter; and the injections of control.h. In a worker, PASSIVE_LEVEL.
 */
#include "bed/port/internal.h"
#include "bed/port/relations.h"
#include "bed/port/control.h"

#define VETO_OUTSTANDING_OPEN 5 /* PNP_VETO_TYPE of cfg.h: PNP_VetoOutstandingOpen, PNP_VetoDevice */
#define VETO_DEVICE           6
#define REMOVE_TIMEOUT_S      30

static NTSTATUS NTAPI asked(DEVICE_OBJECT *object, IRP *irp, void *context)
{
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Sends a PnP request without parameters to the top of the device's stack and waits for its answer. */
static NTSTATUS ask(DEVICE_OBJECT *object, UCHAR minor)
{
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(object);
    IRP *irp = IoAllocateIrp(top->StackSize, FALSE);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    IO_STACK_LOCATION *stack;
    KEVENT event;

    if (irp != NULL) {
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
        stack = IoGetNextIrpStackLocation(irp);
        stack->MajorFunction = IRP_MJ_PNP;
        stack->MinorFunction = minor;
        IoSetCompletionRoutine(irp, asked, &event, TRUE, TRUE, TRUE);
        if (IoCallDriver(top, irp) == STATUS_PENDING) {
            KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
        }
        status = irp->IoStatus.Status;
        IoFreeIrp(irp);
    }
    ObDereferenceObject(top);
    return status;
}

static void veto_by_disk(const struct disk *disk, ULONG type, struct bed_verdict *verdict)
{
    verdict->vetoed = 1;
    verdict->veto_type = type;
    disk_instance_path(disk, verdict->veto_name, BED_INSTANCE_LENGTH);
}

/* Asks one disk; TRUE when it agrees. With the topology lock held. */
static BOOLEAN disk_agrees(struct disk *disk, struct bed_verdict *verdict)
{
    if (disk->device.open_handles != 0) {
        veto_by_disk(disk, VETO_OUTSTANDING_OPEN, verdict);
        return FALSE;
    }
    if (!NT_SUCCESS(ask(disk->device.object, IRP_MN_QUERY_REMOVE_DEVICE))) {
        ask(disk->device.object, IRP_MN_CANCEL_REMOVE_DEVICE);
        veto_by_disk(disk, VETO_DEVICE, verdict);
        return FALSE;
    }
    return TRUE;
}

/* Waits until no disk of that instance is known any more. */
static NTSTATUS wait_gone(const WCHAR *instance)
{
    LARGE_INTEGER pause = {.QuadPart = -10 * 10000};

    for (ULONG i = 0; i < REMOVE_TIMEOUT_S * 100; i++) {
        BOOLEAN gone;

        topology_lock();
        gone = control_find_disk(instance) == NULL;
        topology_unlock();
        if (gone) {
            return STATUS_SUCCESS;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    return STATUS_IO_TIMEOUT;
}

/* From here on new handles are refused, as by a stack that has agreed to go. With the topology lock held. */
void disk_begin_removal(struct disk *disk)
{
    disk->query_removed = TRUE;
    disk_unlink(disk);
    relations_invalidate(disk->adapter);
}

static NTSTATUS remove_disk(const WCHAR *instance, struct bed_verdict *verdict)
{
    struct disk *disk;
    BOOLEAN agrees = FALSE;

    topology_lock();
    disk = control_find_disk(instance);
    if (disk != NULL) {
        agrees = disk_agrees(disk, verdict);
        if (agrees) {
            disk_begin_removal(disk);
        }
    }
    topology_unlock();
    if (disk == NULL) {
        return STATUS_NO_SUCH_DEVICE;
    }
    return agrees ? wait_gone(instance) : STATUS_SUCCESS;
}

/* ---- adapters ---- */

/* With the topology lock held. */
static BOOLEAN disks_agree(struct adapter *adapter, struct bed_verdict *verdict)
{
    for (struct list_link *at = adapter->units.next; at != &adapter->units; at = at->next) {
        struct disk *disk = list_member(at, struct unit, link)->disk;

        if (disk != NULL && !disk_agrees(disk, verdict)) {
            return FALSE;
        }
    }
    return TRUE;
}

static BOOLEAN adapter_agrees(struct adapter *adapter, struct bed_verdict *verdict)
{
    BOOLEAN agrees;

    topology_lock();
    agrees = disks_agree(adapter, verdict);
    topology_unlock();
    if (agrees && !NT_SUCCESS(ask(adapter->pdo, IRP_MN_QUERY_REMOVE_DEVICE))) {
        ask(adapter->pdo, IRP_MN_CANCEL_REMOVE_DEVICE);
        verdict->vetoed = 1;
        verdict->veto_type = VETO_DEVICE;
        adapter_instance_path(adapter, verdict->veto_name, BED_INSTANCE_LENGTH);
        agrees = FALSE;
    }
    return agrees;
}

static NTSTATUS wait_disks_gone(struct adapter *adapter)
{
    LARGE_INTEGER pause = {.QuadPart = -10 * 10000};

    for (ULONG i = 0; i < REMOVE_TIMEOUT_S * 100 && adapter->disks != 0; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    return adapter->disks == 0 ? STATUS_SUCCESS : STATUS_IO_TIMEOUT;
}

/*
 * The host's PnP manager cannot be asked to disable a device from here. What the miniport sees of it is the same: its
 * disks go, then the adapter as at REMOVE_DEVICE; the device object stays for `enable`.
 */
static NTSTATUS disable(struct adapter *adapter, struct bed_verdict *verdict)
{
    if (adapter->state != ADAPTER_RUNNING) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (!adapter_agrees(adapter, verdict)) {
        return STATUS_SUCCESS;
    }
    adapter->disabled = TRUE;
    if (adapter->interface_link.Buffer != NULL) {
        IoSetDeviceInterfaceState(&adapter->interface_link, FALSE);
    }
    adapter_remove(adapter);
    relations_invalidate(adapter);
    return wait_disks_gone(adapter);
}

static NTSTATUS enable(struct adapter *adapter)
{
    NTSTATUS status;

    if (!adapter->disabled) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    adapter->state = ADAPTER_ADDED;
    adapter->held = 0;
    adapter->busy_remaining = 0;
    adapter->paused_until = 0;
    adapter->controls = 0;
    adapter->passive_initialize = NULL;
    adapter->notification_timer.due = 0;
    status = adapter_start(adapter);
    if (NT_SUCCESS(status)) {
        adapter->disabled = FALSE;
        if (adapter->interface_link.Buffer != NULL) {
            IoSetDeviceInterfaceState(&adapter->interface_link, TRUE);
        }
        relations_invalidate(adapter);
    }
    return status;
}

NTSTATUS control_pnp(ULONG code, const WCHAR *instance, struct bed_verdict *verdict)
{
    struct adapter *adapter;

    topology_lock();
    adapter = control_find_adapter(instance);
    topology_unlock();
    if (adapter == NULL) {
        return code == BED_CONTROL_QUERY_REMOVE ? remove_disk(instance, verdict) : STATUS_NO_SUCH_DEVICE;
    }
    return code == BED_CONTROL_ENABLE ? enable(adapter) : disable(adapter, verdict);
}
