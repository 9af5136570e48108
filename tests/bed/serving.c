/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A miniport without disks that does for programs what a disk served by one needs: memory shared with it, its pages
 * locked, requests that wait, and the end of all that when the handle is closed. It learns of the latter as the first
 * in IRP_MJ_CLEANUP, of which it puts itself before Storport.
 */
#include "core/base/list.h"
#include "tests/bed/memory_disk.h"
#include "tests/bed/serving_memory.h"
#include "tests/bed/serving_wait.h"

#define TAG 0x67767253 /* "Srvg" */

/* A handle that has asked for something. */
struct session {
    struct list_link link; /* guarded by lock */
    FILE_OBJECT *file;     /* with a reference, so that no other gets its address */
    BOOLEAN mapped;
    struct memory memory;
};

static enum serving_careless careless;
static PVOID extension_of_adapter;
static PDRIVER_DISPATCH next_cleanup;
static KSPIN_LOCK lock;
static struct list_link sessions = {&sessions, &sessions}; /* guarded by lock */
static ULONG cleanups;                                     /* guarded by lock */

void serving_finish(IRP *irp, NTSTATUS status, ULONG length)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = length;
    StorPortCompleteServiceIrp(extension_of_adapter, irp);
}

/* ---- sessions ---- */

static struct session *find_locked(const FILE_OBJECT *file)
{
    for (struct list_link *link = sessions.next; link != &sessions; link = link->next) {
        struct session *session = list_member(link, struct session, link);

        if (session->file == file) {
            return session;
        }
    }
    return NULL;
}

/* Programs ask for their first thing from one thread. */
static struct session *session_of(FILE_OBJECT *file)
{
    struct session *session;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    session = find_locked(file);
    KeReleaseSpinLock(&lock, irql);
    if (session != NULL) {
        return session;
    }
    session = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*session), TAG);
    if (session == NULL) {
        return NULL;
    }
    RtlZeroMemory(session, sizeof(*session));
    session->file = file;
    ObReferenceObject(file);
    KeAcquireSpinLock(&lock, &irql);
    list_append(&sessions, &session->link);
    KeReleaseSpinLock(&lock, irql);
    return session;
}

/* ---- the end of a session ---- */

/* A CLEANUP without a sender would not be counted: it has to have one. */
static struct session *take_session(const FILE_OBJECT *file, PEPROCESS sender)
{
    struct session *session;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    session = find_locked(file);
    if (session != NULL) {
        list_remove(&session->link);
        cleanups += sender != NULL ? 1 : 0;
    }
    KeReleaseSpinLock(&lock, irql);
    return session;
}

static void end_session(struct session *session)
{
    wait_end(session->file);
    if (session->mapped) {
        memory_close(&session->memory, careless);
    }
    if (careless != SERVING_LEAVES_FILE) {
        ObDereferenceObject(session->file);
    }
    ExFreePoolWithTag(session, TAG);
}

static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT device, PIRP irp)
{
    struct session *session = take_session(IoGetCurrentIrpStackLocation(irp)->FileObject, IoGetRequestorProcess(irp));

    if (session != NULL) {
        end_session(session);
    }
    return next_cleanup(device, irp);
}

/* ---- service requests ---- */

static NTSTATUS poke(struct session *session, struct serving *command)
{
    UCHAR old;

    if (!session->mapped || command->address >= SERVING_SECTION_BYTES) {
        return STATUS_INVALID_PARAMETER;
    }
    old = *(volatile UCHAR *)&session->memory.data[command->address];
    *(volatile UCHAR *)&session->memory.data[command->address] = (UCHAR)command->value;
    command->value = old;
    return STATUS_SUCCESS;
}

static NTSTATUS map(struct session *session, IRP *irp, struct serving *command)
{
    NTSTATUS status;

    if (session->mapped) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    KeEnterCriticalRegion();
    status = memory_open(&session->memory, irp, command);
    KeLeaveCriticalRegion();
    session->mapped = NT_SUCCESS(status);
    return status;
}

static void count(struct serving *command)
{
    KIRQL irql;

    wait_count(command);
    KeAcquireSpinLock(&lock, &irql);
    command->cleanups = cleanups;
    KeReleaseSpinLock(&lock, irql);
}

static NTSTATUS serve(struct session *session, IRP *irp, struct serving *command)
{
    switch (command->code) {
    case SERVING_MAP:
        return map(session, irp, command);
    case SERVING_POKE:
        return poke(session, command);
    case SERVING_FILL:
        return memory_fill(command);
    case SERVING_SUM:
        return memory_sum(command);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static VOID hw_process_service_request(PVOID extension, PVOID request)
{
    IRP *irp = request;
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    struct serving *command = irp->AssociatedIrp.SystemBuffer;
    struct session *session;

    UNREFERENCED_PARAMETER(extension);
    if (stack->Parameters.DeviceIoControl.InputBufferLength != sizeof(*command) ||
        stack->Parameters.DeviceIoControl.OutputBufferLength != sizeof(*command)) {
        serving_finish(irp, STATUS_INVALID_PARAMETER, 0);
        return;
    }
    if (command->code == SERVING_COUNT) {
        count(command);
        command->status = STATUS_SUCCESS;
        serving_finish(irp, STATUS_SUCCESS, sizeof(*command));
        return;
    }
    session = session_of(stack->FileObject);
    if (session == NULL) {
        serving_finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    } else if (command->code == SERVING_WAIT) {
        wait_begin(irp);
    } else {
        command->status = (ULONG)serve(session, irp, command);
        serving_finish(irp, STATUS_SUCCESS, sizeof(*command));
    }
}

static VOID hw_complete_service_irp(PVOID extension)
{
    UNREFERENCED_PARAMETER(extension);
    wait_end(NULL);
}

/* ---- the rest of a miniport ---- */

static BOOLEAN hw_initialize(PVOID extension)
{
    UNREFERENCED_PARAMETER(extension);
    return TRUE;
}

static BOOLEAN hw_start_io(PVOID extension, PSCSI_REQUEST_BLOCK srb)
{
    ((STORAGE_REQUEST_BLOCK *)srb)->SrbStatus = SRB_STATUS_NO_DEVICE;
    StorPortNotification(RequestComplete, extension, srb);
    return TRUE;
}

static BOOLEAN hw_reset_bus(PVOID extension, ULONG path)
{
    UNREFERENCED_PARAMETER(extension);
    UNREFERENCED_PARAMETER(path);
    return TRUE;
}

static VOID hw_free_adapter_resources(PVOID extension)
{
    UNREFERENCED_PARAMETER(extension);
}

static ULONG hw_find_adapter(PVOID extension, PVOID context, PVOID bus, PVOID lower, PCHAR arguments,
                             PPORT_CONFIGURATION_INFORMATION config, PUCHAR again)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(bus);
    UNREFERENCED_PARAMETER(lower);
    UNREFERENCED_PARAMETER(arguments);
    *again = FALSE;
    extension_of_adapter = extension;
    config->VirtualDevice = TRUE;
    config->MaximumTransferLength = 1024 * 1024;
    config->NumberOfPhysicalBreaks = 257;
    config->NumberOfBuses = 1;
    config->MaximumNumberOfTargets = 1;
    config->MaximumNumberOfLogicalUnits = 1;
    config->SynchronizationModel = StorSynchronizeFullDuplex;
    config->ScatterGather = TRUE;
    config->Master = TRUE;
    config->MaxNumberOfIO = 32;
    config->MaxIOsPerLun = 32;
    config->InitialLunQueueDepth = 32;
    return SP_RETURN_FOUND;
}

static SCSI_ADAPTER_CONTROL_STATUS hw_adapter_control(PVOID extension, SCSI_ADAPTER_CONTROL_TYPE type, PVOID parameters)
{
    SCSI_SUPPORTED_CONTROL_TYPE_LIST *list = parameters;

    UNREFERENCED_PARAMETER(extension);
    if (type == ScsiQuerySupportedControlTypes) {
        list->SupportedTypeList[ScsiQuerySupportedControlTypes] = TRUE;
        list->SupportedTypeList[ScsiStopAdapter] = TRUE;
    }
    return ScsiAdapterControlSuccess;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    HW_INITIALIZATION_DATA hw = {0};
    NTSTATUS status;

    KeInitializeSpinLock(&lock);
    wait_init();
    careless = (enum serving_careless)parameter(path, L"Careless", SERVING_CAREFUL);
    hw.HwInitializationDataSize = sizeof(hw);
    hw.AdapterInterfaceType = Internal;
    hw.HwInitialize = hw_initialize;
    hw.HwStartIo = hw_start_io;
    hw.HwFindAdapter = hw_find_adapter;
    hw.HwResetBus = hw_reset_bus;
    hw.HwAdapterControl = hw_adapter_control;
    hw.HwFreeAdapterResources = hw_free_adapter_resources;
    hw.HwProcessServiceRequest = hw_process_service_request;
    hw.HwCompleteServiceIrp = hw_complete_service_irp;
    hw.DeviceExtensionSize = sizeof(PVOID);
    hw.MapBuffers = STOR_MAP_NON_READ_WRITE_BUFFERS;
    hw.TaggedQueuing = TRUE;
    hw.AutoRequestSense = TRUE;
    hw.MultipleRequestPerLu = TRUE;
    hw.FeatureSupport = STOR_FEATURE_VIRTUAL_MINIPORT;
    hw.SrbTypeFlags = SRB_TYPE_FLAG_STORAGE_REQUEST_BLOCK;
    hw.AddressTypeFlags = ADDRESS_TYPE_FLAG_BTL8;
    status = (NTSTATUS)StorPortInitialize(driver, path, &hw, NULL);
    next_cleanup = driver->MajorFunction[IRP_MJ_CLEANUP];
    driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
    return status;
}
