/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of disks as Storport builds them from INQUIRY data and address. */
#include "bed/port/internal.h"

#define ID_LENGTH 200

/* INQUIRY text as part of an id: trailing spaces dropped, what an id may not hold becomes '_'. */
static void id_text(WCHAR *text, const UCHAR *field, ULONG length, BOOLEAN keep_length)
{
    while (!keep_length && length > 0 && (field[length - 1] == ' ' || field[length - 1] == 0)) {
        length--;
    }
    for (ULONG i = 0; i < length; i++) {
        UCHAR letter = field[i];

        text[i] = letter <= ' ' || letter >= 0x7F || letter == ',' || letter == '\\' ? L'_' : letter;
    }
    text[length] = 0;
}

static WCHAR *id_allocate(ULONG characters)
{
    WCHAR *id = ExAllocatePoolWithTag(PagedPool, characters * sizeof(WCHAR), PORT_TAG);

    if (id != NULL) {
        RtlZeroMemory(id, characters * sizeof(WCHAR));
    }
    return id;
}

static void device_id(const struct disk *disk, WCHAR *id)
{
    const UCHAR *inquiry = disk->identity.inquiry;
    WCHAR vendor[9];
    WCHAR product[17];

    id_text(vendor, inquiry + 8, 8, FALSE);
    id_text(product, inquiry + 16, 16, FALSE);
    _snwprintf(id, ID_LENGTH - 1, L"SCSI\\Disk&Ven_%s&Prod_%s", vendor, product);
}

static void instance_id(const struct disk *disk, WCHAR *id)
{
    const struct unit *unit = disk->unit;

    _snwprintf(id, ID_LENGTH - 1, L"1&%x&0&%02x%02x%02x", 0x2afd7d60 + disk->adapter->number, unit->path, unit->target,
               unit->lun);
}

/* A list of strings, each ended by a zero, and one more zero. */
static void hardware_ids(const struct disk *disk, WCHAR *list)
{
    const UCHAR *inquiry = disk->identity.inquiry;
    WCHAR vendor[9];
    WCHAR product[17];
    WCHAR revision[5];

    id_text(vendor, inquiry + 8, 8, TRUE);
    id_text(product, inquiry + 16, 16, TRUE);
    id_text(revision, inquiry + 32, 4, TRUE);
    list += _snwprintf(list, 60, L"SCSI\\Disk%s%s%s", vendor, product, revision) + 1;
    list += _snwprintf(list, 60, L"SCSI\\Disk%s%s", vendor, product) + 1;
    list += _snwprintf(list, 60, L"SCSI\\Disk%s", vendor) + 1;
    list += _snwprintf(list, 60, L"GenDisk") + 1;
    *list = 0;
}

static void compatible_ids(WCHAR *list)
{
    list += _snwprintf(list, 30, L"SCSI\\Disk") + 1;
    list += _snwprintf(list, 30, L"SCSI\\RAW") + 1;
    *list = 0;
}

WCHAR *disk_id(const struct disk *disk, BUS_QUERY_ID_TYPE type)
{
    WCHAR *id = id_allocate(type == BusQueryHardwareIDs ? 4 * 64 : ID_LENGTH);

    if (id == NULL) {
        return NULL;
    }
    switch (type) {
    case BusQueryDeviceID:
        device_id(disk, id);
        return id;
    case BusQueryInstanceID:
        instance_id(disk, id);
        return id;
    case BusQueryHardwareIDs:
        hardware_ids(disk, id);
        return id;
    case BusQueryCompatibleIDs:
        compatible_ids(id);
        return id;
    default:
        ExFreePoolWithTag(id, PORT_TAG);
        return NULL;
    }
}

void disk_instance_path(const struct disk *disk, WCHAR *path, ULONG characters)
{
    WCHAR device[ID_LENGTH] = {0};
    WCHAR instance[ID_LENGTH] = {0};

    device_id(disk, device);
    instance_id(disk, instance);
    _snwprintf(path, characters - 1, L"%s\\%s", device, instance);
    path[characters - 1] = 0;
}

/* The adapter's own instance path is the PnP manager's; its driver key's neighbour tells it. */
void adapter_instance_path(const struct adapter *adapter, WCHAR *path, ULONG characters)
{
    const WCHAR *link = adapter->interface_link.Buffer;
    ULONG length = adapter->interface_link.Length / sizeof(WCHAR);
    ULONG at = 0;

    path[0] = 0;
    if (link == NULL || length < 4) {
        return;
    }
    for (ULONG i = 4; i < length && link[i] != L'{' && at < characters - 1; i++) {
        path[at++] = link[i] == L'#' ? L'\\' : link[i];
    }
    path[at != 0 ? at - 1 : 0] = 0; /* the separator before the interface's class */
}
