/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* StorPortInitialize, AddDevice and the driver's unloading. */
#include "bed/port/internal.h"

struct miniport *miniports;
ULONG port_ack_ms;
struct adapter *adapters;
KSPIN_LOCK miniports_lock;

static ULONG next_port_number;

ULONG parameter_read(const UNICODE_STRING *service_key, const WCHAR *name, ULONG fallback)
{
    static const WCHAR subkey[] = L"\\Parameters";
    WCHAR path_buffer[300];
    UNICODE_STRING path = {0, sizeof(path_buffer), path_buffer};
    UNICODE_STRING value_name;
    OBJECT_ATTRIBUTES attributes;
    UCHAR buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)] __attribute__((aligned(8)));
    KEY_VALUE_PARTIAL_INFORMATION *value = (KEY_VALUE_PARTIAL_INFORMATION *)buffer;
    ULONG length;
    ULONG answer = fallback;
    HANDLE key;

    RtlAppendUnicodeStringToString(&path, service_key);
    RtlAppendUnicodeToString(&path, subkey);
    RtlInitUnicodeString(&value_name, name);
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
        return fallback;
    }
    if (NT_SUCCESS(ZwQueryValueKey(key, &value_name, KeyValuePartialInformation, value, sizeof(buffer), &length)) &&
        value->Type == REG_DWORD && value->DataLength == sizeof(ULONG)) {
        answer = *(const ULONG *)value->Data;
    }
    ZwClose(key);
    return answer;
}

struct miniport *miniport_of(DRIVER_OBJECT *driver)
{
    struct miniport *miniport;
    KIRQL irql;

    KeAcquireSpinLock(&miniports_lock, &irql);
    for (miniport = miniports; miniport != NULL && miniport->driver != driver;) {
        miniport = miniport->next;
    }
    KeReleaseSpinLock(&miniports_lock, irql);
    return miniport;
}

static void miniport_free(struct miniport *miniport)
{
    struct miniport **link;
    KIRQL irql;

    KeAcquireSpinLock(&miniports_lock, &irql);
    for (link = &miniports; *link != miniport;) {
        link = &(*link)->next;
    }
    *link = miniport->next;
    KeReleaseSpinLock(&miniports_lock, irql);
    ExFreePoolWithTag(miniport, PORT_TAG);
}

/* What Storport puts into DriverUnload; a miniport with an own routine calls this one from it. */
static void NTAPI port_unload(DRIVER_OBJECT *driver)
{
    struct miniport *miniport = miniport_of(driver);

    control_delete(driver);
    if (miniport != NULL && miniport->unload == NULL) {
        extensions_check(miniport);
        miniport_free(miniport);
        bed_driver_unloaded(driver);
    }
}

/* In place of the miniport's unload routine from the first AddDevice on: what is still there when it has ended is lost.
 */
static void NTAPI outer_unload(DRIVER_OBJECT *driver)
{
    struct miniport *miniport = miniport_of(driver);

    if (miniport->unload != NULL) {
        miniport->unload(driver);
    }
    extensions_check(miniport);
    miniport_free(miniport);
    bed_driver_unloaded(driver);
}

static BOOLEAN initialization_is_sound(const HW_INITIALIZATION_DATA *hw)
{
    if (hw->HwInitializationDataSize != sizeof(*hw)) {
        port_violation("initialize-size: HwInitializationDataSize is 0x%lx, HW_INITIALIZATION_DATA has 0x%lx",
                       hw->HwInitializationDataSize, (ULONG)sizeof(*hw));
        return FALSE;
    }
    if ((hw->FeatureSupport & STOR_FEATURE_VIRTUAL_MINIPORT) == 0) {
        port_violation("initialize-feature: FeatureSupport 0x%lx lacks STOR_FEATURE_VIRTUAL_MINIPORT",
                       hw->FeatureSupport);
        return FALSE;
    }
    if (hw->HwInitialize == NULL || hw->HwStartIo == NULL || hw->HwFindAdapter == NULL || hw->HwResetBus == NULL) {
        port_violation("initialize-callbacks: HwInitialize, HwStartIo, HwFindAdapter and HwResetBus are required");
        return FALSE;
    }
    if (hw->HwFreeAdapterResources == NULL || hw->HwAdapterControl == NULL) {
        port_violation("initialize-callbacks: a virtual miniport needs HwFreeAdapterResources and HwAdapterControl to "
                       "be unloaded");
    }
    if ((hw->HwProcessServiceRequest == NULL) != (hw->HwCompleteServiceIrp == NULL)) {
        port_violation("initialize-callbacks: HwProcessServiceRequest and HwCompleteServiceIrp belong together");
    }
    if (hw->HwInterrupt != NULL) {
        port_violation("initialize-callbacks: a virtual miniport has no HwInterrupt");
    }
    return TRUE;
}

static struct miniport *miniport_create(DRIVER_OBJECT *driver, const UNICODE_STRING *path)
{
    struct miniport *miniport =
        ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*miniport) + path->Length + sizeof(WCHAR), PORT_TAG);

    if (miniport == NULL) {
        return NULL;
    }
    RtlZeroMemory(miniport, sizeof(*miniport));
    miniport->driver = driver;
    miniport->registry_path.Buffer = (WCHAR *)(miniport + 1);
    miniport->registry_path.MaximumLength = path->Length + sizeof(WCHAR);
    RtlCopyUnicodeString(&miniport->registry_path, path);
    miniport->parameters.io_timeout_s = parameter_read(path, L"IoTimeoutValue", 10);
    miniport->parameters.bus_type = parameter_read(path, L"BusType", BusTypeVirtual);
    miniport->parameters.issuers = parameter_read(path, L"BedIssuers", 0);
    miniport->parameters.sample = parameter_read(path, L"BedSample", 16);
    port_ack_ms = parameter_read(path, L"BedAckMs", 0);
    return miniport;
}

static void install(DRIVER_OBJECT *driver)
{
    static const UCHAR functions[] = {
        IRP_MJ_CREATE, IRP_MJ_CLOSE,         IRP_MJ_CLEANUP,        IRP_MJ_READ,
        IRP_MJ_WRITE,  IRP_MJ_FLUSH_BUFFERS, IRP_MJ_DEVICE_CONTROL, IRP_MJ_INTERNAL_DEVICE_CONTROL,
        IRP_MJ_PNP,    IRP_MJ_POWER,         IRP_MJ_SHUTDOWN,       IRP_MJ_SYSTEM_CONTROL};

    for (ULONG i = 0; i < sizeof(functions); i++) {
        driver->MajorFunction[functions[i]] = port_dispatch;
    }
    driver->DriverExtension->AddDevice = port_add_device;
    driver->DriverUnload = port_unload;
}

ULONG NTAPI StorPortInitialize(PVOID Argument1, PVOID Argument2, PHW_INITIALIZATION_DATA HwInitializationData,
                               PVOID HwContext)
{
    DRIVER_OBJECT *driver = Argument1;
    struct miniport *miniport;
    KIRQL irql;

    bed_patch_imports(driver);
    if (miniports == NULL) {
        topology_init();
    }
    if (!initialization_is_sound(HwInitializationData)) {
        return (ULONG)STATUS_REVISION_MISMATCH;
    }
    miniport = miniport_create(driver, Argument2);
    if (miniport == NULL) {
        return (ULONG)STATUS_INSUFFICIENT_RESOURCES;
    }
    miniport->hw = *HwInitializationData;
    miniport->context = HwContext;
    KeAcquireSpinLock(&miniports_lock, &irql);
    miniport->next = miniports;
    miniports = miniport;
    KeReleaseSpinLock(&miniports_lock, irql);
    install(driver);
    control_create(driver);
    return (ULONG)STATUS_SUCCESS;
}

static void adapter_init(struct adapter *adapter, struct miniport *miniport, DEVICE_OBJECT *pdo)
{
    adapter->device.kind = DEVICE_ADAPTER;
    adapter->miniport = miniport;
    adapter->pdo = pdo;
    adapter->srbex = (miniport->hw.SrbTypeFlags & SRB_TYPE_FLAG_STORAGE_REQUEST_BLOCK) != 0;
    KeInitializeSpinLock(&adapter->startio_lock);
    KeInitializeSpinLock(&adapter->lock);
    KeInitializeSpinLock(&adapter->free_lock);
    KeInitializeSpinLock(&adapter->service_lock);
    KeInitializeSpinLock(&adapter->memory_lock);
    KeInitializeSpinLock(&adapter->timer_lock);
    list_init(&adapter->units);
    list_init(&adapter->ready);
    list_init(&adapter->delayed);
    list_init(&adapter->free);
    list_init(&adapter->services);
    list_init(&adapter->memory);
    list_init(&adapter->quarantine);
    list_init(&adapter->hw_timers);
}

static NTSTATUS adapter_device(DRIVER_OBJECT *driver, ULONG number, DEVICE_OBJECT **object)
{
    WCHAR name_buffer[32];
    WCHAR link_buffer[32];
    UNICODE_STRING name;
    UNICODE_STRING link;
    NTSTATUS status;

    _snwprintf(name_buffer, 32, L"\\Device\\RaidPort%lu", number);
    _snwprintf(link_buffer, 32, L"\\DosDevices\\Scsi%lu:", number);
    RtlInitUnicodeString(&name, name_buffer);
    RtlInitUnicodeString(&link, link_buffer);
    status = IoCreateDevice(driver, sizeof(struct adapter), &name, FILE_DEVICE_CONTROLLER, FILE_DEVICE_SECURE_OPEN,
                            FALSE, object);
    if (NT_SUCCESS(status)) {
        IoCreateSymbolicLink(&link, &name);
    }
    return status;
}

NTSTATUS NTAPI port_add_device(DRIVER_OBJECT *driver, DEVICE_OBJECT *pdo)
{
    struct miniport *miniport = miniport_of(driver);
    ULONG number = next_port_number++;
    DEVICE_OBJECT *object;
    struct adapter *adapter;
    NTSTATUS status;
    KIRQL irql;

    if (driver->DriverUnload != outer_unload) {
        miniport->unload = driver->DriverUnload;
        driver->DriverUnload = outer_unload;
    }
    status = adapter_device(driver, number, &object);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    adapter = object->DeviceExtension;
    RtlZeroMemory(adapter, sizeof(*adapter));
    adapter_init(adapter, miniport, pdo);
    adapter->device.object = object;
    adapter->number = number;
    adapter->lower = IoAttachDeviceToDeviceStack(object, pdo);
    KeAcquireSpinLock(&miniports_lock, &irql);
    adapter->next = adapters;
    adapters = adapter;
    KeReleaseSpinLock(&miniports_lock, irql);
    object->Flags |= DO_DIRECT_IO;
    object->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
