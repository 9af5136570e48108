/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IRP_MJ_PNP of an adapter's functional device object. */
#include "bed/port/internal.h"
#include "bed/port/relations.h"

static NTSTATUS NTAPI forwarded(DEVICE_OBJECT *object, IRP *irp, void *context)
{
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Passes the IRP down and waits until it comes back; it is the caller's again. */
static NTSTATUS forward_and_wait(struct adapter *adapter, IRP *irp)
{
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, forwarded, &event, TRUE, TRUE, TRUE);
    if (IoCallDriver(adapter->lower, irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    }
    return irp->IoStatus.Status;
}

static void enable_interface(struct adapter *adapter)
{
    if (NT_SUCCESS(
            IoRegisterDeviceInterface(adapter->pdo, &GUID_DEVINTERFACE_STORAGEPORT, NULL, &adapter->interface_link))) {
        IoSetDeviceInterfaceState(&adapter->interface_link, TRUE);
    }
}

static void disable_interface(struct adapter *adapter)
{
    if (adapter->interface_link.Buffer != NULL) {
        IoSetDeviceInterfaceState(&adapter->interface_link, FALSE);
        RtlFreeUnicodeString(&adapter->interface_link);
        adapter->interface_link.Buffer = NULL;
    }
}

static NTSTATUS start(struct adapter *adapter, IRP *irp)
{
    NTSTATUS status = forward_and_wait(adapter, irp);

    if (NT_SUCCESS(status)) {
        status = adapter->state == ADAPTER_STOPPED ? adapter_restart(adapter) : adapter_start(adapter);
    }
    if (NT_SUCCESS(status)) {
        enable_interface(adapter);
        relations_invalidate(adapter);
    }
    return irp_finish(irp, status, 0);
}

static void forget(struct adapter *adapter)
{
    struct adapter **link;
    KIRQL irql;

    KeAcquireSpinLock(&miniports_lock, &irql);
    for (link = &adapters; *link != adapter;) {
        link = &(*link)->next;
    }
    *link = adapter->next;
    KeReleaseSpinLock(&miniports_lock, irql);
}

static NTSTATUS remove_device(struct adapter *adapter, IRP *irp)
{
    WCHAR link_buffer[32];
    UNICODE_STRING link;
    NTSTATUS status;

    disable_interface(adapter);
    adapter_remove(adapter);
    forget(adapter);
    _snwprintf(link_buffer, 32, L"\\DosDevices\\Scsi%lu:", adapter->number);
    RtlInitUnicodeString(&link, link_buffer);
    IoDeleteSymbolicLink(&link);
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(irp);
    status = IoCallDriver(adapter->lower, irp);
    IoDetachDevice(adapter->lower);
    IoDeleteDevice(adapter->device.object);
    return status;
}

static NTSTATUS pass(struct adapter *adapter, IRP *irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(adapter->lower, irp);
}

NTSTATUS adapter_pnp(struct adapter *adapter, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);

    switch (stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return start(adapter, irp);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        irp->IoStatus.Status = STATUS_SUCCESS;
        return pass(adapter, irp);
    case IRP_MN_STOP_DEVICE:
        disable_interface(adapter);
        adapter_stop(adapter);
        irp->IoStatus.Status = STATUS_SUCCESS;
        return pass(adapter, irp);
    case IRP_MN_SURPRISE_REMOVAL:
        adapter->surprise_removed = TRUE;
        disable_interface(adapter);
        irp->IoStatus.Status = STATUS_SUCCESS;
        return pass(adapter, irp);
    case IRP_MN_REMOVE_DEVICE:
        return remove_device(adapter, irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (stack->Parameters.QueryDeviceRelations.Type == BusRelations) {
            NTSTATUS status;

            relations_asked();
            status = bus_relations(adapter, irp);

            if (!NT_SUCCESS(status)) {
                return irp_finish(irp, status, 0);
            }
            irp->IoStatus.Status = status;
        }
        return pass(adapter, irp);
    default:
        return pass(adapter, irp);
    }
}
