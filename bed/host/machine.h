/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The simulated machine: boots with one driver, and when that is unloaded everything it had must be gone. One machine
 * at a time; it can be started again.
 */
#ifndef BED_HOST_MACHINE_H
#define BED_HOST_MACHINE_H

#include "bed/host/pnp.h"
#include "driver/ddk.h"

/* The service's key; parameters are below it (registry.h). */
#define BED_SERVICE_KEY    "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\driver"
#define BED_PARAMETERS_KEY BED_SERVICE_KEY "\\Parameters"
#define BED_STATE_KEY      BED_SERVICE_KEY "\\State" /* what the driver stores */

/* Loads the driver's library, calls DriverEntry, adds its adapter and starts it. On failure nothing is left. */
NTSTATUS bed_machine_start(const char *library);

/* Removes the adapter, unloads the driver and looks for what it left. STATUS_DEVICE_BUSY: a disk is open, and nothing
 * has happened. */
NTSTATUS bed_machine_stop(enum bed_removal removal);

#endif
