/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells one disk from all others: serial number, NAA designator, revision. */
#ifndef WNBD_DRIVER_IDENTITY_H
#define WNBD_DRIVER_IDENTITY_H

#include "driver/driver.h"

#include "core/scsi/device.h"

/*
 * Fills in the identity fields of `device`. The serial number is the caller's, or the instance name, which is then
 * written to the properties too. The NAA designator is the caller's; or one made from server, port and export, so
 * that it is the same whenever and wherever the export is mapped; or, for a disk without a server, from its owner,
 * instance name and serial number.
 */
void identity_set(struct scsi_device *device, WNBD_PROPERTIES *properties);

#endif
