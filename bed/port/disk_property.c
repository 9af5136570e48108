/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IOCTL_STORAGE_QUERY_PROPERTY. Layouts and numbers of ntddstor.h are written out: mingw's copy lacks the newer ones.
 */
#include "bed/port/internal.h"
#include "core/base/bytes.h"

enum property {
    PROPERTY_DEVICE = 0,
    PROPERTY_ADAPTER = 1,
    PROPERTY_DEVICE_ID = 2,
    PROPERTY_WRITE_CACHE = 4,
    PROPERTY_ACCESS_ALIGNMENT = 6,
    PROPERTY_SEEK_PENALTY = 7,
    PROPERTY_TRIM = 8,
    PROPERTY_PROVISIONING = 11,
    PROPERTY_IO_CAPABILITY = 48,
};
enum query { QUERY_STANDARD = 0, QUERY_EXISTS = 1 };

#define ANSWER_MAXIMUM 1024

/* An answer under construction. All fields are little-endian ULONGs unless said otherwise. */
struct answer {
    ULONG length;
    UCHAR bytes[ANSWER_MAXIMUM];
};

static void put32(struct answer *answer, ULONG at, ULONG value)
{
    *(ULONG *)(void *)(answer->bytes + at) = value;
}

static void put64(struct answer *answer, ULONG at, ULONGLONG value)
{
    *(ULONGLONG *)(void *)(answer->bytes + at) = value;
}

static void put16(struct answer *answer, ULONG at, USHORT value)
{
    *(USHORT *)(void *)(answer->bytes + at) = value;
}

/* Every descriptor begins with its version and its size. */
static void begin(struct answer *answer, ULONG version, ULONG size)
{
    RtlZeroMemory(answer, sizeof(*answer));
    put32(answer, 0, version);
    put32(answer, 4, size);
    answer->length = size;
}

/* Appends a zero-terminated string and notes its place at `field`. */
static void append_text(struct answer *answer, ULONG field, const UCHAR *text, ULONG length)
{
    put32(answer, field, answer->length);
    RtlCopyMemory(answer->bytes + answer->length, text, length);
    answer->length += length + 1;
    put32(answer, 4, answer->length);
}

/* STORAGE_DEVICE_DESCRIPTOR: 36 bytes and the INQUIRY data, then the texts. */
static void device(const struct disk *disk, struct answer *answer)
{
    const UCHAR *inquiry = disk->identity.inquiry;

    begin(answer, 40, 40);
    answer->bytes[8] = inquiry[0] & 0x1F;
    answer->bytes[10] = (inquiry[1] & 0x80) != 0; /* RemovableMedia */
    answer->bytes[11] = (inquiry[7] & 0x02) != 0; /* CommandQueueing */
    put32(answer, 28, disk->adapter->miniport->parameters.bus_type);
    put32(answer, 32, 36);
    RtlCopyMemory(answer->bytes + 36, inquiry, 36);
    answer->length = 72;
    append_text(answer, 12, inquiry + 8, 8);
    append_text(answer, 16, inquiry + 16, 16);
    append_text(answer, 20, inquiry + 32, 4);
    if (disk->identity.serial_length != 0) {
        append_text(answer, 24, disk->identity.serial, disk->identity.serial_length);
    } else {
        put32(answer, 24, 0);
    }
}

/* STORAGE_ADAPTER_DESCRIPTOR */
static void adapter_descriptor(const struct adapter *adapter, struct answer *answer)
{
    const PORT_CONFIGURATION_INFORMATION *config = &adapter->config;

    begin(answer, 32, 32);
    put32(answer, 8, config->MaximumTransferLength);
    put32(answer, 12, config->MaximumTransferLength / PAGE_SIZE + 1);
    put32(answer, 16, config->AlignmentMask);
    answer->bytes[21] = config->AdapterScansDown;
    answer->bytes[22] = TRUE; /* CommandQueueing */
    answer->bytes[23] = TRUE; /* AcceleratedTransfer */
    answer->bytes[24] = (UCHAR)adapter->miniport->parameters.bus_type;
    put16(answer, 26, 2); /* BusMajorVersion */
    answer->bytes[30] = adapter->srbex ? SRB_TYPE_STORAGE_REQUEST_BLOCK : SRB_TYPE_SCSI_REQUEST_BLOCK;
    answer->bytes[31] = STORAGE_ADDRESS_TYPE_BTL8;
}

/* STORAGE_DEVICE_ID_DESCRIPTOR: each designator of VPD 83h as STORAGE_IDENTIFIER, 16 bytes and the identifier. */
static BOOLEAN device_id(const struct disk *disk, struct answer *answer)
{
    const struct identity *identity = &disk->identity;
    ULONG count = 0;
    ULONG at = 0;

    begin(answer, 12, 12);
    while (at + 4 <= identity->designators_length) {
        const UCHAR *designator = identity->designators + at;
        ULONG length = designator[3];
        ULONG size = (16 + length + 3) & ~3u;

        if (at + 4 + length > identity->designators_length || answer->length + size > ANSWER_MAXIMUM) {
            break;
        }
        put32(answer, answer->length, designator[0] & 0x0F);
        put32(answer, answer->length + 4, designator[1] & 0x0F);
        put16(answer, answer->length + 8, (USHORT)length);
        put16(answer, answer->length + 10, (USHORT)size);
        put32(answer, answer->length + 12, (designator[1] >> 4) & 3);
        RtlCopyMemory(answer->bytes + answer->length + 16, designator + 4, length);
        answer->length += size;
        at += 4 + length;
        count++;
    }
    put32(answer, 4, answer->length);
    put32(answer, 8, count);
    return count != 0;
}

/* STORAGE_WRITE_CACHE_PROPERTY */
static void write_cache(const struct disk *disk, struct answer *answer)
{
    begin(answer, 28, 28);
    put32(answer, 8, disk->write_cache ? 2 : 1);  /* WriteCacheType: write back, none */
    put32(answer, 12, disk->write_cache ? 2 : 1); /* WriteCacheEnabled: yes, no */
    put32(answer, 16, 1);                         /* WriteCacheChangeable: no */
    put32(answer, 20, disk->fua ? 2 : 1);         /* WriteThroughSupported */
    answer->bytes[24] = TRUE;                     /* FlushCacheSupported */
}

/* STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR */
static void access_alignment(const struct disk *disk, struct answer *answer)
{
    const struct capacity *capacity = &disk->capacity;
    ULONG physical = capacity->block_size << capacity->physical_exponent;

    begin(answer, 28, 28);
    put32(answer, 16, capacity->block_size);
    put32(answer, 20, physical);
    put32(answer, 24, capacity->lowest_aligned * capacity->block_size % physical);
}

static BOOLEAN can_unmap(const struct disk *disk)
{
    return disk->capacity.thin && disk->identity.provisioning_length > 5 &&
           (disk->identity.provisioning[5] & 0x80) != 0;
}

/* What VPD B0h says of UNMAP; lengths are in logical sectors there and here. */
static void unmap_limits(const UCHAR *limits, struct answer *answer)
{
    put32(answer, 32, load_be32(limits + 20)); /* MaxUnmapLbaCount */
    put32(answer, 36, load_be32(limits + 24)); /* MaxUnmapBlockDescriptorCount */
    put64(answer, 16, load_be32(limits + 28)); /* OptimalUnmapGranularity */
    if ((limits[32] & 0x80) != 0) {
        answer->bytes[8] |= 0x20; /* UnmapGranularityAlignmentValid */
        put64(answer, 24, load_be32(limits + 32) & 0x7FFFFFFF);
    }
}

/* DEVICE_LB_PROVISIONING_DESCRIPTOR. Free space and mapping are of newer commands. */
static void provisioning(const struct disk *disk, struct answer *answer)
{
    const struct identity *identity = &disk->identity;
    const UCHAR *page = identity->provisioning; /* VPD B2h */

    begin(answer, 40, 40);
    if (!disk->capacity.thin || identity->provisioning_length < 7) {
        return;
    }
    answer->bytes[8] = (page[6] & 0x07) == 2;             /* ThinProvisioningEnabled */
    answer->bytes[8] |= (page[5] & 0x04) != 0 ? 0x02 : 0; /* ThinProvisioningReadZeros: LBPRZ */
    answer->bytes[8] |= (page[5] & 0x02) != 0 ? 0x04 : 0; /* AnchorSupported: ANC_SUP */
    if (identity->block_limits_length >= 36) {
        unmap_limits(identity->block_limits, answer);
    }
}

/* Descriptors that hold one BOOLEAN: DEVICE_TRIM_DESCRIPTOR, DEVICE_SEEK_PENALTY_DESCRIPTOR */
static void one_flag(struct answer *answer, BOOLEAN flag)
{
    begin(answer, 12, 12);
    answer->bytes[8] = flag;
}

static void io_capability(const struct disk *disk, struct answer *answer)
{
    ULONG depth;
    KIRQL irql;

    KeAcquireSpinLock(&disk->adapter->lock, &irql);
    depth = disk->unit->depth;
    KeReleaseSpinLock(&disk->adapter->lock, irql);
    begin(answer, 16, 16);
    put32(answer, 8, depth);
    put32(answer, 12, disk->adapter->config.MaxNumberOfIO);
}

static BOOLEAN seeks(const struct disk *disk)
{
    /* MEDIUM ROTATION RATE 1: non-rotating */
    return !(disk->identity.characteristics_length >= 6 && load_be16(disk->identity.characteristics + 4) == 1);
}

/* FALSE when the device has no such property. */
static BOOLEAN describe(struct adapter *adapter, struct disk *disk, ULONG property, struct answer *answer)
{
    if (property == PROPERTY_ADAPTER) {
        adapter_descriptor(adapter, answer);
        return TRUE;
    }
    if (disk == NULL) {
        return FALSE;
    }
    switch (property) {
    case PROPERTY_DEVICE:
        device(disk, answer);
        return TRUE;
    case PROPERTY_DEVICE_ID:
        return device_id(disk, answer);
    case PROPERTY_WRITE_CACHE:
        write_cache(disk, answer);
        return TRUE;
    case PROPERTY_ACCESS_ALIGNMENT:
        access_alignment(disk, answer);
        return TRUE;
    case PROPERTY_SEEK_PENALTY:
        one_flag(answer, seeks(disk));
        return TRUE;
    case PROPERTY_TRIM:
        one_flag(answer, can_unmap(disk));
        return TRUE;
    case PROPERTY_PROVISIONING:
        provisioning(disk, answer);
        return TRUE;
    case PROPERTY_IO_CAPABILITY:
        io_capability(disk, answer);
        return TRUE;
    default:
        return FALSE;
    }
}

/* `disk` NULL: of the adapter. As Windows, a buffer that holds only the header gets the header. */
NTSTATUS query_property(struct adapter *adapter, struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    const ULONG *input = irp->AssociatedIrp.SystemBuffer;
    ULONG room = stack->Parameters.DeviceIoControl.OutputBufferLength;
    struct answer answer;

    if (stack->Parameters.DeviceIoControl.InputBufferLength < 2 * sizeof(ULONG)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (!describe(adapter, disk, input[0], &answer)) {
        return input[1] == QUERY_EXISTS ? STATUS_NOT_SUPPORTED : STATUS_INVALID_DEVICE_REQUEST;
    }
    if (input[1] == QUERY_EXISTS) {
        return STATUS_SUCCESS;
    }
    if (input[1] != QUERY_STANDARD) {
        return STATUS_INVALID_PARAMETER;
    }
    if (room < 2 * sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    *information = room < answer.length ? room : answer.length;
    RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, answer.bytes, *information);
    return STATUS_SUCCESS;
}
