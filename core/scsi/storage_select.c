/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MODE SELECT, which needs storage only when it turns the write cache off. */
#include "core/scsi/storage_internal.h"

#include "core/scsi/mode.h"

#include <stddef.h>

/*
 * What was written until now may be in the backend's cache, and WCE 0 says that nothing is (SBC-3, "Caching mode
 * page"). From here on WRITEs go through, so one flush is enough.
 */
enum storage_step storage_begin_select(struct storage_command *storage, struct scsi_device *device,
                                       const struct scsi_command *command, const uint8_t *parameters,
                                       uint32_t data_length, struct scsi_sense *sense)
{
    bool before = device_writes_through(device);
    uint32_t length = command->parameter_length;

    if (length != 0 && (parameters == NULL || length > data_length)) {
        return storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    if (!mode_select(device, command, parameters, length, sense)) {
        return STORAGE_REFUSED;
    }
    return !before && device_writes_through(device) ? storage_begin_flush(storage, device) : STORAGE_DONE;
}
