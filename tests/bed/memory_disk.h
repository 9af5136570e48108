/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk in memory as a virtual miniport sees it: SRB in, status and sense out. Both of the bed's miniports stand on
 * it. Independent of the product on purpose: bed and driver shall not share their misunderstandings.
 */
#ifndef TESTS_BED_MEMORY_DISK_H
#define TESTS_BED_MEMORY_DISK_H

#include "driver/ddk.h"

#define MEMORY_DISK_BLOCK 512

struct memory_disk {
    UCHAR target;
    UCHAR lun;
    BOOLEAN read_only;
    BOOLEAN unit_attention; /* the next command that can fails with 06/29 */
    ULONGLONG blocks;
    UCHAR *data;
};

/* An extended SRB taken apart. */
struct call {
    STORAGE_REQUEST_BLOCK *srb;
    SRBEX_DATA_SCSI_CDB16 *scsi; /* NULL: no EXECUTE_SCSI */
    STOR_ADDR_BTL8 *address;
    UCHAR *data; /* system address, NULL without data */
    ULONG length;
};

/* Takes the SRB apart and maps its data. */
void call_open(struct call *call, void *extension, SCSI_REQUEST_BLOCK *srb);

/* Sets the SRB's status: success with `transferred` bytes, or CHECK CONDITION with sense. */
void call_succeed(struct call *call, ULONG transferred);
void call_fail(struct call *call, UCHAR key, UCHAR asc, UCHAR ascq);

/* Executes the CDB on the disk and sets the SRB's status. `luns` is the answer of REPORT LUNS: 0 to luns - 1. */
void memory_disk_execute(struct memory_disk *disk, struct call *call, ULONG luns);

/* Reads a REG_DWORD of the service's Parameters key. PASSIVE_LEVEL. */
ULONG parameter(const UNICODE_STRING *service, const WCHAR *name, ULONG fallback);

#endif
