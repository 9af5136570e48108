/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory from which a disk's WRITE SAME writes its block again and again (core/scsi/storage.h). One a disk: it is
 * not paged, whatever SRB extensions are, and WSK can send from it; a second such command at a time comes again later.
 */
#ifndef WNBD_DRIVER_PATTERN_H
#define WNBD_DRIVER_PATTERN_H

#include "driver/record.h"

struct disk;

/* Part of struct disk. */
struct pattern {
    uint8_t *bytes; /* STORAGE_PATTERN_MAX; fixed, as the next */
    PMDL mdl;
    volatile LONG taken;
};

/* STATUS_INSUFFICIENT_RESOURCES: pattern_free is still to be called. PASSIVE_LEVEL. */
NTSTATUS pattern_allocate(struct disk *disk);
void pattern_free(struct disk *disk);

/* Takes it for a record that begins to write a pattern, which is put there and is the record's data then. False:
 * another one has it. */
bool pattern_take(struct disk *disk, struct record *record);

/* Nothing reads it any more for the record that has taken it. */
void pattern_give(struct disk *disk);

#endif
