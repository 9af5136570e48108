/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File objects. The one who opened has a reference until it closes, which sends CLEANUP, and each request that is under
 * way has one; CLOSE is sent when the last reference goes, wherever that is.
 */
#ifndef BED_HOST_FILE_H
#define BED_HOST_FILE_H

#include "driver/ddk.h"

struct bed_file {
    FILE_OBJECT object;   /* first: what drivers know it by */
    PDEVICE_OBJECT named; /* the device that was opened: its ReferenceCount counts files */
    PDEVICE_OBJECT top;   /* of its stack */
    BOOLEAN open;         /* CREATE has succeeded */
};

/* A file that is not open yet. Takes the reference to the device, also when it answers NULL: no memory. */
struct bed_file *bed_file_create(PDEVICE_OBJECT device);

/* Sends an IRP without parameters and waits for it. */
NTSTATUS bed_file_send(struct bed_file *file, UCHAR major);

#endif
