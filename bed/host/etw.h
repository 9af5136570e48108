/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BED_HOST_ETW_H
#define BED_HOST_ETW_H

/* Reports registrations and entries of the error log that the driver has left. */
void bed_traces_check(void);

#endif
