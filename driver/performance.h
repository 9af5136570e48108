/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Performance counters: a provider of Performance Counters for Windows, with a counter set that has an instance for
 * each disk that SCSI sees. Nothing is counted for it; what is counted anyway is copied when somebody asks.
 */
#ifndef WNBD_DRIVER_PERFORMANCE_H
#define WNBD_DRIVER_PERFORMANCE_H

#include "driver/driver.h"

#include "driver/performance_table.h"

#define PERFORMANCE_RATE    ULONG64
#define PERFORMANCE_AMOUNT  ULONG64
#define PERFORMANCE_STATE   ULONG
#define PERFORMANCE_AVERAGE ULONG64
#define PERFORMANCE_BASE    ULONG

/* The data block of an instance: a field for each counter. */
#define PERFORMANCE_FIELD(id, kind, field, base, scale, name, description) PERFORMANCE_##kind field;
struct performance {
    PERFORMANCE_COUNTERS(PERFORMANCE_FIELD)
};

/* An instance's name: not ended with NUL, not empty. */
struct performance_name {
    USHORT length; /* in characters */
    WCHAR text[WNBD_MAX_NAME_LENGTH];
};

/* Makes an instance's name of a disk's: UTF-16, with others in the place of the characters that are special in the path
 * of a counter. `name` is an array of WNBD_MAX_NAME_LENGTH, ended with NUL and not empty; what is not UTF-8 loses all
 * characters that are not ASCII. PASSIVE_LEVEL. */
void performance_name(const char *name, struct performance_name *wide);

/* From now on Windows can ask for the counters of the adapter's disks. When it does not take them, which is logged, the
 * adapter goes without. PASSIVE_LEVEL, before the first disk. */
void performance_start(struct adapter *adapter);

/* Returns when nobody asks any more. PASSIVE_LEVEL. */
void performance_stop(struct adapter *adapter);

#endif
