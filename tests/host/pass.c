/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/pass.h"

#include "core/base/bytes.h"

#include <stddef.h>
#include <string.h>

#define TIMEOUT_S 60

void pass_begin(struct bed_io *io, struct bed_file *disk, struct pass *pass, const UCHAR *cdb, UCHAR cdb_length,
                UCHAR direction, ULONG length)
{
    pass->header = (SCSI_PASS_THROUGH){
        .Length = sizeof(pass->header),
        .CdbLength = cdb_length,
        .SenseInfoLength = sizeof(pass->sense),
        .SenseInfoOffset = offsetof(struct pass, sense),
        .DataIn = direction,
        .DataTransferLength = length,
        .TimeOutValue = TIMEOUT_S,
        .DataBufferOffset = offsetof(struct pass, data),
    };
    memcpy(pass->header.Cdb, cdb, cdb_length);
    bed_control_begin(io, disk, IOCTL_SCSI_PASS_THROUGH, pass, sizeof(*pass), pass, sizeof(*pass));
}

bool pass_wait(struct bed_io *io, const struct pass *pass)
{
    return NT_SUCCESS(bed_io_wait(io, MAXULONG, NULL)) && pass->header.ScsiStatus == 0;
}

bool pass_has_sense(const struct pass *pass, UCHAR key)
{
    return pass->header.SenseInfoLength > 2 && (pass->sense[2] & 0x0F) == key;
}

bool pass_has_information(const struct pass *pass, ULONG *lba)
{
    *lba = load_be32(pass->sense + 3);
    return pass->header.SenseInfoLength > 7 && pass->sense[0] == 0xF0; /* VALID, current error, fixed format */
}

static bool run(struct bed_file *disk, struct pass *pass, const UCHAR *cdb, UCHAR cdb_length, UCHAR direction,
                ULONG length)
{
    struct bed_io io;

    pass_begin(&io, disk, pass, cdb, cdb_length, direction, length);
    return pass_wait(&io, pass);
}

bool pass_write_same_16(struct bed_file *disk, struct pass *pass, UCHAR flags, ULONGLONG lba, ULONG blocks,
                        ULONG length)
{
    bool has_data = (flags & PASS_NDOB) == 0;
    UCHAR cdb[16] = {0x93, flags};

    store_be64(cdb + 2, lba);
    store_be32(cdb + 10, blocks);
    return run(disk, pass, cdb, sizeof(cdb), has_data ? SCSI_IOCTL_DATA_OUT : SCSI_IOCTL_DATA_UNSPECIFIED,
               has_data ? length : 0);
}

static bool run_10(struct bed_file *disk, struct pass *pass, const UCHAR operation[2], ULONG lba, USHORT blocks,
                   UCHAR direction, ULONG length)
{
    UCHAR cdb[10] = {operation[0], operation[1]};

    store_be32(cdb + 2, lba);
    store_be16(cdb + 7, blocks);
    return run(disk, pass, cdb, sizeof(cdb), direction, length);
}

bool pass_write_same_10(struct bed_file *disk, struct pass *pass, ULONG lba, USHORT blocks, ULONG length)
{
    static const UCHAR operation[] = {0x41, 0};

    return run_10(disk, pass, operation, lba, blocks, SCSI_IOCTL_DATA_OUT, length);
}

bool pass_write_through(struct bed_file *disk, struct pass *pass, ULONG lba, ULONG length)
{
    static const UCHAR operation[] = {0x2A, 0x08};

    return run_10(disk, pass, operation, lba, 1, SCSI_IOCTL_DATA_OUT, length);
}

bool pass_read(struct bed_file *disk, struct pass *pass, ULONG lba, USHORT blocks, ULONG length)
{
    static const UCHAR operation[] = {0x28, 0};

    return run_10(disk, pass, operation, lba, blocks, SCSI_IOCTL_DATA_IN, length);
}

bool pass_prefetch(struct bed_file *disk, struct pass *pass, ULONG lba, USHORT blocks)
{
    static const UCHAR operation[] = {0x34, 0};

    return run_10(disk, pass, operation, lba, blocks, SCSI_IOCTL_DATA_UNSPECIFIED, 0);
}

bool pass_unmap(struct bed_file *disk, struct pass *pass, ULONGLONG lba, ULONG blocks)
{
    static const UCHAR cdb[10] = {0x42, [8] = 24};

    memset(pass->data, 0, 24);
    store_be16(pass->data, 22);
    store_be16(pass->data + 2, 16);
    store_be64(pass->data + 8, lba);
    store_be32(pass->data + 16, blocks);
    return run(disk, pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 24);
}

bool pass_lba_status(struct bed_file *disk, struct pass *pass, ULONGLONG lba, ULONG descriptors)
{
    ULONG length = 8 + 16 * descriptors;
    UCHAR cdb[16] = {0x9E, 0x12};

    store_be64(cdb + 2, lba);
    store_be32(cdb + 10, length);
    return run(disk, pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN, length);
}

void pass_begin_log_sense(struct bed_io *io, struct bed_file *disk, struct pass *pass, UCHAR page, UCHAR length)
{
    const UCHAR cdb[10] = {0x4D, [2] = page, [8] = length};

    pass_begin(io, disk, pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN, length);
}

bool pass_log_sense(struct bed_file *disk, struct pass *pass, UCHAR page, UCHAR length)
{
    struct bed_io io;

    pass_begin_log_sense(&io, disk, pass, page, length);
    return pass_wait(&io, pass);
}

bool pass_inquiry(struct bed_file *disk, struct pass *pass, UCHAR page, UCHAR length)
{
    const UCHAR cdb[6] = {0x12, 1, page, 0, length};

    return run(disk, pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN, length);
}
