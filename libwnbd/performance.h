/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's performance counters, as Windows knows them: a manifest that lodctr.exe has registered. Without it the
 * driver and its disks work, and nobody sees the counters, so that nothing here fails: what goes wrong is a warning.
 */
#ifndef LIBWNBD_PERFORMANCE_H
#define LIBWNBD_PERFORMANCE_H

#include <windows.h>

/* Registers wnbd.man of the folder of the INF file at the full path `inf`, in the place of what is registered. The
 * driver is installed. */
void performance_register(const WCHAR *inf);

/* Takes back what is registered, if anything is. */
void performance_unregister(void);

#endif
