/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control requests of a program that serves a disk. Their lengths have been checked against the structures of
 * include/wnbd_ioctl.h. Each completes the IRP, or lets it wait. PASSIVE_LEVEL, in the thread that has sent it. */
#ifndef WNBD_DRIVER_SERVE_H
#define WNBD_DRIVER_SERVE_H

#include "driver/driver.h"

void serve_enter(struct adapter *adapter, PIRP irp);
void serve_fetch(struct adapter *adapter, PIRP irp);
void serve_send(struct adapter *adapter, PIRP irp);
void serve_own(struct adapter *adapter, PIRP irp);
void serve_map_arena(struct adapter *adapter, PIRP irp);
void serve_attach(struct adapter *adapter, PIRP irp);
void serve_resize(struct adapter *adapter, PIRP irp);

#endif
