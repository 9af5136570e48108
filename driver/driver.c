/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver.h"

#include "driver/event.h"
#include "driver/memory.h"
#include "driver/owner.h"
#include "driver/record.h"

static void describe(PHW_INITIALIZATION_DATA data)
{
    RtlZeroMemory(data, sizeof *data);
    data->HwInitializationDataSize = sizeof *data;
    data->AdapterInterfaceType = Internal;

    data->HwFindAdapter = (PVOID)hw_find_adapter;
    data->HwInitialize = hw_initialize;
    data->HwStartIo = hw_start_io;
    data->HwResetBus = hw_reset_bus;
    data->HwAdapterControl = hw_adapter_control;
    data->HwFreeAdapterResources = hw_free_adapter_resources;
    data->HwProcessServiceRequest = hw_process_service_request;
    data->HwCompleteServiceIrp = hw_complete_service_irp;

    data->DeviceExtensionSize = sizeof(struct adapter);
    data->SrbExtensionSize = sizeof(struct record);
    data->MapBuffers = STOR_MAP_NON_READ_WRITE_BUFFERS;
    data->TaggedQueuing = TRUE;
    data->AutoRequestSense = TRUE;
    data->MultipleRequestPerLu = TRUE;
    data->FeatureSupport = STOR_FEATURE_VIRTUAL_MINIPORT | STOR_FEATURE_FULL_PNP_DEVICE_CAPABILITIES;
    data->SrbTypeFlags = SRB_TYPE_FLAG_STORAGE_REQUEST_BLOCK;
    data->AddressTypeFlags = ADDRESS_TYPE_FLAG_BTL8;
}

DRIVER_INITIALIZE DriverEntry;

DDK_CODE("INIT") NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    HW_INITIALIZATION_DATA data;
    ULONG status;

    memory_init();
    options_init(driver);
    describe(&data);
    status = StorPortInitialize(driver, registry_path, &data, NULL);
    if (NT_SUCCESS((NTSTATUS)status)) {
        owner_hook(driver);
        event_start(driver);
    }
    return (NTSTATUS)status;
}
