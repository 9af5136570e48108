/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A miniport that breaks one contract on purpose, the one that the parameter Wrong names by its number in `enum wrong`.
 * Otherwise it is a small memory disk at target 0. What concerns an SRB is done to READs and WRITEs of block 8 only, so
 * that the disk appears.
 */
#include "tests/bed/lend.h"
#include "tests/bed/memory_disk.h"

#define TAG           0x676e7257
#define TRIGGER_BLOCK 8
#define DISK_BYTES    (4 * 1024 * 1024)

enum wrong {
    NOTHING_WRONG,
    COMPLETES_TWICE,
    COMPLETES_UNKNOWN,
    STATUS_LEFT_PENDING,
    STATUS_INVENTED,
    STATUS_FROZEN,
    SUCCESS_WITH_CHECK_CONDITION,
    LENGTH_GROWN,
    LENGTH_SHORT,
    SENSE_WITHOUT_FLAG,
    FLAG_WITHOUT_SENSE,
    CHECK_CONDITION_WITHOUT_SENSE,
    SENSE_OF_NO_FORMAT,
    SENSE_OVERRUN,
    TOUCHES_SRB,
    TOUCHES_EXTENSION,
    TOUCHES_SENSE,
    TOUCHES_DATA,
    DATA_OVERRUN,
    CHANGES_WRITE_DATA,
    MAPS_AFTER_COMPLETION,
    LEAKS_STORPORT_POOL,
    OVERRUNS_STORPORT_POOL,
    FREES_STORPORT_POOL_TWICE,
    LEAKS_POOL,
    LEAVES_THREAD,
    CALLS_AFTER_FREE,
    TOUCHES_DEVICE_EXTENSION_AFTER_FREE,
    SERVICE_TWICE,
    SERVICE_NEVER,
    SERVICE_WITH_CANCEL_ROUTINE,
    SERVICE_LEFT_PENDING,
    SERVICE_ANSWER_TOO_LONG,
    TOO_MANY_TARGETS,
    QUEUES_OUT_OF_ORDER,
    OLD_INITIALIZATION_DATA,
    NOT_VIRTUAL,
    WAITS_IN_START_IO,
    NEVER_COMPLETES,
    COMPLETES_WHILE_LENT,
    USES_DATA_BUFFER_ADDRESS,
    DEREFERENCES_NULL,
    HANGS,
};

static enum wrong wrong;
static ULONG port; /* COMPLETES_WHILE_LENT: where to connect to on this machine */

struct adapter {
    struct memory_disk disk;
    KEVENT never;
    IRP *service;
};

static BOOLEAN is_triggered(const struct call *call)
{
    const UCHAR *cdb = call->scsi != NULL ? call->scsi->Cdb : NULL;

    return cdb != NULL && (cdb[0] == 0x28 || cdb[0] == 0x2A) && cdb[2] == 0 && cdb[3] == 0 && cdb[4] == 0 &&
           cdb[5] == TRIGGER_BLOCK;
}

static void complete(struct adapter *adapter, struct call *call)
{
    StorPortNotification(RequestComplete, adapter, call->srb);
}

/* ---- before completion ---- */

static void spoil_sense(struct call *call)
{
    UCHAR *sense = call->scsi->SenseInfoBuffer;

    call_fail(call, 3, 0x11, 0);
    if (wrong == SENSE_WITHOUT_FLAG) {
        call->srb->SrbStatus = SRB_STATUS_ERROR;
        call->scsi->ScsiStatus = 0;
    } else if (wrong == SENSE_OF_NO_FORMAT) {
        sense[0] = 0x42;
    } else if (wrong == SENSE_OVERRUN) {
        sense[255] = 0;
    }
}

static void spoil_before(struct call *call)
{
    switch (wrong) {
    case STATUS_LEFT_PENDING:
        call->srb->SrbStatus = SRB_STATUS_PENDING;
        break;
    case STATUS_INVENTED:
        call->srb->SrbStatus = 0x3D;
        break;
    case STATUS_FROZEN:
        call->srb->SrbStatus |= SRB_STATUS_QUEUE_FROZEN;
        break;
    case SUCCESS_WITH_CHECK_CONDITION:
        call->scsi->ScsiStatus = 2;
        break;
    case LENGTH_GROWN:
        call->srb->DataTransferLength += 512;
        break;
    case LENGTH_SHORT:
        call->srb->DataTransferLength -= 1;
        break;
    case SENSE_WITHOUT_FLAG:
    case SENSE_OF_NO_FORMAT:
    case SENSE_OVERRUN:
        spoil_sense(call);
        break;
    case FLAG_WITHOUT_SENSE:
        call->srb->SrbStatus = SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID;
        break;
    case CHECK_CONDITION_WITHOUT_SENSE:
        call->srb->SrbStatus = SRB_STATUS_ERROR;
        call->scsi->ScsiStatus = 2;
        break;
    case DATA_OVERRUN:
        call->data[call->length] = 1;
        break;
    case CHANGES_WRITE_DATA:
        call->data[0]++;
        break;
    default:
        break;
    }
}

/* ---- after completion ---- */

static void spoil_after(struct adapter *adapter, struct call *call, UCHAR *sense, UCHAR *srb_extension)
{
    STORAGE_REQUEST_BLOCK foreign = {0};
    PVOID address;

    switch (wrong) {
    case COMPLETES_TWICE:
        complete(adapter, call);
        break;
    case COMPLETES_UNKNOWN:
        foreign.SrbStatus = SRB_STATUS_SUCCESS;
        StorPortNotification(RequestComplete, adapter, &foreign);
        break;
    case TOUCHES_SRB:
        call->srb->DataTransferLength = 0;
        break;
    case TOUCHES_EXTENSION:
        srb_extension[3] = 1;
        break;
    case TOUCHES_SENSE:
        sense[2] = 5;
        break;
    case TOUCHES_DATA:
        call->data[1] = 7;
        break;
    case MAPS_AFTER_COMPLETION:
        StorPortGetSystemAddress(adapter, (SCSI_REQUEST_BLOCK *)call->srb, &address);
        break;
    default:
        break;
    }
}

/* ---- what needs no completion at all ---- */

static VOID NTAPI sleeper(PVOID context)
{
    KEVENT *never = context;

    KeWaitForSingleObject(never, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void leave_thread(void)
{
    static KEVENT event;
    HANDLE handle;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    if (NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, sleeper, &event))) {
        ZwClose(handle);
    }
}

static void wait_here(struct adapter *adapter, LONGLONG milliseconds)
{
    LARGE_INTEGER limit = {.QuadPart = -milliseconds * 10000};

    KeWaitForSingleObject(&adapter->never, Executive, KernelMode, FALSE, &limit);
}

static void misuse_pool(struct adapter *adapter)
{
    PVOID block = NULL;

    if (StorPortAllocatePool(adapter, 100, TAG, &block) != STOR_STATUS_SUCCESS) {
        return;
    }
    if (wrong == OVERRUNS_STORPORT_POOL) {
        ((UCHAR *)block)[100] = 1;
    }
    if (wrong != LEAKS_STORPORT_POOL) {
        StorPortFreePool(adapter, block);
    }
    if (wrong == FREES_STORPORT_POOL_TWICE) {
        StorPortFreePool(adapter, block);
    }
}

static void lend_data(struct adapter *adapter, struct call *call)
{
    PVOID mdl = NULL;

    if (StorPortGetOriginalMdl(adapter, (SCSI_REQUEST_BLOCK *)call->srb, &mdl) == STOR_STATUS_SUCCESS) {
        lend(mdl, (ULONG)((UCHAR *)call->srb->DataBuffer - (UCHAR *)MmGetMdlVirtualAddress((MDL *)mdl)), call->length);
    }
}

/* TRUE: the SRB is not to be completed. */
static BOOLEAN misuse(struct adapter *adapter, struct call *call)
{
    switch (wrong) {
    case LEAKS_STORPORT_POOL:
    case OVERRUNS_STORPORT_POOL:
    case FREES_STORPORT_POOL_TWICE:
        misuse_pool(adapter);
        return FALSE;
    case LEAKS_POOL:
        return ExAllocatePoolWithTag(NonPagedPoolNx, 1000, TAG) == NULL;
    case LEAVES_THREAD:
        leave_thread();
        return FALSE;
    case WAITS_IN_START_IO:
        wait_here(adapter, 20);
        return FALSE;
    case COMPLETES_WHILE_LENT:
        lend_data(adapter, call);
        return FALSE;
    case USES_DATA_BUFFER_ADDRESS:
        return *(volatile UCHAR *)call->srb->DataBuffer == 0;
    case DEREFERENCES_NULL:
        return *(volatile UCHAR *)(ULONG_PTR)0x10 == 0;
    case HANGS:
        wait_here(adapter, 3600 * 1000);
        return FALSE;
    case NEVER_COMPLETES:
        return TRUE;
    default:
        return FALSE;
    }
}

static void execute(struct adapter *adapter, struct call *call)
{
    BOOLEAN triggered = is_triggered(call);
    UCHAR *sense = call->scsi->SenseInfoBuffer;
    UCHAR *srb_extension = call->srb->MiniportContext;

    if (triggered && misuse(adapter, call)) {
        return;
    }
    memory_disk_execute(&adapter->disk, call, 1);
    if (triggered) {
        spoil_before(call);
    }
    complete(adapter, call);
    if (triggered) {
        spoil_after(adapter, call, sense, srb_extension);
    }
}

static BOOLEAN hw_start_io(PVOID extension, PSCSI_REQUEST_BLOCK srb)
{
    struct adapter *adapter = extension;
    struct call call;

    call_open(&call, extension, srb);
    if (call.address->Path != 0 || call.address->Target != 0 || call.address->Lun != 0) {
        call.srb->SrbStatus = SRB_STATUS_NO_DEVICE;
        complete(adapter, &call);
    } else if (call.scsi == NULL) {
        call.srb->SrbStatus = SRB_STATUS_SUCCESS;
        complete(adapter, &call);
    } else {
        execute(adapter, &call);
    }
    return TRUE;
}

/* ---- service requests ---- */

static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
}

static void finish_service(struct adapter *adapter, IRP *irp, NTSTATUS status, ULONG length)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = length;
    StorPortCompleteServiceIrp(adapter, irp);
}

static VOID hw_process_service_request(PVOID extension, PVOID request)
{
    struct adapter *adapter = extension;
    IRP *irp = request;

    switch (wrong) {
    case SERVICE_NEVER:
        adapter->service = irp;
        break;
    case SERVICE_WITH_CANCEL_ROUTINE:
        IoSetCancelRoutine(irp, cancel);
        finish_service(adapter, irp, STATUS_SUCCESS, 0);
        break;
    case SERVICE_LEFT_PENDING:
        finish_service(adapter, irp, STATUS_PENDING, 0);
        break;
    case SERVICE_ANSWER_TOO_LONG:
        finish_service(adapter, irp, STATUS_SUCCESS, 100000);
        break;
    case SERVICE_TWICE:
        finish_service(adapter, irp, STATUS_SUCCESS, 0);
        StorPortCompleteServiceIrp(adapter, irp);
        break;
    default:
        finish_service(adapter, irp, STATUS_SUCCESS, 0);
        break;
    }
}

static VOID hw_complete_service_irp(PVOID extension)
{
    UNREFERENCED_PARAMETER(extension);
}

/* ---- the rest of a miniport ---- */

static BOOLEAN passive_initialize(PVOID extension)
{
    UNREFERENCED_PARAMETER(extension);
    return wrong != COMPLETES_WHILE_LENT || lend_start((USHORT)port);
}

static BOOLEAN hw_initialize(PVOID extension)
{
    return StorPortEnablePassiveInitialization(extension, passive_initialize);
}

static BOOLEAN hw_reset_bus(PVOID extension, ULONG path)
{
    UNREFERENCED_PARAMETER(extension);
    UNREFERENCED_PARAMETER(path);
    return TRUE;
}

static PVOID late_thread;
static PDRIVER_UNLOAD storport_unload;

static VOID NTAPI late_caller(PVOID extension)
{
    struct adapter *adapter = extension;
    LARGE_INTEGER pause = {.QuadPart = -20 * 10000};

    KeDelayExecutionThread(KernelMode, FALSE, &pause);
    if (wrong == CALLS_AFTER_FREE) {
        StorPortNotification(BusChangeDetected, extension);
    } else {
        adapter->disk.target = 3;
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID hw_free_adapter_resources(PVOID extension)
{
    struct adapter *adapter = extension;
    HANDLE handle;

    lend_stop();
    ExFreePoolWithTag(adapter->disk.data, TAG);
    if ((wrong == CALLS_AFTER_FREE || wrong == TOUCHES_DEVICE_EXTENSION_AFTER_FREE) &&
        NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, late_caller, extension))) {
        ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &late_thread, NULL);
        ZwClose(handle);
    }
}

static ULONG hw_find_adapter(PVOID extension, PVOID context, PVOID bus, PVOID lower, PCHAR arguments,
                             PPORT_CONFIGURATION_INFORMATION config, PUCHAR again)
{
    struct adapter *adapter = extension;

    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(bus);
    UNREFERENCED_PARAMETER(lower);
    UNREFERENCED_PARAMETER(arguments);
    *again = FALSE;
    KeInitializeEvent(&adapter->never, NotificationEvent, FALSE);
    adapter->disk.data = ExAllocatePoolWithTag(NonPagedPoolNx, DISK_BYTES, TAG);
    if (adapter->disk.data == NULL) {
        return SP_RETURN_ERROR;
    }
    RtlZeroMemory(adapter->disk.data, DISK_BYTES);
    adapter->disk.blocks = DISK_BYTES / MEMORY_DISK_BLOCK;
    config->MaximumTransferLength = 1024 * 1024;
    config->MaximumNumberOfTargets = wrong == TOO_MANY_TARGETS ? 200 : 2;
    config->MaximumNumberOfLogicalUnits = 1;
    config->MaxIOsPerLun = wrong == QUEUES_OUT_OF_ORDER ? 10 : 64;
    return SP_RETURN_FOUND;
}

static SCSI_ADAPTER_CONTROL_STATUS hw_adapter_control(PVOID extension, SCSI_ADAPTER_CONTROL_TYPE type, PVOID parameters)
{
    SCSI_SUPPORTED_CONTROL_TYPE_LIST *list = parameters;

    UNREFERENCED_PARAMETER(extension);
    if (type == ScsiQuerySupportedControlTypes) {
        list->SupportedTypeList[ScsiStopAdapter] = TRUE;
    }
    return ScsiAdapterControlSuccess;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    if (late_thread != NULL) {
        KeWaitForSingleObject(late_thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(late_thread);
    }
    storport_unload(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    HW_INITIALIZATION_DATA hw = {0};
    NTSTATUS status;

    wrong = (enum wrong)parameter(path, L"Wrong", NOTHING_WRONG);
    port = parameter(path, L"Port", 0);
    hw.HwInitializationDataSize = wrong == OLD_INITIALIZATION_DATA ? 0xB0 : sizeof(hw);
    hw.AdapterInterfaceType = Internal;
    hw.HwInitialize = hw_initialize;
    hw.HwStartIo = hw_start_io;
    hw.HwFindAdapter = hw_find_adapter;
    hw.HwResetBus = hw_reset_bus;
    hw.HwAdapterControl = hw_adapter_control;
    hw.HwFreeAdapterResources = hw_free_adapter_resources;
    hw.HwProcessServiceRequest = hw_process_service_request;
    hw.HwCompleteServiceIrp = hw_complete_service_irp;
    hw.DeviceExtensionSize = sizeof(struct adapter);
    hw.SrbExtensionSize = 64;
    hw.MapBuffers = STOR_MAP_NON_READ_WRITE_BUFFERS;
    hw.TaggedQueuing = TRUE;
    hw.AutoRequestSense = TRUE;
    hw.MultipleRequestPerLu = TRUE;
    hw.FeatureSupport = wrong == NOT_VIRTUAL ? 0 : STOR_FEATURE_VIRTUAL_MINIPORT;
    hw.SrbTypeFlags = SRB_TYPE_FLAG_STORAGE_REQUEST_BLOCK;
    hw.AddressTypeFlags = ADDRESS_TYPE_FLAG_BTL8;
    status = (NTSTATUS)StorPortInitialize(driver, path, &hw, NULL);
    if (NT_SUCCESS(status)) {
        storport_unload = driver->DriverUnload;
        driver->DriverUnload = unload;
    }
    return status;
}
