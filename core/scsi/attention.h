/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unit attention conditions (SAM-5, 5.14): what has happened to a disk that its initiator has not asked for. Each is
 * reported once, by the next command that reports any, which is not carried out.
 */
#ifndef WNBD_CORE_SCSI_ATTENTION_H
#define WNBD_CORE_SCSI_ATTENTION_H

#include "core/scsi/cdb.h"
#include "core/scsi/sense.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits of a set. */
enum scsi_attention {
    ATTENTION_CAPACITY = 1 << 0, /* 06/2A/09 capacity data has changed */
};

/* Whether the command reports a unit attention: all do but INQUIRY, REPORT LUNS and REQUEST SENSE. */
bool attention_is_reported_by(const struct scsi_command *command);

/* The one of `attentions`, which is not empty, that is reported next. */
enum scsi_attention attention_first(uint32_t attentions);

struct scsi_sense attention_sense(enum scsi_attention attention);

#endif
