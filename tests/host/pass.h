/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that Windows seldom sends, each as a SCSI pass-through. */
#ifndef TESTS_HOST_PASS_H
#define TESTS_HOST_PASS_H

#include "tests/host/wnbd.h"

#define PASS_DATA_MAX 4096

struct pass {
    SCSI_PASS_THROUGH header;
    UCHAR sense[32];
    UCHAR data[PASS_DATA_MAX];
};

/* `length` bytes of data go where `direction` says (SCSI_IOCTL_DATA_*). */
void pass_begin(struct bed_io *io, struct bed_file *disk, struct pass *pass, const UCHAR *cdb, UCHAR cdb_length,
                UCHAR direction, ULONG length);

/* Whether the command ended well. Otherwise the sense says how, or nothing does if it never got to the disk. */
bool pass_wait(struct bed_io *io, const struct pass *pass);

/* Whether the sense is of that key, and has the number of a block; which one. */
bool pass_has_sense(const struct pass *pass, UCHAR key);
bool pass_has_information(const struct pass *pass, ULONG *lba);

/* Begun and waited for. WRITE SAME (16) with UNMAP, NDOB or neither; without NDOB pass->data is the block, of `length`
 * bytes. */
#define PASS_UNMAP 0x08
#define PASS_NDOB  0x01

bool pass_write_same_16(struct bed_file *disk, struct pass *pass, UCHAR flags, ULONGLONG lba, ULONG blocks,
                        ULONG length);
bool pass_write_same_10(struct bed_file *disk, struct pass *pass, ULONG lba, USHORT blocks, ULONG length);
bool pass_write_through(struct bed_file *disk, struct pass *pass, ULONG lba,
                        ULONG length); /* WRITE (10), FUA, 1 block */
bool pass_read(struct bed_file *disk, struct pass *pass, ULONG lba, USHORT blocks, ULONG length); /* READ (10) */
bool pass_unmap(struct bed_file *disk, struct pass *pass, ULONGLONG lba, ULONG blocks);
bool pass_prefetch(struct bed_file *disk, struct pass *pass, ULONG lba, USHORT blocks);

/* GET LBA STATUS, with room for `descriptors` of them. */
bool pass_lba_status(struct bed_file *disk, struct pass *pass, ULONGLONG lba, ULONG descriptors);

/* LOG SENSE of that page (SUBPAGE 0) as Windows' class driver sends it, and INQUIRY of a VPD page. */
void pass_begin_log_sense(struct bed_io *io, struct bed_file *disk, struct pass *pass, UCHAR page, UCHAR length);
bool pass_log_sense(struct bed_file *disk, struct pass *pass, UCHAR page, UCHAR length);
bool pass_inquiry(struct bed_file *disk, struct pass *pass, UCHAR page, UCHAR length);

#endif
