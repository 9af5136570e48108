/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PnP manager: one adapter below the root, and the disks that it reports. A thread of its own asks for relations
 * when they are invalidated, starts what is new and takes away what is missing: SURPRISE_REMOVAL, then, when the last
 * handle is closed, REMOVE_DEVICE.
 */
#ifndef BED_HOST_PNP_H
#define BED_HOST_PNP_H

#include "driver/ddk.h"

#include <stdbool.h>

#define BED_INSTANCE_TEXT 200

/* Adds the adapter with the driver's AddDevice and starts it; its disks appear by themselves. */
NTSTATUS bed_pnp_add_adapter(PDRIVER_OBJECT driver);

enum bed_removal {
    BED_REMOVAL_ASKED,    /* as by the device manager: QUERY_REMOVE, then disks first. Open handles object */
    BED_REMOVAL_SURPRISE, /* gone at once */
};

/* Takes the adapter away. STATUS_DEVICE_BUSY: somebody has a disk open. Afterwards the driver has no devices. */
NTSTATUS bed_pnp_remove_adapter(enum bed_removal removal);

/* A handle to the device was closed. */
void bed_pnp_handle_closed(void);

/* The instance path of a physical device object, empty when it is not known. */
void bed_pnp_instance(PDEVICE_OBJECT device, char text[BED_INSTANCE_TEXT]);

/* Sends a PnP request to the top of a device's stack and waits; `fill` sets the parameters, or is NULL. */
NTSTATUS bed_pnp_send(PDEVICE_OBJECT device, UCHAR minor, void (*fill)(PIO_STACK_LOCATION stack, void *context),
                      void *context, ULONG_PTR *information);

#endif
