/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files behind core/scsi/storage.h call in each other. */
#ifndef WNBD_CORE_SCSI_STORAGE_INTERNAL_H
#define WNBD_CORE_SCSI_STORAGE_INTERNAL_H

#include "core/scsi/storage.h"

#include <stdbool.h>

static inline uint32_t storage_least(uint64_t left, uint32_t right)
{
    return left < right ? (uint32_t)left : right;
}

/* storage.c: each fills `*sense` and answers STORAGE_REFUSED. */
RARE enum storage_step storage_refuse(struct scsi_sense *sense, enum scsi_asc asc);
RARE enum storage_step storage_refuse_write(struct scsi_sense *sense);

/* The same for [lba, lba + some blocks) that leaves a disk of `block_count`: it says where it does so first. */
RARE enum storage_step storage_refuse_range(struct scsi_sense *sense, uint64_t lba, uint64_t block_count);

/* Bytes of the largest request that the disk's backend takes: whole blocks. */
uint32_t storage_request_max(const struct scsi_device *device);

/*
 * Makes [lba, lba + blocks) of the disk, 1 block or more, the range in hand and its beginning the first request, which
 * is as long as the disk takes reads and writes: a server may refuse what costs it more ("Size constraints" of the NBD
 * protocol, for zeroes and caching), though no data goes over the wire.
 */
enum storage_step storage_begin_range(struct storage_command *storage, const struct scsi_device *device,
                                      enum io_operation operation, uint64_t lba, uint32_t blocks);

/*
 * Has what is written on the medium at the end, by FUA where the backend has that, else by a flush. STORAGE_REQUEST, as
 * what began the range.
 */
RARE enum storage_step storage_write_through(struct storage_command *storage, const struct scsi_device *device);

/* Flushes, if there is anything that a backend could have in a cache. */
MUST_CHECK enum storage_step storage_begin_flush(struct storage_command *storage, const struct scsi_device *device);

/* storage_prefetch.c */
MUST_CHECK enum storage_step storage_begin_prefetch(struct storage_command *storage, const struct scsi_device *device,
                                                    const struct scsi_command *command, struct scsi_sense *sense);

/* storage_status.c */
MUST_CHECK enum storage_step storage_begin_status(struct storage_command *storage, const struct scsi_device *device,
                                                  const struct scsi_command *command, uint8_t *data,
                                                  uint32_t data_length, struct scsi_sense *sense);

/* storage_log.c */
MUST_CHECK enum storage_step storage_begin_count(struct storage_command *storage, const struct scsi_device *device,
                                                 const struct scsi_command *command, uint8_t *data,
                                                 uint32_t data_length, struct scsi_sense *sense);

/* An answer is over: the next request, or STORAGE_DONE. */
MUST_CHECK enum storage_step storage_next_count(struct storage_command *storage);

/* Begins the walk again. */
void storage_restart_count(struct storage_command *storage);

/* As storage_answer_length. */
uint32_t storage_finish_count(const struct storage_command *storage);

/* storage_reserve.c */
MUST_CHECK enum storage_step storage_begin_reserve_in(struct storage_command *storage, const struct scsi_device *device,
                                                      const struct scsi_command *command, uint8_t *data,
                                                      uint32_t data_length, struct scsi_sense *sense);
MUST_CHECK enum storage_step storage_begin_reserve_out(struct storage_command *storage,
                                                       const struct scsi_device *device,
                                                       const struct scsi_command *command, uint8_t *data,
                                                       uint32_t data_length, struct scsi_sense *sense);

/* storage_select.c */
MUST_CHECK enum storage_step storage_begin_select(struct storage_command *storage, struct scsi_device *device,
                                                  const struct scsi_command *command, const uint8_t *parameters,
                                                  uint32_t data_length, struct scsi_sense *sense);

/* storage_same.c */
MUST_CHECK enum storage_step storage_begin_same(struct storage_command *storage, const struct scsi_device *device,
                                                const struct scsi_command *command, const uint8_t *parameters,
                                                uint32_t data_length, struct scsi_sense *sense);

/* storage_verify.c */
MUST_CHECK enum storage_step storage_begin_verify(struct storage_command *storage, const struct scsi_device *device,
                                                  const struct scsi_command *command, const uint8_t *data,
                                                  uint32_t data_length, struct scsi_sense *sense);

/* Has a WRITE AND VERIFY, whose first request is ready, compare what was sent when it has written. */
MUST_CHECK enum storage_step storage_compare_afterwards(struct storage_command *storage,
                                                        const struct scsi_device *device,
                                                        const struct scsi_command *command, const uint8_t *data,
                                                        uint32_t data_length, struct scsi_sense *sense);

/* It has written: the first read. */
enum storage_step storage_compare_written(struct storage_command *storage);

/* Compares what was read; the next read, STORAGE_DONE, or STORAGE_REFUSED when it differs. */
MUST_CHECK enum storage_step storage_next_compared(struct storage_command *storage, struct scsi_sense *sense);

/* storage_unmap.c */
MUST_CHECK enum storage_step storage_begin_unmap(struct storage_command *storage, const struct scsi_device *device,
                                                 const struct scsi_command *command, const uint8_t *parameters,
                                                 uint32_t data_length, struct scsi_sense *sense);

/* Makes the first of the descriptors that are left the range in hand. False: it is refused. */
MUST_CHECK bool storage_take_descriptor(struct storage_command *storage, struct scsi_sense *sense);

#endif
