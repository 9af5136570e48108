/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES: what the disk says in log page 0Ch of the resources that it maps
 * blocks to, in units of the threshold sets of VPD B2h, as bytes. What it does not say is not valid.
 */
#include "bed/port/internal.h"
#include "core/base/bytes.h"

#define LOG_PAGE          0x0C
#define LOG_HEADER        4
#define LOG_ROOM          (LOG_HEADER + 2 * (PARAMETER_HEADER + 8)) /* both parameters, and no more */
#define PARAMETER_HEADER  4
#define PARAMETER_COUNTED 8 /* with its header; the scope is behind that */
#define EXPONENT_MAX      32

enum parameter { PARAMETER_AVAILABLE = 1, PARAMETER_USED = 2 };

/* STORAGE_LB_PROVISIONING_MAP_RESOURCES of ntddstor.h. The lowest two bits of `valid` and pairs of bits of `scope` are
 * of what is available and of what is used. */
struct resources {
    ULONG size;
    ULONG version;
    UCHAR valid;
    UCHAR reserved[3];
    UCHAR scope;
    UCHAR reserved2[3];
    ULONGLONG available;
    ULONGLONG used;
};
C_ASSERT(sizeof(struct resources) == 32);

/* `length` is that of the whole parameter. */
static void take_parameter(const UCHAR *parameter, ULONG length, ULONGLONG set_bytes, struct resources *resources)
{
    ULONGLONG bytes = load_be32(parameter + PARAMETER_HEADER) * set_bytes;
    UCHAR scope = length > PARAMETER_COUNTED ? parameter[PARAMETER_COUNTED] & 3 : 0;

    switch (load_be16(parameter)) {
    case PARAMETER_AVAILABLE:
        resources->valid |= 1;
        resources->scope |= scope;
        resources->available = bytes;
        break;
    case PARAMETER_USED:
        resources->valid |= 2;
        resources->scope |= (UCHAR)(scope << 2);
        resources->used = bytes;
        break;
    }
}

/* Parameters that are cut are not looked at. */
static void interpret(const UCHAR *page, ULONG length, ULONGLONG set_bytes, struct resources *resources)
{
    ULONG at = LOG_HEADER;

    if (length < LOG_HEADER) {
        return;
    }
    length = min(length, LOG_HEADER + (ULONG)load_be16(page + 2));
    while (at + PARAMETER_COUNTED <= length) {
        ULONG parameter_length = PARAMETER_HEADER + page[at + 3];

        if (at + parameter_length > length) {
            break;
        }
        if (parameter_length >= PARAMETER_COUNTED) {
            take_parameter(page + at, parameter_length, set_bytes, resources);
        }
        at += parameter_length;
    }
}

NTSTATUS map_resources(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    struct resources resources = {.size = sizeof(resources), .version = sizeof(resources)};
    const struct identity *identity = &disk->identity;
    UCHAR page[LOG_ROOM];
    NTSTATUS status;
    ULONG got = 0;

    if (identity->provisioning_length < 5 || identity->provisioning[4] > EXPONENT_MAX) {
        return STATUS_NOT_SUPPORTED;
    }
    status = unit_log_sense(disk->unit, LOG_PAGE, page, sizeof(page), &got);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    interpret(page, got, (ULONGLONG)disk->capacity.block_size << identity->provisioning[4], &resources);
    return ioctl_answer(irp, &resources, sizeof(resources), information);
}
