/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files behind core/scsi/cdb.h call in each other. */
#ifndef WNBD_CORE_SCSI_CDB_INTERNAL_H
#define WNBD_CORE_SCSI_CDB_INTERNAL_H

#include "core/scsi/cdb.h"

/* cdb_action.c: decodes a CDB, all of it, whose code has service actions. False: a field or that action is not
 * supported. */
RARE MUST_CHECK bool cdb_decode_action(const uint8_t *cdb, struct scsi_command *command);

#endif
