/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A logical unit: the core with a backend of memory. It does with a command what driver/startio.c does with an SRB,
 * without a kernel, one after another.
 */
#ifndef WNBD_TESTS_ISCSI_UNIT_H
#define WNBD_TESTS_ISCSI_UNIT_H

#include "core/scsi/device.h"
#include "core/scsi/emulate.h"
#include "core/scsi/storage.h"
#include "tests/iscsi/memory.h"

struct unit {
    struct scsi_device device;
    struct memory memory;
    uint32_t attentions; /* set of enum scsi_attention */
    struct storage_command command;
    uint8_t compare[STORAGE_COMPARE_MAX];
    uint8_t pattern[STORAGE_PATTERN_MAX];
};

/* A disk of `size` bytes that can do everything a server can. False: there is not enough memory. */
bool unit_init(struct unit *unit, uint64_t size, uint32_t block_size, bool read_only);

/* A reset, which leaves `attention` behind. */
void unit_reset(struct unit *unit, enum scsi_attention attention);

/* Carries out a command. `data` is `data_length` bytes, what the initiator sends with it or room for what it gets. */
void unit_execute(struct unit *unit, const uint8_t *cdb, size_t cdb_length, uint8_t *data, uint32_t data_length,
                  struct scsi_result *result);

#endif
