/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCSI request blocks. Only srb.c touches their fields; both forms (the older fixed one and the extended one) look the
 * same from here.
 */
#ifndef WNBD_DRIVER_SRB_H
#define WNBD_DRIVER_SRB_H

#include "driver/driver.h"

#include "core/scsi/emulate.h"

/* What an SRB asks for. Everything is borrowed from the SRB until it is completed. */
struct srb_view {
    PSCSI_REQUEST_BLOCK srb;
    ULONG function; /* SRB_FUNCTION_* */
    UCHAR path;
    UCHAR target;
    UCHAR lun;
    const UCHAR *cdb; /* SRB_FUNCTION_EXECUTE_SCSI */
    ULONG cdb_length;
    PVOID data; /* READ, WRITE: only a number, the address in the original MDL; else the data, mapped */
    ULONG data_length;
    PVOID extension;             /* struct record */
    PSCSI_REQUEST_BLOCK aborted; /* SRB_FUNCTION_ABORT_COMMAND: whom it is about */
};

/* False: the SRB is not formed as the documentation has it (an offset out of its bounds, a CDB that is missing). */
MUST_CHECK bool srb_parse(PSCSI_REQUEST_BLOCK srb, struct srb_view *view);

/* What a plug-and-play SRB asks for. False: it does not say. */
MUST_CHECK bool srb_pnp(PSCSI_REQUEST_BLOCK srb, STOR_PNP_ACTION *action, bool *for_adapter);

/* Completes the SRB with an SRB_STATUS_* and no data. It is Storport's afterwards. No locks. */
void srb_complete(struct adapter *adapter, PSCSI_REQUEST_BLOCK srb, UCHAR status);

/* Completes the SRB with the result of a command: status, data length, sense. It is Storport's afterwards. No locks. */
void srb_complete_result(struct adapter *adapter, PSCSI_REQUEST_BLOCK srb, const struct scsi_result *result);

#endif
