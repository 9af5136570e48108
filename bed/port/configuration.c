/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PORT_CONFIGURATION_INFORMATION: what HwFindAdapter is given and what it may make of it. */
#include "bed/port/internal.h"

void configuration_init(struct adapter *adapter)
{
    const HW_INITIALIZATION_DATA *hw = &adapter->miniport->hw;
    PORT_CONFIGURATION_INFORMATION *config = &adapter->config;

    RtlZeroMemory(config, sizeof(*config));
    config->Length = sizeof(*config);
    config->AdapterInterfaceType = hw->AdapterInterfaceType;
    config->InterruptMode = Latched;
    config->MaximumTransferLength = SP_UNINITIALIZED_VALUE;
    config->NumberOfPhysicalBreaks = SP_UNINITIALIZED_VALUE;
    config->NumberOfAccessRanges = hw->NumberOfAccessRanges;
    config->NumberOfBuses = 1;
    RtlFillMemory(config->InitiatorBusId, sizeof(config->InitiatorBusId), 0xFF);
    config->MapBuffers = hw->MapBuffers;
    config->NeedPhysicalAddresses = hw->NeedPhysicalAddresses;
    config->TaggedQueuing = hw->TaggedQueuing;
    config->AutoRequestSense = hw->AutoRequestSense;
    config->MultipleRequestPerLu = hw->MultipleRequestPerLu;
    config->MaximumNumberOfTargets = SCSI_MAXIMUM_TARGETS_PER_BUS;
    config->MaximumNumberOfLogicalUnits = 8;
    config->SrbType = adapter->srbex ? SRB_TYPE_STORAGE_REQUEST_BLOCK : SRB_TYPE_SCSI_REQUEST_BLOCK;
    config->AddressType = STORAGE_ADDRESS_TYPE_BTL8;
    config->DeviceExtensionSize = hw->DeviceExtensionSize;
    config->SpecificLuExtensionSize = hw->SpecificLuExtensionSize;
    config->SrbExtensionSize = hw->SrbExtensionSize;
    config->Dma64BitAddresses = SCSI_DMA64_SYSTEM_SUPPORTED;
    config->VirtualDevice = TRUE;
    config->SynchronizationModel = StorSynchronizeHalfDuplex;
    config->MaxNumberOfIO = 1000;
    config->MaxIOsPerLun = 255;
    config->InitialLunQueueDepth = 20;
    config->FeatureSupport = hw->FeatureSupport;
}

static void check_addresses(PORT_CONFIGURATION_INFORMATION *config)
{
    if (config->NumberOfBuses == 0 || config->NumberOfBuses > SCSI_MAXIMUM_BUSES) {
        port_violation("find-adapter: NumberOfBuses is %u, 1 to %u are allowed", config->NumberOfBuses,
                       SCSI_MAXIMUM_BUSES);
        config->NumberOfBuses = 1;
    }
    if (config->MaximumNumberOfTargets == 0 || config->MaximumNumberOfTargets > SCSI_MAXIMUM_TARGETS_PER_BUS) {
        port_violation("find-adapter: MaximumNumberOfTargets is %u, 1 to %u are allowed",
                       config->MaximumNumberOfTargets, SCSI_MAXIMUM_TARGETS_PER_BUS);
        config->MaximumNumberOfTargets = SCSI_MAXIMUM_TARGETS_PER_BUS;
    }
    if (config->MaximumNumberOfLogicalUnits == 0) {
        port_violation("find-adapter: MaximumNumberOfLogicalUnits is 0");
        config->MaximumNumberOfLogicalUnits = 1;
    }
}

static void check_queues(PORT_CONFIGURATION_INFORMATION *config)
{
    if (config->MaxNumberOfIO == 0 || config->MaxIOsPerLun == 0 || config->InitialLunQueueDepth == 0) {
        port_violation("find-adapter: MaxNumberOfIO %lu, MaxIOsPerLun %lu and InitialLunQueueDepth %lu may not be 0",
                       config->MaxNumberOfIO, config->MaxIOsPerLun, config->InitialLunQueueDepth);
        config->MaxNumberOfIO = config->MaxIOsPerLun = config->InitialLunQueueDepth = 1;
    }
    if (config->InitialLunQueueDepth > config->MaxIOsPerLun || config->MaxIOsPerLun > config->MaxNumberOfIO) {
        port_violation("find-adapter: InitialLunQueueDepth %lu <= MaxIOsPerLun %lu <= MaxNumberOfIO %lu does not hold",
                       config->InitialLunQueueDepth, config->MaxIOsPerLun, config->MaxNumberOfIO);
    }
}

static void check_transfer(PORT_CONFIGURATION_INFORMATION *config)
{
    ULONG mask = config->AlignmentMask;

    if (config->MaximumTransferLength < PAGE_SIZE) {
        port_violation("find-adapter: MaximumTransferLength is %lu, less than a page", config->MaximumTransferLength);
        config->MaximumTransferLength = PAGE_SIZE;
    }
    if (config->MaximumTransferLength > 16 * 1024 * 1024) {
        config->MaximumTransferLength = 16 * 1024 * 1024;
    }
    if ((mask & (mask + 1)) != 0) {
        port_violation("find-adapter: AlignmentMask 0x%lx is not a power of two less one", mask);
        config->AlignmentMask = 0;
    }
    if (config->MapBuffers > STOR_MAP_ALL_BUFFERS_INCLUDING_READ_WRITE) {
        port_violation("find-adapter: MapBuffers is %u", config->MapBuffers);
        config->MapBuffers = STOR_MAP_NON_READ_WRITE_BUFFERS;
    }
}

/* `before` is what HwFindAdapter was given. Wrong values are reported and brought within the limits. */
void configuration_check(struct adapter *adapter, const PORT_CONFIGURATION_INFORMATION *before)
{
    PORT_CONFIGURATION_INFORMATION *config = &adapter->config;

    if (config->Length != before->Length || config->DeviceExtensionSize != before->DeviceExtensionSize ||
        config->SrbType != before->SrbType || config->AddressType != before->AddressType) {
        port_violation("find-adapter: Length, DeviceExtensionSize, SrbType or AddressType was changed");
        config->DeviceExtensionSize = before->DeviceExtensionSize;
        config->SrbType = before->SrbType;
    }
    check_addresses(config);
    check_queues(config);
    check_transfer(config);
}
