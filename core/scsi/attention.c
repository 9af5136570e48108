/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/attention.h"

bool attention_is_reported_by(const struct scsi_command *command)
{
    return command->operation != SCSI_INQUIRY && command->operation != SCSI_REPORT_LUNS &&
           command->operation != SCSI_REQUEST_SENSE;
}

enum scsi_attention attention_first(uint32_t attentions)
{
    return (enum scsi_attention)(attentions & (0u - attentions));
}

struct scsi_sense attention_sense(enum scsi_attention attention)
{
    switch (attention) {
    case ATTENTION_CAPACITY:
        return sense_make(SENSE_KEY_UNIT_ATTENTION, ASC_CAPACITY_DATA_HAS_CHANGED);
    }
    return sense_make(SENSE_KEY_UNIT_ATTENTION, ASC_NONE);
}
