/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The adapter's start and end, and power. */
#include "driver/driver.h"

#include "driver/disk.h"
#include "driver/log.h"
#include "driver/performance.h"
#include "driver/record.h"

#include "version.h"

/* ---- Start, step by step, and the way back ---- */

static NTSTATUS start_interface(struct adapter *adapter)
{
    PVOID device = NULL;
    PVOID physical = NULL;
    PVOID lower = NULL;
    NTSTATUS status;

    if (StorPortGetDeviceObjects(adapter, &device, &physical, &lower) != STOR_STATUS_SUCCESS) {
        return STATUS_UNSUCCESSFUL;
    }
    status = IoRegisterDeviceInterface(physical, &WNBD_GUID, NULL, &adapter->interface_link);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoSetDeviceInterfaceState(&adapter->interface_link, TRUE);
    if (!NT_SUCCESS(status)) {
        RtlFreeUnicodeString(&adapter->interface_link);
    }
    return status;
}

static void stop_interface(struct adapter *adapter)
{
    IoSetDeviceInterfaceState(&adapter->interface_link, FALSE);
    RtlFreeUnicodeString(&adapter->interface_link);
}

static void load_options(void *context)
{
    UNREFERENCED_PARAMETER(context);
    options_load();
}

static NTSTATUS start(struct adapter *adapter)
{
    NTSTATUS status;

    KeInitializeSpinLock(&adapter->lock);
    disk_places_init(adapter);
    InitializeListHead(&adapter->creation_waiters);
    KeInitializeEvent(&adapter->no_threads, NotificationEvent, TRUE);
    status = worker_start(&adapter->worker);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    worker_call(&adapter->worker, load_options, NULL);
    status = wsk_register(&adapter->wsk);
    if (!NT_SUCCESS(status)) {
        goto stop_worker;
    }
    status = start_interface(adapter);
    if (!NT_SUCCESS(status)) {
        goto unregister_wsk;
    }
    performance_start(adapter);
    adapter->started = true;
    return STATUS_SUCCESS;

unregister_wsk:
    wsk_unregister(&adapter->wsk);
stop_worker:
    worker_stop(&adapter->worker);
    return status;
}

static void set_ending(struct adapter *adapter, bool ending)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    adapter->ending = ending;
    KeReleaseInStackQueuedSpinLock(&handle);
}

void adapter_end(struct adapter *adapter)
{
    set_ending(adapter, true);
}

bool adapter_is_ending(struct adapter *adapter)
{
    KLOCK_QUEUE_HANDLE handle;
    bool ending;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    ending = adapter->ending;
    KeReleaseInStackQueuedSpinLock(&handle);
    return ending;
}

static void stop_disks(struct adapter *adapter)
{
    adapter_end(adapter);
    for (ULONG target = 0; target < ADAPTER_TARGETS; target++) {
        struct disk *disk = disk_in_place(adapter, target);

        if (disk != NULL) {
            disk_stop(disk, DISK_LOST_PLACE);
            disk_release(disk);
        }
    }
    /* Each thread ends in bounded time (nbd_close). */
    KeWaitForSingleObject(&adapter->no_threads, Executive, KernelMode, FALSE, NULL);
}

VOID hw_free_adapter_resources(PVOID extension)
{
    struct adapter *adapter = extension;

    if (!adapter->started) {
        return;
    }
    adapter->started = false;
    performance_stop(adapter);
    stop_interface(adapter);
    stop_disks(adapter);
    wsk_unregister(&adapter->wsk);
    worker_stop(&adapter->worker);
    log_adapter(ADAPTER_ENDED);
}

/* Of a disk no more than of all of them. */
static void configure_queues(struct adapter *adapter, PPORT_CONFIGURATION_INFORMATION configuration)
{
    ULONG per_adapter = (ULONG)driver_options.max_io_req_per_adapter;

    adapter->lun_queue_depth = min((ULONG)driver_options.max_io_req_per_lun, per_adapter);
    configuration->MaxNumberOfIO = per_adapter;
    adapter->lun_depth_max = min(WNBD_ABS_MAX_IO_REQ_PER_LUN, per_adapter);
    configuration->MaxIOsPerLun = adapter->lun_depth_max; /* a disk may ask for more than the option says */
    configuration->InitialLunQueueDepth = adapter->lun_queue_depth;
}

static void configure(PPORT_CONFIGURATION_INFORMATION configuration)
{
    configuration->VirtualDevice = TRUE;
    configuration->ScatterGather = TRUE;
    configuration->Master = TRUE;
    configuration->CachesData = FALSE;
    configuration->AlignmentMask = FILE_BYTE_ALIGNMENT;
    configuration->MaximumTransferLength = RECORD_DATA_MAX;
    configuration->NumberOfPhysicalBreaks = RECORD_DATA_MAX / PAGE_SIZE + 1;
    configuration->Dma64BitAddresses = SCSI_DMA64_MINIPORT_FULL64BIT_SUPPORTED;
    configuration->NumberOfBuses = ADAPTER_BUSES;
    configuration->MaximumNumberOfTargets = ADAPTER_TARGETS;
    configuration->MaximumNumberOfLogicalUnits = ADAPTER_LUNS;
    configuration->ResetTargetSupported = TRUE;
    configuration->WmiDataProvider = FALSE;
    configuration->SynchronizationModel = StorSynchronizeFullDuplex;
}

/* PASSIVE_LEVEL, as the documentation has it for virtual miniports. */
ULONG hw_find_adapter(PVOID extension, PVOID context, PVOID bus, PVOID lower, PCHAR arguments,
                      PPORT_CONFIGURATION_INFORMATION configuration, PUCHAR again)
{
    struct adapter *adapter = extension;

    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(bus);
    UNREFERENCED_PARAMETER(lower);
    UNREFERENCED_PARAMETER(arguments);
    *again = FALSE;
    if (!adapter->started) { /* it may have been stopped and started again without being freed */
        NTSTATUS status = start(adapter);

        if (!NT_SUCCESS(status)) {
            log_adapter(ADAPTER_FAILED, status);
            return SP_RETURN_ERROR;
        }
    }
    configure(configuration);
    configure_queues(adapter, configuration);
    set_ending(adapter, false);
    log_adapter(ADAPTER_STARTED, WNBD_VERSION_TEXT);
    return SP_RETURN_FOUND;
}

BOOLEAN hw_initialize(PVOID extension)
{
    UNREFERENCED_PARAMETER(extension);
    return TRUE;
}

/* ---- Power ---- */

static SCSI_ADAPTER_CONTROL_STATUS query_supported(PSCSI_SUPPORTED_CONTROL_TYPE_LIST list)
{
    static const SCSI_ADAPTER_CONTROL_TYPE supported[] = {
        ScsiQuerySupportedControlTypes,
        ScsiStopAdapter,
        ScsiRestartAdapter,
    };

    for (size_t i = 0; i < ARRAYSIZE(supported); i++) {
        if ((ULONG)supported[i] < list->MaxControlType) {
            list->SupportedTypeList[supported[i]] = TRUE;
        }
    }
    return ScsiAdapterControlSuccess;
}

/* The machine may have slept: its network was gone, and a server gives up on a peer that is silent for long. Nobody
 * says whether it has, and a request over a dead connection would find out by a time-out. */
static void renew_connections(struct adapter *adapter)
{
    InterlockedIncrement(&adapter->restarts); /* for those that are being made just now: nbd_open */
    for (ULONG target = 0; target < ADAPTER_TARGETS; target++) {
        struct disk *disk = disk_pin(adapter, target);

        if (disk != NULL) {
            disk_renew(disk);
            disk_unpin(disk);
        }
    }
}

SCSI_ADAPTER_CONTROL_STATUS hw_adapter_control(PVOID extension, SCSI_ADAPTER_CONTROL_TYPE type, PVOID parameters)
{
    switch (type) {
    case ScsiQuerySupportedControlTypes:
        return query_supported(parameters);
    case ScsiStopAdapter:
        /* Requests that are still out must not keep the machine from going down. Idle connections stay: the adapter may
         * be restarted, and is told when it is removed. */
        hw_reset_bus(extension, 0);
        return ScsiAdapterControlSuccess;
    case ScsiRestartAdapter:
        renew_connections(extension);
        return ScsiAdapterControlSuccess;
    default:
        return ScsiAdapterControlUnsuccessful;
    }
}
