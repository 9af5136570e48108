/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The synchronous commands with which Storport and the disk class driver find out what a unit is. PASSIVE_LEVEL. */
#include "bed/port/internal.h"
#include "core/base/bytes.h"

#define COMMAND_TIMEOUT_S 10
#define COMMAND_RETRIES   5

#ifndef SCSIOP_LOG_SENSE /* mingw-w64's scsi.h lacks it */
#define SCSIOP_LOG_SENSE 0x4D
#endif

/* Runs a command that reads into `data`; tries again as the class driver does. `outcome` may be NULL. */
static NTSTATUS read_command(struct unit *unit, const UCHAR *cdb, UCHAR cdb_length, UCHAR *data, ULONG length,
                             ULONG *got, struct outcome *outcome)
{
    LARGE_INTEGER pause = {.QuadPart = 0};
    struct judgement judgement;
    struct request *request = request_take(unit);
    UCHAR *buffer = ExAllocatePoolWithTag(NonPagedPoolNx, length, PORT_TAG);

    judgement.status = STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; request != NULL && buffer != NULL && i <= COMMAND_RETRIES; i++) {
        RtlZeroMemory(buffer, length);
        command_scsi(&request->command, cdb, cdb_length, SRB_FLAGS_DATA_IN | SRB_FLAGS_NO_QUEUE_FREEZE,
                     COMMAND_TIMEOUT_S);
        command_data(request, buffer, length);
        request_run(request);
        judge(&request->outcome, &judgement);
        if (request->outcome.srb_status == SRB_STATUS_DATA_OVERRUN && !request->outcome.sense_valid) {
            judgement.status = STATUS_SUCCESS; /* less than was asked for */
        }
        if (!judgement.retry) {
            break;
        }
        pause.QuadPart = -(LONGLONG)judgement.delay_ms * 10000;
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    if (request != NULL) {
        *got = request->outcome.transferred;
        if (outcome != NULL) {
            *outcome = request->outcome;
        }
        request_give(request);
    }
    if (buffer != NULL) {
        RtlCopyMemory(data, buffer, length);
        ExFreePoolWithTag(buffer, PORT_TAG);
    }
    return judgement.status;
}

NTSTATUS unit_inquiry(struct unit *unit, UCHAR page, BOOLEAN vpd, UCHAR *data, ULONG length, ULONG *got,
                      struct outcome *outcome)
{
    UCHAR cdb[6] = {SCSIOP_INQUIRY, vpd ? 1 : 0, page, (UCHAR)(length >> 8), (UCHAR)length, 0};

    return read_command(unit, cdb, sizeof(cdb), data, length, got, outcome);
}

NTSTATUS unit_mode_sense(struct unit *unit, UCHAR page, UCHAR *data, UCHAR length, ULONG *got)
{
    UCHAR cdb[6] = {SCSIOP_MODE_SENSE, 0, page, 0, length, 0};

    return read_command(unit, cdb, sizeof(cdb), data, length, got, NULL);
}

/* Threshold values (PC 00b), as the class driver asks for them. */
NTSTATUS unit_log_sense(struct unit *unit, UCHAR page, UCHAR *data, UCHAR length, ULONG *got)
{
    UCHAR cdb[10] = {SCSIOP_LOG_SENSE, 0, page, 0, 0, 0, 0, 0, length, 0};

    return read_command(unit, cdb, sizeof(cdb), data, length, got, NULL);
}

/* Whether something lives at the unit's address. */
BOOLEAN unit_identify(struct unit *unit, struct identity *identity)
{
    NTSTATUS status;

    RtlZeroMemory(identity, sizeof(*identity));
    status =
        unit_inquiry(unit, 0, FALSE, identity->inquiry, sizeof(identity->inquiry), &identity->inquiry_length, NULL);
    if (!NT_SUCCESS(status) || identity->inquiry_length < 36) {
        return FALSE;
    }
    return (identity->inquiry[0] >> 5) == 0; /* qualifier 0: a device is there */
}

static BOOLEAN page_is_listed(const UCHAR *list, ULONG length, UCHAR page)
{
    ULONG count = length >= 4 ? load_be16(list + 2) : 0;

    for (ULONG i = 0; i < count && 4 + i < length; i++) {
        if (list[4 + i] == page) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Reads a VPD page whole into `data`, without its header when `header` is 0. */
static ULONG read_page(struct unit *unit, UCHAR page, UCHAR *data, ULONG size, ULONG header)
{
    UCHAR buffer[4 + 512];
    ULONG length;
    ULONG got;

    if (!NT_SUCCESS(unit_inquiry(unit, page, TRUE, buffer, sizeof(buffer), &got, NULL)) || got < 4) {
        return 0;
    }
    if (buffer[1] != page) {
        port_log("VPD page 0x%x was asked for, 0x%x came", page, buffer[1]);
        return 0;
    }
    length = (ULONG)load_be16(buffer + 2) + 4;
    length = length < got ? length : got;
    length = length - (4 - header) < size ? length - (4 - header) : size;
    RtlCopyMemory(data, buffer + 4 - header, length);
    return length;
}

/* The serial number of VPD page 80h; its length. */
ULONG unit_serial(struct unit *unit, UCHAR *serial, ULONG size)
{
    return read_page(unit, 0x80, serial, size - 1, 0);
}

void unit_identify_pages(struct unit *unit, struct identity *identity)
{
    UCHAR list[4 + 252];
    ULONG got;

    if (!NT_SUCCESS(unit_inquiry(unit, 0, TRUE, list, sizeof(list), &got, NULL))) {
        return;
    }
    if (page_is_listed(list, got, 0x80)) {
        identity->serial_length = unit_serial(unit, identity->serial, sizeof(identity->serial));
    }
    if (page_is_listed(list, got, 0x83)) {
        identity->designators_length = read_page(unit, 0x83, identity->designators, sizeof(identity->designators), 0);
    }
    if (page_is_listed(list, got, 0xB0)) {
        identity->block_limits_length =
            read_page(unit, 0xB0, identity->block_limits, sizeof(identity->block_limits), 4);
    }
    if (page_is_listed(list, got, 0xB1)) {
        identity->characteristics_length =
            read_page(unit, 0xB1, identity->characteristics, sizeof(identity->characteristics), 4);
    }
    if (page_is_listed(list, got, 0xB2)) {
        identity->provisioning_length =
            read_page(unit, 0xB2, identity->provisioning, sizeof(identity->provisioning), 4);
    }
}

static NTSTATUS read_capacity10(struct unit *unit, struct capacity *capacity)
{
    UCHAR cdb[10] = {SCSIOP_READ_CAPACITY};
    UCHAR data[8];
    ULONG got;
    NTSTATUS status = read_command(unit, cdb, sizeof(cdb), data, sizeof(data), &got, NULL);

    if (NT_SUCCESS(status)) {
        capacity->blocks = (ULONGLONG)load_be32(data) + 1;
        capacity->block_size = load_be32(data + 4);
    }
    return status;
}

static NTSTATUS read_capacity16(struct unit *unit, struct capacity *capacity)
{
    UCHAR cdb[16] = {SCSIOP_READ_CAPACITY16, 0x10, [13] = 32};
    UCHAR data[32];
    ULONG got;
    NTSTATUS status = read_command(unit, cdb, sizeof(cdb), data, sizeof(data), &got, NULL);

    if (NT_SUCCESS(status)) {
        capacity->blocks = load_be64(data) + 1;
        capacity->block_size = load_be32(data + 8);
        capacity->physical_exponent = data[13] & 0x0F;
        capacity->thin = (data[14] & 0x80) != 0;
        capacity->lowest_aligned = load_be16(data + 14) & 0x3FFF;
    }
    return status;
}

static BOOLEAN is_sound(const struct unit *unit, const struct capacity *capacity)
{
    ULONG size = capacity->block_size;

    if (size >= 512 && (size & (size - 1)) == 0 && capacity->blocks != 0 && capacity->blocks <= MAXLONGLONG / size) {
        return TRUE;
    }
    port_violation("capacity: target %u LUN %u reports %llu blocks of %lu bytes", unit->target, unit->lun,
                   capacity->blocks, size);
    return FALSE;
}

/* READ CAPACITY (16), and (10) when the unit does not know it. */
NTSTATUS disk_read_capacity(struct unit *unit, struct capacity *capacity)
{
    NTSTATUS status;

    RtlZeroMemory(capacity, sizeof(*capacity));
    status = read_capacity16(unit, capacity);
    if (!NT_SUCCESS(status)) {
        status = read_capacity10(unit, capacity);
    }
    return NT_SUCCESS(status) && !is_sound(unit, capacity) ? STATUS_UNRECOGNIZED_MEDIA : status;
}

/* The LUNs of the unit's target, from REPORT LUNS, as single-level numbers; 0 = it does not know the command. */
ULONG unit_report_luns(struct unit *unit, UCHAR *luns, ULONG maximum)
{
    UCHAR cdb[12] = {SCSIOP_REPORT_LUNS, [8] = 1024 >> 8};
    UCHAR data[1024];
    ULONG count = 0;
    ULONG length;
    ULONG got;

    if (!NT_SUCCESS(read_command(unit, cdb, sizeof(cdb), data, sizeof(data), &got, NULL)) || got < 8) {
        return 0;
    }
    length = load_be32(data);
    for (ULONG at = 8; at + 8 <= got && at < 8 + length && count < maximum; at += 8) {
        if ((data[at] >> 6) == 0 && data[at] == 0) {
            luns[count++] = data[at + 1];
        }
    }
    return count;
}
