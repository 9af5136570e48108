/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bed/memory_disk.h"
#include "core/base/bytes.h"

static ULONG smaller(ULONG left, ULONG right)
{
    return left < right ? left : right;
}

void call_open(struct call *call, void *extension, SCSI_REQUEST_BLOCK *block)
{
    STORAGE_REQUEST_BLOCK *srb = (STORAGE_REQUEST_BLOCK *)block;
    PVOID data = NULL;

    call->srb = srb;
    call->scsi = NULL;
    call->address = (STOR_ADDR_BTL8 *)((UCHAR *)srb + srb->AddressOffset);
    if (srb->SrbFunction == SRB_FUNCTION_EXECUTE_SCSI) {
        call->scsi = (SRBEX_DATA_SCSI_CDB16 *)((UCHAR *)srb + srb->SrbExDataOffset[0]);
    }
    call->length = srb->DataTransferLength;
    if (call->length != 0 && StorPortGetSystemAddress(extension, block, &data) != STOR_STATUS_SUCCESS) {
        data = NULL;
    }
    call->data = data;
}

void call_succeed(struct call *call, ULONG transferred)
{
    call->srb->DataTransferLength = transferred;
    call->srb->SrbStatus = SRB_STATUS_SUCCESS;
    if (call->scsi != NULL) {
        call->scsi->ScsiStatus = 0;
    }
}

void call_fail(struct call *call, UCHAR key, UCHAR asc, UCHAR ascq)
{
    UCHAR *sense = call->scsi->SenseInfoBuffer;

    RtlZeroMemory(sense, 18);
    sense[0] = 0x70;
    sense[2] = key;
    sense[7] = 10;
    sense[12] = asc;
    sense[13] = ascq;
    call->scsi->SenseInfoBufferLength = 18;
    call->scsi->ScsiStatus = 2; /* CHECK CONDITION */
    call->srb->DataTransferLength = 0;
    call->srb->SrbStatus = SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID;
}

/* Answers with data cut at the allocation length and the buffer. */
static void reply(struct call *call, const UCHAR *data, ULONG length, ULONG allocation)
{
    length = smaller(smaller(length, allocation), call->length);
    RtlCopyMemory(call->data, data, length);
    call_succeed(call, length);
}

static void inquiry_page(const struct memory_disk *disk, struct call *call, ULONG allocation)
{
    static const UCHAR pages[] = {0, 0x00, 0, 5, 0x00, 0x80, 0x83, 0xB0, 0xB2};
    UCHAR serial[] = {0, 0x80, 0, 8, 'R', 'A', 'M', '0', '0', '0', '0', '0'};
    UCHAR id[] = {0, 0x83, 0, 12, 2, 1, 0, 8, 'R', 'A', 'M', 'D', 'I', 'S', 'K', '0'};
    UCHAR limits[64] = {0, 0xB0, 0, 60, [23] = 0xFF, [22] = 0xFF, [27] = 8};
    static const UCHAR provisioning[] = {0, 0xB2, 0, 4, 0, 0x80, 0, 0};

    serial[11] = (UCHAR)('0' + disk->lun);
    serial[10] = (UCHAR)('0' + disk->target % 10);
    id[15] = (UCHAR)('0' + disk->lun);
    switch (call->scsi->Cdb[2]) {
    case 0x00:
        reply(call, pages, sizeof(pages), allocation);
        break;
    case 0x80:
        reply(call, serial, sizeof(serial), allocation);
        break;
    case 0x83:
        reply(call, id, sizeof(id), allocation);
        break;
    case 0xB0:
        reply(call, limits, sizeof(limits), allocation);
        break;
    case 0xB2:
        reply(call, provisioning, sizeof(provisioning), allocation);
        break;
    default:
        call_fail(call, 5, 0x24, 0);
        break;
    }
}

static void inquiry(const struct memory_disk *disk, struct call *call)
{
    static const UCHAR standard[36] = "\x00\x00\x06\x02\x1F\x00\x00\x02"
                                      "BEDTEST MEMORY DISK     1.0";
    ULONG allocation = load_be16(call->scsi->Cdb + 3);
    UCHAR data[36];

    if ((call->scsi->Cdb[1] & 1) != 0) {
        inquiry_page(disk, call, allocation);
        return;
    }
    RtlCopyMemory(data, standard, sizeof(data));
    data[35] = ' ';
    reply(call, data, sizeof(data), allocation);
}

static void capacity(const struct memory_disk *disk, struct call *call, BOOLEAN wide)
{
    UCHAR data[32] = {0};

    if (wide) {
        store_be64(data, disk->blocks - 1);
        store_be32(data + 8, MEMORY_DISK_BLOCK);
        data[14] = 0x80; /* LBPME */
        reply(call, data, sizeof(data), load_be32(call->scsi->Cdb + 10));
    } else {
        store_be32(data, (ULONG)(disk->blocks - 1));
        store_be32(data + 4, MEMORY_DISK_BLOCK);
        reply(call, data, 8, 8);
    }
}

/* Header with DPOFUA and write protection, and the caching page with WCE. */
static void mode_sense(const struct memory_disk *disk, struct call *call)
{
    UCHAR data[4 + 20] = {23, 0, 0x10, 0, 0x08, 18, 0x04};

    data[2] |= disk->read_only ? 0x80 : 0;
    reply(call, data, sizeof(data), call->scsi->Cdb[4]);
}

static void report_luns(struct call *call, ULONG luns)
{
    UCHAR data[8 + 8 * 8] = {0};

    store_be32(data, luns * 8);
    for (ULONG i = 0; i < luns && i < 8; i++) {
        data[8 + 8 * i + 1] = (UCHAR)i;
    }
    reply(call, data, 8 + 8 * luns, load_be32(call->scsi->Cdb + 6));
}

static void transfer(struct memory_disk *disk, struct call *call, ULONGLONG lba, ULONGLONG blocks, BOOLEAN write)
{
    ULONG length = (ULONG)(blocks * MEMORY_DISK_BLOCK);

    if (lba > disk->blocks || blocks > disk->blocks - lba) {
        call_fail(call, 5, 0x21, 0);
    } else if (write && disk->read_only) {
        call_fail(call, 7, 0x27, 0);
    } else if (call->data == NULL || length != call->length) {
        call->srb->SrbStatus = SRB_STATUS_BUSY;
    } else {
        UCHAR *at = disk->data + lba * MEMORY_DISK_BLOCK;

        RtlCopyMemory(write ? at : call->data, write ? call->data : at, length);
        call_succeed(call, length);
    }
}

static void unmap(struct memory_disk *disk, struct call *call)
{
    ULONG count = call->length >= 8 ? load_be16(call->data + 2) / 16 : 0;

    for (ULONG i = 0; i < count && 8 + 16 * (i + 1) <= call->length; i++) {
        ULONGLONG lba = load_be64(call->data + 8 + 16 * i);
        ULONGLONG blocks = load_be32(call->data + 16 + 16 * i);

        if (lba > disk->blocks || blocks > disk->blocks - lba) {
            call_fail(call, 5, 0x21, 0);
            return;
        }
        RtlZeroMemory(disk->data + lba * MEMORY_DISK_BLOCK, (SIZE_T)blocks * MEMORY_DISK_BLOCK);
    }
    call_succeed(call, call->length);
}

void memory_disk_execute(struct memory_disk *disk, struct call *call, ULONG luns)
{
    const UCHAR *cdb = call->scsi->Cdb;

    if (disk->unit_attention && cdb[0] != 0x12 && cdb[0] != 0xA0) {
        disk->unit_attention = FALSE;
        call_fail(call, 6, 0x29, 0);
        return;
    }
    switch (cdb[0]) {
    case 0x00: /* TEST UNIT READY */
    case 0x35: /* SYNCHRONIZE CACHE (10) */
    case 0x8F: /* VERIFY (16) */
        call_succeed(call, 0);
        break;
    case 0x12:
        inquiry(disk, call);
        break;
    case 0x1A:
        mode_sense(disk, call);
        break;
    case 0x25:
        capacity(disk, call, FALSE);
        break;
    case 0x9E:
        capacity(disk, call, TRUE);
        break;
    case 0xA0:
        report_luns(call, luns);
        break;
    case 0x28:
    case 0x2A:
        transfer(disk, call, load_be32(cdb + 2), load_be16(cdb + 7), cdb[0] == 0x2A);
        break;
    case 0x88:
    case 0x8A:
        transfer(disk, call, load_be64(cdb + 2), load_be32(cdb + 10), cdb[0] == 0x8A);
        break;
    case 0x42:
        unmap(disk, call);
        break;
    default:
        call_fail(call, 5, 0x20, 0);
        break;
    }
}

ULONG parameter(const UNICODE_STRING *service, const WCHAR *name, ULONG fallback)
{
    WCHAR buffer[300];
    UNICODE_STRING path = {0, sizeof(buffer), buffer};
    UNICODE_STRING value_name;
    OBJECT_ATTRIBUTES attributes;
    UCHAR bytes[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)] __attribute__((aligned(8)));
    KEY_VALUE_PARTIAL_INFORMATION *value = (KEY_VALUE_PARTIAL_INFORMATION *)bytes;
    ULONG length;
    ULONG answer = fallback;
    HANDLE key;

    RtlAppendUnicodeStringToString(&path, service);
    RtlAppendUnicodeToString(&path, L"\\Parameters");
    RtlInitUnicodeString(&value_name, name);
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
        return fallback;
    }
    if (NT_SUCCESS(ZwQueryValueKey(key, &value_name, KeyValuePartialInformation, value, sizeof(bytes), &length)) &&
        value->Type == REG_DWORD && value->DataLength == sizeof(ULONG)) {
        answer = *(const ULONG *)value->Data;
    }
    ZwClose(key);
    return answer;
}
