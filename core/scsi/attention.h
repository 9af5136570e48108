/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unit attention conditions (SAM-5, 5.14): what has happened to a disk that its initiator has not asked for. Each is
 * reported once, by the next command that reports any, which is not carried out, or by a REQUEST SENSE as its data.
 *
 * Whoever has the disk keeps a set of them. For a command that reports them, or a REQUEST SENSE, it takes the first out
 * of the set; the sense of that goes with a CHECK CONDITION or into emulate_request_sense.
 */
#ifndef WNBD_CORE_SCSI_ATTENTION_H
#define WNBD_CORE_SCSI_ATTENTION_H

#include "core/scsi/cdb.h"
#include "core/scsi/sense.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Bits of a set, in the order of their precedence (SAM-5, 5.14): of resets the one that reaches further, then all
 * else.
 */
enum scsi_attention {
    ATTENTION_NONE = 0,
    ATTENTION_POWER_ON = 1 << 0,   /* 06/29/00 power on, reset, or bus device reset occurred */
    ATTENTION_BUS_RESET = 1 << 1,  /* 06/29/02 SCSI bus reset occurred: a reset of the bus or the target */
    ATTENTION_UNIT_RESET = 1 << 2, /* 06/29/03 bus device reset function occurred: a logical unit reset */
    ATTENTION_MODE = 1 << 3,       /* 06/2A/01 mode parameters changed, but not by the initiator itself */
    ATTENTION_CAPACITY = 1 << 4,   /* 06/2A/09 capacity data has changed */
};

/* Whether the command reports a unit attention: all do but INQUIRY, REPORT LUNS and REQUEST SENSE. */
bool attention_is_reported_by(const struct scsi_command *command);

/* The one of `attentions` that is reported next; ATTENTION_NONE if it is empty. */
enum scsi_attention attention_first(uint32_t attentions);

/* Of ATTENTION_NONE: no sense. */
struct scsi_sense attention_sense(enum scsi_attention attention);

#endif
