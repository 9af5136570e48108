/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IOCTL_MINIPORT_PROCESS_SERVICE_IRP: pended, given to HwProcessServiceRequest, and completed once by
 * StorPortCompleteServiceIrp. Those still pending when the adapter goes are asked back with HwCompleteServiceIrp.
 */
#include "bed/port/internal.h"

#define SERVICE_TIMEOUT_S 10

struct service {
    struct list_link link; /* guarded by adapter->service_lock */
    IRP *irp;
    ULONG code; /* the first ULONG of the input, for messages */
    FILE_OBJECT *file;
};

static void remember(struct adapter *adapter, struct service *service, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    KIRQL irql;

    service->irp = irp;
    service->code = 0;
    service->file = stack->FileObject;
    if (stack->Parameters.DeviceIoControl.InputBufferLength >= sizeof(ULONG)) {
        service->code = *(const ULONG *)irp->AssociatedIrp.SystemBuffer;
    }
    if (service->file != NULL) {
        ObReferenceObject(service->file);
    }
    KeAcquireSpinLock(&adapter->service_lock, &irql);
    list_append(&adapter->services, &service->link);
    KeReleaseSpinLock(&adapter->service_lock, irql);
}

NTSTATUS service_begin(struct adapter *adapter, IRP *irp)
{
    HW_PROCESS_SERVICE_REQUEST *process = adapter->miniport->hw.HwProcessServiceRequest;
    struct service *service;

    if (process == NULL) {
        return irp_finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (adapter->state != ADAPTER_RUNNING) {
        return irp_finish(irp, STATUS_DEVICE_NOT_READY, 0);
    }
    service = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*service), PORT_TAG);
    if (service == NULL) {
        return irp_finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    irp->IoStatus.Information = 0;
    IoMarkIrpPending(irp);
    remember(adapter, service, irp);
    process(adapter->extension, irp);
    return STATUS_PENDING;
}

static struct service *take(struct adapter *adapter, const IRP *irp)
{
    struct service *found = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->service_lock, &irql);
    for (struct list_link *link = adapter->services.next; link != &adapter->services; link = link->next) {
        struct service *service = list_member(link, struct service, link);

        if (service->irp == irp) {
            list_remove(&service->link);
            found = service;
            break;
        }
    }
    KeReleaseSpinLock(&adapter->service_lock, irql);
    return found;
}

static void check(const struct service *service)
{
    IRP *irp = service->irp;
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG_PTR room = stack->Parameters.DeviceIoControl.OutputBufferLength;

    if (IoSetCancelRoutine(irp, NULL) != NULL) {
        port_violation("service-cancel: a service IRP (code 0x%lx) was completed with its cancel routine still set",
                       service->code);
    }
    if (irp->IoStatus.Status == STATUS_PENDING) {
        port_violation("service-pending: a service IRP (code 0x%lx) was completed with STATUS_PENDING", service->code);
        irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
    }
    if (irp->IoStatus.Information > room && !NT_ERROR(irp->IoStatus.Status)) {
        port_violation("service-length: a service IRP (code 0x%lx) answers %lu bytes into a buffer of %lu",
                       service->code, (ULONG)irp->IoStatus.Information, (ULONG)room);
        irp->IoStatus.Information = room;
    }
}

static void finish(struct service *service)
{
    FILE_OBJECT *file = service->file;

    check(service);
    irp_complete(service->irp);
    ExFreePoolWithTag(service, PORT_TAG);
    if (file != NULL) {
        ObDereferenceObject(file);
    }
}

/* StorPortCompleteServiceIrp */
ULONG service_complete(struct adapter *adapter, IRP *irp)
{
    struct service *service = take(adapter, irp);

    if (service == NULL) {
        port_violation("service-twice: StorPortCompleteServiceIrp of IRP %p, which is not pending", (void *)irp);
        return STOR_STATUS_INVALID_PARAMETER;
    }
    finish(service);
    return STOR_STATUS_SUCCESS;
}

static BOOLEAN none_left(struct adapter *adapter)
{
    BOOLEAN none;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->service_lock, &irql);
    none = list_is_empty(&adapter->services);
    KeReleaseSpinLock(&adapter->service_lock, irql);
    return none;
}

/* The adapter goes: the miniport has to end what it holds. PASSIVE_LEVEL. */
void services_end(struct adapter *adapter)
{
    LARGE_INTEGER pause = {.QuadPart = -20 * 10000};
    struct list_link *link;

    if (adapter->miniport->hw.HwCompleteServiceIrp != NULL) {
        adapter->miniport->hw.HwCompleteServiceIrp(adapter->extension);
    }
    for (ULONG i = 0; i < SERVICE_TIMEOUT_S * 50 && !none_left(adapter); i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    while ((link = list_take_first(&adapter->services)) != NULL) {
        struct service *service = list_member(link, struct service, link);

        port_violation(
            "service-never: a service IRP (code 0x%lx) was not completed within %u s of HwCompleteServiceIrp",
            service->code, SERVICE_TIMEOUT_S);
        IoSetCancelRoutine(service->irp, NULL);
        service->irp->IoStatus.Status = STATUS_DEVICE_REMOVED;
        service->irp->IoStatus.Information = 0;
        finish(service);
    }
}
