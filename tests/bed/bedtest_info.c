/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk says of itself. */
#include "tests/bed/bedtest.h"

static void print_properties(HANDLE disk)
{
    BYTE data[1024];
    DWORD got;

    for (ULONG property = 0; property <= 48; property++) {
        ULONG query[3] = {property, 0, 0};

        if (control(disk, IOCTL_STORAGE_QUERY_PROPERTY, query, sizeof(query), data, sizeof(data), &got) == 0) {
            printf("property %lu: %lu bytes\n", property, got);
        }
        if (property == 0) {
            const STORAGE_DEVICE_DESCRIPTOR *device = (const void *)data;

            printf("vendor '%s' product '%s' revision '%s' serial '%s' bus %d\n", (char *)data + device->VendorIdOffset,
                   (char *)data + device->ProductIdOffset, (char *)data + device->ProductRevisionOffset,
                   device->SerialNumberOffset != 0 ? (char *)data + device->SerialNumberOffset : "", device->BusType);
        }
    }
}

void command_info(const char *number)
{
    HANDLE disk = open_disk(number, 0);
    DISK_GEOMETRY_EX geometry;
    GET_LENGTH_INFORMATION length;
    STORAGE_DEVICE_NUMBER device;
    SCSI_ADDRESS address;
    DWORD got;

    if (control(disk, IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, NULL, 0, &geometry, sizeof(geometry), &got) != 0) {
        fail("GET_DRIVE_GEOMETRY_EX");
    }
    printf("sector %lu size %llu\n", geometry.Geometry.BytesPerSector, geometry.DiskSize.QuadPart);
    if (control(disk, IOCTL_DISK_GET_LENGTH_INFO, NULL, 0, &length, sizeof(length), &got) != 0) {
        fail("GET_LENGTH_INFO");
    }
    printf("length %llu\n", length.Length.QuadPart);
    if (control(disk, IOCTL_STORAGE_GET_DEVICE_NUMBER, NULL, 0, &device, sizeof(device), &got) != 0) {
        fail("GET_DEVICE_NUMBER");
    }
    printf("number %lu type %lu\n", device.DeviceNumber, device.DeviceType);
    if (control(disk, IOCTL_SCSI_GET_ADDRESS, NULL, 0, &address, sizeof(address), &got) != 0) {
        fail("SCSI_GET_ADDRESS");
    }
    printf("address %u:%u:%u:%u\n", address.PortNumber, address.PathId, address.TargetId, address.Lun);
    printf("writable: error %lu\n", control(disk, IOCTL_DISK_IS_WRITABLE, NULL, 0, NULL, 0, &got));
    printf("update: error %lu\n", control(disk, IOCTL_DISK_UPDATE_PROPERTIES, NULL, 0, NULL, 0, &got));
    print_properties(disk);
    CloseHandle(disk);
}
