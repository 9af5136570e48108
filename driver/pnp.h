/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SRB_FUNCTION_PNP: what Windows' plug-and-play manager asks about a disk. */
#ifndef WNBD_DRIVER_PNP_H
#define WNBD_DRIVER_PNP_H

#include "driver/srb.h"

/* Answers and completes the SRB. DISPATCH_LEVEL or below. */
void pnp_srb(struct adapter *adapter, const struct srb_view *view);

#endif
