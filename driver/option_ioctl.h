/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control requests that concern options (include/wnbd_ioctl.h): ioctl.c has checked their lengths. PASSIVE_LEVEL.
 */
#ifndef WNBD_DRIVER_OPTION_IOCTL_H
#define WNBD_DRIVER_OPTION_IOCTL_H

#include "driver/driver.h"

void option_ioctl_get(struct adapter *adapter, PIRP irp);
void option_ioctl_list(struct adapter *adapter, PIRP irp);
void option_ioctl_reset(struct adapter *adapter, PIRP irp);

/* What forbids new mappings pends until those that are under way have ended. */
void option_ioctl_set(struct adapter *adapter, PIRP irp);
void option_ioctl_reload(struct adapter *adapter, PIRP irp);

#endif
