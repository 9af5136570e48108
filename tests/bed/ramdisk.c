/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A RAM disk: a small, correct virtual miniport with extended SRBs. */
#include "tests/bed/memory_disk.h"
#include "tests/bed/trouble.h"
#include "core/base/list.h"

#define TAG           0x4d41522e
#define TARGETS       128
#define LUNS_MAXIMUM  8
#define DISKS_MAXIMUM (TARGETS + LUNS_MAXIMUM)

/* DWORDs of the service's Parameters key, by the same names: Megabytes, Targets, ... */
static struct {
    ULONG megabytes;   /* of each disk: 64 */
    ULONG targets;     /* disks, each LUN 0 of a target of its own: 1 */
    ULONG luns;        /* of target 0: 1 */
    ULONG read_only;   /* 1: writes are refused */
    ULONG threaded;    /* 1: requests are answered by a thread, later; 0: within HwStartIo */
    ULONG queue_depth; /* of each LUN: 32 */
    ULONG attention;   /* 1: the first command after INQUIRY gets a unit attention */
} settings;

static struct trouble trouble; /* Stall, Busy, Pause */

struct adapter {
    struct memory_disk disks[DISKS_MAXIMUM];
    ULONG disk_count;
    KSPIN_LOCK lock;
    struct list_link waiting; /* guarded by lock */
    KSEMAPHORE work;
    volatile BOOLEAN stop;
    PVOID thread;
};

/* In the SRB extension. */
struct pending {
    struct list_link link;
    SCSI_REQUEST_BLOCK *srb;
};

static struct memory_disk *find_disk(struct adapter *adapter, const STOR_ADDR_BTL8 *address)
{
    for (ULONG i = 0; i < adapter->disk_count; i++) {
        struct memory_disk *disk = &adapter->disks[i];

        if (address->Path == 0 && disk->target == address->Target && disk->lun == address->Lun) {
            return disk;
        }
    }
    return NULL;
}

/* The tests look for these in the log. */
static void tell_once(const UCHAR *cdb)
{
    static volatile LONG fua;
    static volatile LONG flush;

    if ((cdb[0] == 0x2A || cdb[0] == 0x8A) && (cdb[1] & 8) != 0 && InterlockedExchange(&fua, 1) == 0) {
        DbgPrint("ramdisk: a write with FUA\n");
    }
    if (cdb[0] == 0x35 && InterlockedExchange(&flush, 1) == 0) {
        DbgPrint("ramdisk: SYNCHRONIZE CACHE\n");
    }
}

/* Flush and PnP ask for nothing; a reset ends what is outstanding. */
static void control(struct adapter *adapter, struct call *call)
{
    BOOLEAN done = TRUE;

    if (call->srb->SrbFunction == SRB_FUNCTION_RESET_LOGICAL_UNIT) {
        done = trouble_reset(&trouble, adapter, TROUBLE_LUN_RESET);
    } else if (call->srb->SrbFunction == SRB_FUNCTION_RESET_DEVICE) {
        done = trouble_reset(&trouble, adapter, TROUBLE_TARGET_RESET);
    }
    call->srb->SrbStatus = done ? SRB_STATUS_SUCCESS : SRB_STATUS_ERROR;
}

static void execute(struct adapter *adapter, SCSI_REQUEST_BLOCK *srb)
{
    struct memory_disk *disk;
    struct call call;

    call_open(&call, adapter, srb);
    disk = find_disk(adapter, call.address);
    if (disk == NULL) {
        call.srb->SrbStatus = SRB_STATUS_NO_DEVICE;
    } else if (call.scsi != NULL) {
        if (trouble_meets(&trouble, adapter, &call)) {
            return;
        }
        if (call.scsi->Cdb[0] == 0x12) {
            StorPortSetDeviceQueueDepth(adapter, 0, disk->target, disk->lun, settings.queue_depth);
        }
        tell_once(call.scsi->Cdb);
        memory_disk_execute(disk, &call, disk->target == 0 ? settings.luns : 1);
    } else {
        control(adapter, &call);
    }
    StorPortNotification(RequestComplete, adapter, srb);
}

static struct pending *take(struct adapter *adapter)
{
    struct list_link *link;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    link = list_take_first(&adapter->waiting);
    KeReleaseSpinLock(&adapter->lock, irql);
    return link != NULL ? list_member(link, struct pending, link) : NULL;
}

static VOID NTAPI worker(PVOID context)
{
    struct adapter *adapter = context;
    struct pending *pending;

    for (;;) {
        KeWaitForSingleObject(&adapter->work, Executive, KernelMode, FALSE, NULL);
        pending = take(adapter);
        if (pending != NULL) {
            execute(adapter, pending->srb);
        } else if (adapter->stop) {
            PsTerminateSystemThread(STATUS_SUCCESS);
        }
    }
}

static BOOLEAN hw_start_io(PVOID extension, PSCSI_REQUEST_BLOCK srb)
{
    struct adapter *adapter = extension;
    struct pending *pending = ((STORAGE_REQUEST_BLOCK *)srb)->MiniportContext;
    KIRQL irql;

    if (adapter->thread == NULL) {
        execute(adapter, srb);
        return TRUE;
    }
    pending->srb = srb;
    KeAcquireSpinLock(&adapter->lock, &irql);
    list_append(&adapter->waiting, &pending->link);
    KeReleaseSpinLock(&adapter->lock, irql);
    KeReleaseSemaphore(&adapter->work, IO_NO_INCREMENT, 1, FALSE);
    return TRUE;
}

static BOOLEAN hw_reset_bus(PVOID extension, ULONG path)
{
    struct adapter *adapter = extension;
    struct pending *pending;

    UNREFERENCED_PARAMETER(path);
    trouble_reset(&trouble, adapter, TROUBLE_BUS_RESET);
    while ((pending = take(adapter)) != NULL) {
        SCSI_REQUEST_BLOCK *srb = pending->srb;

        srb->SrbStatus = SRB_STATUS_BUS_RESET;
        StorPortNotification(RequestComplete, adapter, srb);
    }
    return TRUE;
}

static BOOLEAN start_thread(struct adapter *adapter)
{
    HANDLE handle;

    if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, worker, adapter))) {
        return FALSE;
    }
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &adapter->thread, NULL);
    ZwClose(handle);
    return TRUE;
}

static BOOLEAN passive_initialize(PVOID extension)
{
    struct adapter *adapter = extension;

    return settings.threaded == 0 || start_thread(adapter);
}

static BOOLEAN hw_initialize(PVOID extension)
{
    return StorPortEnablePassiveInitialization(extension, passive_initialize);
}

static BOOLEAN add_disk(struct adapter *adapter, UCHAR target, UCHAR lun)
{
    struct memory_disk *disk = &adapter->disks[adapter->disk_count];
    SIZE_T size = (SIZE_T)settings.megabytes * 1024 * 1024;

    disk->data = ExAllocatePoolWithTag(NonPagedPoolNx, size, TAG);
    if (disk->data == NULL) {
        return FALSE;
    }
    RtlZeroMemory(disk->data, size);
    disk->target = target;
    disk->lun = lun;
    disk->read_only = settings.read_only != 0;
    disk->unit_attention = settings.attention != 0;
    disk->blocks = size / MEMORY_DISK_BLOCK;
    adapter->disk_count++;
    return TRUE;
}

static VOID hw_free_adapter_resources(PVOID extension)
{
    struct adapter *adapter = extension;

    adapter->stop = TRUE;
    if (adapter->thread != NULL) {
        KeReleaseSemaphore(&adapter->work, IO_NO_INCREMENT, 1, FALSE);
        KeWaitForSingleObject(adapter->thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(adapter->thread);
    }
    for (ULONG i = 0; i < adapter->disk_count; i++) {
        ExFreePoolWithTag(adapter->disks[i].data, TAG);
    }
}

static void configure(PORT_CONFIGURATION_INFORMATION *config)
{
    config->VirtualDevice = TRUE;
    config->MaximumTransferLength = 1024 * 1024;
    config->NumberOfPhysicalBreaks = 257;
    config->NumberOfBuses = 1;
    config->MaximumNumberOfTargets = TARGETS;
    config->MaximumNumberOfLogicalUnits = LUNS_MAXIMUM;
    config->SynchronizationModel = StorSynchronizeFullDuplex;
    config->ScatterGather = TRUE;
    config->Master = TRUE;
    config->MaxNumberOfIO = 512;
    config->MaxIOsPerLun = 64;
    config->InitialLunQueueDepth = 32;
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
    list_init(&adapter->waiting);
    KeInitializeSemaphore(&adapter->work, 0, MAXLONG);
    configure(config);
    for (ULONG target = 0; target < settings.targets; target++) {
        for (ULONG lun = 0; lun < (target == 0 ? settings.luns : 1); lun++) {
            if (!add_disk(adapter, (UCHAR)target, (UCHAR)lun)) {
                hw_free_adapter_resources(adapter);
                return SP_RETURN_ERROR;
            }
        }
    }
    return SP_RETURN_FOUND;
}

static SCSI_ADAPTER_CONTROL_STATUS hw_adapter_control(PVOID extension, SCSI_ADAPTER_CONTROL_TYPE type, PVOID parameters)
{
    SCSI_SUPPORTED_CONTROL_TYPE_LIST *list = parameters;

    UNREFERENCED_PARAMETER(extension);
    if (type == ScsiQuerySupportedControlTypes) {
        list->SupportedTypeList[ScsiQuerySupportedControlTypes] = TRUE;
        list->SupportedTypeList[ScsiStopAdapter] = TRUE;
        list->SupportedTypeList[ScsiRestartAdapter] = TRUE;
    }
    return ScsiAdapterControlSuccess;
}

static void read_settings(const UNICODE_STRING *service)
{
    settings.megabytes = parameter(service, L"Megabytes", 64);
    settings.targets = parameter(service, L"Targets", 1);
    settings.luns = parameter(service, L"Luns", 1);
    settings.read_only = parameter(service, L"ReadOnly", 0);
    settings.threaded = parameter(service, L"Threaded", 0);
    settings.queue_depth = parameter(service, L"QueueDepth", 32);
    settings.attention = parameter(service, L"Attention", 0);
    trouble.stall = parameter(service, L"Stall", 0);
    trouble.busy = parameter(service, L"Busy", 0);
    trouble.pause = parameter(service, L"Pause", 0);
    settings.targets = settings.targets <= TARGETS ? settings.targets : TARGETS;
    settings.luns = settings.luns <= LUNS_MAXIMUM ? settings.luns : LUNS_MAXIMUM;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    HW_INITIALIZATION_DATA hw = {0};

    read_settings(path);
    hw.HwInitializationDataSize = sizeof(hw);
    hw.AdapterInterfaceType = Internal;
    hw.HwInitialize = hw_initialize;
    hw.HwStartIo = hw_start_io;
    hw.HwFindAdapter = hw_find_adapter;
    hw.HwResetBus = hw_reset_bus;
    hw.HwAdapterControl = hw_adapter_control;
    hw.HwFreeAdapterResources = hw_free_adapter_resources;
    hw.DeviceExtensionSize = sizeof(struct adapter);
    hw.SrbExtensionSize = sizeof(struct pending);
    hw.MapBuffers = STOR_MAP_NON_READ_WRITE_BUFFERS;
    hw.TaggedQueuing = TRUE;
    hw.AutoRequestSense = TRUE;
    hw.MultipleRequestPerLu = TRUE;
    hw.FeatureSupport = STOR_FEATURE_VIRTUAL_MINIPORT;
    hw.SrbTypeFlags = SRB_TYPE_FLAG_STORAGE_REQUEST_BLOCK;
    hw.AddressTypeFlags = ADDRESS_TYPE_FLAG_BTL8;
    return (NTSTATUS)StorPortInitialize(driver, path, &hw, NULL);
}
