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

static enum scsi_asc attention_asc(enum scsi_attention attention)
{
    switch (attention) {
    case ATTENTION_NONE:
        break;
    case ATTENTION_POWER_ON:
        return ASC_POWER_ON_OR_RESET;
    case ATTENTION_BUS_RESET:
        return ASC_BUS_RESET;
    case ATTENTION_UNIT_RESET:
        return ASC_UNIT_RESET;
    case ATTENTION_MODE:
        return ASC_MODE_PARAMETERS_CHANGED;
    case ATTENTION_CAPACITY:
        return ASC_CAPACITY_DATA_HAS_CHANGED;
    }
    return ASC_NONE;
}

struct scsi_sense attention_sense(enum scsi_attention attention)
{
    return sense_make(attention == ATTENTION_NONE ? SENSE_KEY_NO_SENSE : SENSE_KEY_UNIT_ATTENTION,
                      attention_asc(attention));
}
