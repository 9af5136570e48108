/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver cannot know which disk number Windows gave to one of its LUNs. Here the disk devices below the adapter are
 * asked for their SCSI address, their identity and their number, and matched with what the driver reports.
 */
#include <initguid.h>

#include "libwnbd/disk_device.h"
#include "libwnbd/adapter.h"
#include "libwnbd/interfaces.h"
#include "libwnbd/ioctl.h"

#include <stddef.h>
#include <string.h>
#include <wchar.h>
#include <winioctl.h>
#include <ntddscsi.h>

static const char vendor_id[] = "WNBD";

struct disk_device {
    SCSI_ADDRESS address;
    STORAGE_DEVICE_NUMBER number;
    CHAR serial[WNBD_MAX_NAME_LENGTH];
};

/* What the disk says about itself. The size covers the texts of the largest descriptor a LUN of ours has. */
union descriptor {
    STORAGE_DEVICE_DESCRIPTOR data;
    CHAR bytes[2048];
};

/* A text of the descriptor; empty where there is none. Ends within the buffer because its last byte is 0. */
static const CHAR *text_at(const union descriptor *descriptor, DWORD offset)
{
    return offset == 0 || offset >= sizeof(descriptor->bytes) ? "" : descriptor->bytes + offset;
}

static size_t length_without_padding(const CHAR *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length;
}

static BOOL is_same_text(const CHAR *a, const CHAR *b)
{
    size_t length = length_without_padding(a);

    return length == length_without_padding(b) && memcmp(a, b, length) == 0;
}

static DWORD read_identity(HANDLE handle, struct disk_device *device)
{
    STORAGE_PROPERTY_QUERY query = {.PropertyId = StorageDeviceProperty, .QueryType = PropertyStandardQuery};
    union descriptor descriptor = {0};
    const CHAR *serial;
    DWORD error = ioctl_call(handle, IOCTL_STORAGE_QUERY_PROPERTY, &query, sizeof(query), &descriptor,
                             sizeof(descriptor) - 1, NULL);

    if (error != ERROR_SUCCESS)
        return error;
    if (!is_same_text(text_at(&descriptor, descriptor.data.VendorIdOffset), vendor_id))
        return ERROR_NOT_FOUND;
    serial = text_at(&descriptor, descriptor.data.SerialNumberOffset);
    lstrcpynA(device->serial, serial, sizeof(device->serial));
    return ERROR_SUCCESS;
}

static DWORD read_all(HANDLE handle, struct disk_device *device)
{
    DWORD error = ioctl_call(handle, IOCTL_SCSI_GET_ADDRESS, NULL, 0, &device->address, sizeof(device->address), NULL);

    if (error == ERROR_SUCCESS)
        error =
            ioctl_call(handle, IOCTL_STORAGE_GET_DEVICE_NUMBER, NULL, 0, &device->number, sizeof(device->number), NULL);
    if (error == ERROR_SUCCESS)
        error = read_identity(handle, device);
    return error;
}

static DWORD read_device(const WCHAR *path, struct disk_device *device)
{
    /* No access to data is asked for: that would wake sleeping disks and stand in the way of a removal for longer. */
    HANDLE handle =
        CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    DWORD error;

    if (handle == INVALID_HANDLE_VALUE)
        return GetLastError();
    error = read_all(handle, device);
    CloseHandle(handle);
    return error;
}

/*
 * An address alone is not enough: it is used again as soon as a disk has gone, while Windows may still show the device
 * of the former disk.
 */
static BOOL is_device_of(const struct disk_device *device, const WNBD_CONNECTION_INFO *info)
{
    return device->address.PathId == info->BusNumber && device->address.TargetId == info->TargetId &&
           device->address.Lun == info->Lun && is_same_text(device->serial, info->Properties.SerialNumber);
}

static void assign(struct interfaces *interfaces, const struct disk_device *device, PWNBD_CONNECTION_INFO infos,
                   UINT32 count)
{
    for (UINT32 i = 0; i < count; i++) {
        if (!is_device_of(device, &infos[i]))
            continue;
        if (interfaces_instance_id(interfaces, infos[i].PNPDeviceID, WNBD_MAX_NAME_LENGTH) != ERROR_SUCCESS)
            infos[i].PNPDeviceID[0] = 0;
        infos[i].DiskNumber = (INT)device->number.DeviceNumber;
    }
}

static void clear(PWNBD_CONNECTION_INFO infos, UINT32 count)
{
    for (UINT32 i = 0; i < count; i++) {
        infos[i].DiskNumber = -1;
        memset(infos[i].PNPDeviceID, 0, sizeof(infos[i].PNPDeviceID));
        infos[i].Properties.SerialNumber[WNBD_MAX_NAME_LENGTH - 1] = '\0';
    }
}

/* By id and not by device instance: two handles of one device need not be the same number. */
static BOOL is_below(DEVINST node, const WCHAR *adapter_id)
{
    WCHAR parent_id[MAX_DEVICE_ID_LEN];
    DEVINST parent;

    return CM_Get_Parent(&parent, node, 0) == CR_SUCCESS &&
           CM_Get_Device_IDW(parent, parent_id, ARRAYSIZE(parent_id), 0) == CR_SUCCESS &&
           _wcsicmp(parent_id, adapter_id) == 0;
}

static void walk(struct interfaces *interfaces, const WCHAR *adapter_id, PWNBD_CONNECTION_INFO infos, UINT32 count)
{
    while (interfaces_next(interfaces) == ERROR_SUCCESS) {
        struct disk_device device = {0};

        if (is_below(interfaces->device.DevInst, adapter_id) && read_device(interfaces->path, &device) == ERROR_SUCCESS)
            assign(interfaces, &device, infos, count);
    }
}

void disk_device_fill(PWNBD_CONNECTION_INFO infos, UINT32 count)
{
    WCHAR adapter_id[MAX_DEVICE_ID_LEN];
    struct interfaces interfaces;

    clear(infos, count);
    if (count == 0 || adapter_instance_id(adapter_id, ARRAYSIZE(adapter_id)) != ERROR_SUCCESS ||
        interfaces_start(&interfaces, &GUID_DEVINTERFACE_DISK) != ERROR_SUCCESS)
        return;
    walk(&interfaces, adapter_id, infos, count);
    interfaces_end(&interfaces);
}
