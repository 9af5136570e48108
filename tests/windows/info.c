/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that Windows' programs ask of a disk, one `query.field: value` a line. */
#include "commands.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <winioctl.h>
#include <ntddscsi.h>

#define ANSWER_BYTES 4096u

static unsigned char answer[ANSWER_BYTES];

static bool ask(struct disk *disk, const char *name, DWORD code, const void *input, DWORD input_length, DWORD least)
{
    DWORD returned;
    DWORD error;

    memset(answer, 0, sizeof(answer));
    error = disk_control(disk, code, input, input_length, answer, sizeof(answer), &returned);
    printf("%s.error: %lu\n%s.returned: %lu\n", name, error, name, returned);
    return error == ERROR_SUCCESS && returned >= least;
}

static bool ask_property(struct disk *disk, const char *name, STORAGE_PROPERTY_ID id, DWORD least)
{
    STORAGE_PROPERTY_QUERY query = {.PropertyId = id, .QueryType = PropertyStandardQuery};

    return ask(disk, name, IOCTL_STORAGE_QUERY_PROPERTY, &query, sizeof(query), least);
}

static void number(const char *name, const char *field, uint64_t value)
{
    printf("%s.%s: %llu\n", name, field, (unsigned long long)value);
}

/* A text inside the answer; offset 0 means there is none. */
static void text(const char *name, const char *field, DWORD offset)
{
    if (offset != 0 && offset < sizeof(answer))
        printf("%s.%s: %.*s|\n", name, field, (int)(sizeof(answer) - offset), (const char *)answer + offset);
}

static void geometry(struct disk *disk)
{
    const GET_LENGTH_INFORMATION *length = (const GET_LENGTH_INFORMATION *)answer;
    const DISK_GEOMETRY *plain = (const DISK_GEOMETRY *)answer;
    const DISK_GEOMETRY_EX *extended = (const DISK_GEOMETRY_EX *)answer;

    if (ask(disk, "length", IOCTL_DISK_GET_LENGTH_INFO, NULL, 0, sizeof(*length)))
        number("length", "bytes", (uint64_t)length->Length.QuadPart);
    if (ask(disk, "geometry", IOCTL_DISK_GET_DRIVE_GEOMETRY, NULL, 0, sizeof(*plain))) {
        number("geometry", "media", plain->MediaType);
        number("geometry", "sector", plain->BytesPerSector);
    }
    if (ask(disk, "geometry_ex", IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, NULL, 0, offsetof(DISK_GEOMETRY_EX, Data))) {
        number("geometry_ex", "bytes", (uint64_t)extended->DiskSize.QuadPart);
        number("geometry_ex", "sector", extended->Geometry.BytesPerSector);
    }
}

static void device(struct disk *disk)
{
    const STORAGE_DEVICE_DESCRIPTOR *it = (const STORAGE_DEVICE_DESCRIPTOR *)answer;

    if (!ask_property(disk, "device", StorageDeviceProperty, sizeof(*it)))
        return;
    number("device", "type", it->DeviceType);
    number("device", "removable", it->RemovableMedia);
    number("device", "queueing", it->CommandQueueing);
    number("device", "bus", it->BusType);
    text("device", "vendor", it->VendorIdOffset);
    text("device", "product", it->ProductIdOffset);
    text("device", "revision", it->ProductRevisionOffset);
    text("device", "serial", it->SerialNumberOffset);
}

static void adapter(struct disk *disk)
{
    const STORAGE_ADAPTER_DESCRIPTOR *it = (const STORAGE_ADAPTER_DESCRIPTOR *)answer;

    if (!ask_property(disk, "adapter", StorageAdapterProperty, offsetof(STORAGE_ADAPTER_DESCRIPTOR, BusMajorVersion)))
        return;
    number("adapter", "transfer", it->MaximumTransferLength);
    number("adapter", "alignment", it->AlignmentMask);
    number("adapter", "bus", it->BusType);
    number("adapter", "queueing", it->CommandQueueing);
}

static void device_id(struct disk *disk)
{
    const STORAGE_DEVICE_ID_DESCRIPTOR *it = (const STORAGE_DEVICE_ID_DESCRIPTOR *)answer;

    if (!ask_property(disk, "id", StorageDeviceIdProperty, offsetof(STORAGE_DEVICE_ID_DESCRIPTOR, Identifiers)))
        return;
    number("id", "count", it->NumberOfIdentifiers);
    printf("id.raw: ");
    for (DWORD i = offsetof(STORAGE_DEVICE_ID_DESCRIPTOR, Identifiers); i < it->Size && i < sizeof(answer); i++)
        printf("%02x", answer[i]);
    puts("");
}

static void behaviour(struct disk *disk)
{
    const STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR *alignment = (const STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR *)answer;
    const STORAGE_WRITE_CACHE_PROPERTY *cache = (const STORAGE_WRITE_CACHE_PROPERTY *)answer;
    const DEVICE_TRIM_DESCRIPTOR *trim = (const DEVICE_TRIM_DESCRIPTOR *)answer;

    if (ask_property(disk, "alignment", StorageAccessAlignmentProperty, sizeof(*alignment))) {
        number("alignment", "logical", alignment->BytesPerLogicalSector);
        number("alignment", "physical", alignment->BytesPerPhysicalSector);
        number("alignment", "offset", alignment->BytesOffsetForSectorAlignment);
    }
    if (ask_property(disk, "cache", StorageDeviceWriteCacheProperty, sizeof(*cache))) {
        number("cache", "type", cache->WriteCacheType);
        number("cache", "enabled", cache->WriteCacheEnabled);
        number("cache", "through", cache->WriteThroughSupported);
        number("cache", "flush", cache->FlushCacheSupported);
    }
    if (ask_property(disk, "trim", StorageDeviceTrimProperty, sizeof(*trim)))
        number("trim", "enabled", trim->TrimEnabled);
}

static void provisioning(struct disk *disk)
{
    const DEVICE_LB_PROVISIONING_DESCRIPTOR *it = (const DEVICE_LB_PROVISIONING_DESCRIPTOR *)answer;

    if (!ask_property(disk, "provisioning", StorageDeviceLBProvisioningProperty, sizeof(*it)))
        return;
    number("provisioning", "thin", it->ThinProvisioningEnabled);
    number("provisioning", "zeroes", it->ThinProvisioningReadZeros);
    number("provisioning", "anchor", it->AnchorSupported);
    number("provisioning", "granularity", it->OptimalUnmapGranularity);
    number("provisioning", "alignment_valid", it->UnmapGranularityAlignmentValid);
    number("provisioning", "alignment", it->UnmapGranularityAlignment);
    number("provisioning", "blocks", it->MaxUnmapLbaCount);
    number("provisioning", "descriptors", it->MaxUnmapBlockDescriptorCount);
}

static void addresses(struct disk *disk)
{
    const STORAGE_DEVICE_NUMBER *it = (const STORAGE_DEVICE_NUMBER *)answer;
    const SCSI_ADDRESS *scsi = (const SCSI_ADDRESS *)answer;

    if (ask(disk, "number", IOCTL_STORAGE_GET_DEVICE_NUMBER, NULL, 0, sizeof(*it))) {
        number("number", "type", it->DeviceType);
        number("number", "number", it->DeviceNumber);
    }
    if (ask(disk, "scsi", IOCTL_SCSI_GET_ADDRESS, NULL, 0, sizeof(*scsi))) {
        number("scsi", "path", scsi->PathId);
        number("scsi", "target", scsi->TargetId);
        number("scsi", "lun", scsi->Lun);
    }
}

int command_info(struct disk *disk, struct arguments *arguments)
{
    arguments_check_all_used(arguments);
    geometry(disk);
    device(disk);
    adapter(disk);
    device_id(disk);
    behaviour(disk);
    provisioning(disk);
    addresses(disk);
    return 0;
}
