/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What storport.h and SPC say about a completed SRB. Each rule broken is one violation whose text begins with its name.
 */
#include "bed/port/internal.h"

#define SCSI_STATUS_GOOD  0x00
#define SCSI_STATUS_CHECK 0x02

static BOOLEAN is_known_status(UCHAR status)
{
    switch (status) {
    case SRB_STATUS_SUCCESS:
    case SRB_STATUS_ABORTED:
    case SRB_STATUS_ABORT_FAILED:
    case SRB_STATUS_ERROR:
    case SRB_STATUS_BUSY:
    case SRB_STATUS_INVALID_REQUEST:
    case SRB_STATUS_INVALID_PATH_ID:
    case SRB_STATUS_NO_DEVICE:
    case SRB_STATUS_TIMEOUT:
    case SRB_STATUS_SELECTION_TIMEOUT:
    case SRB_STATUS_COMMAND_TIMEOUT:
    case SRB_STATUS_MESSAGE_REJECTED:
    case SRB_STATUS_BUS_RESET:
    case SRB_STATUS_PARITY_ERROR:
    case SRB_STATUS_REQUEST_SENSE_FAILED:
    case SRB_STATUS_NO_HBA:
    case SRB_STATUS_DATA_OVERRUN:
    case SRB_STATUS_UNEXPECTED_BUS_FREE:
    case SRB_STATUS_BAD_SRB_BLOCK_LENGTH:
    case SRB_STATUS_REQUEST_FLUSHED:
    case SRB_STATUS_INVALID_LUN:
    case SRB_STATUS_INVALID_TARGET_ID:
    case SRB_STATUS_BAD_FUNCTION:
    case SRB_STATUS_ERROR_RECOVERY:
    case SRB_STATUS_NOT_POWERED:
    case SRB_STATUS_LINK_DOWN:
    case SRB_STATUS_INTERNAL_ERROR:
        return TRUE;
    default:
        return FALSE;
    }
}

static void check_status(const struct request *request, UCHAR srb_status, UCHAR scsi_status)
{
    UCHAR status = SRB_STATUS(srb_status);
    UCHAR opcode = request->command.cdb[0];

    if (status == SRB_STATUS_PENDING) {
        port_violation("status-pending: an SRB (CDB 0x%x) was completed with SRB_STATUS_PENDING", opcode);
    } else if (!is_known_status(status)) {
        port_violation("status-unknown: an SRB (CDB 0x%x) was completed with SrbStatus 0x%x", opcode, srb_status);
    }
    if ((srb_status & SRB_STATUS_QUEUE_FROZEN) != 0) {
        port_violation("status-frozen: SRB_STATUS_QUEUE_FROZEN is the port driver's flag (CDB 0x%x, SrbStatus 0x%x)",
                       opcode, srb_status);
    }
    if (status == SRB_STATUS_SUCCESS && scsi_status != SCSI_STATUS_GOOD) {
        port_violation("status-mismatch: SRB_STATUS_SUCCESS with ScsiStatus 0x%x (CDB 0x%x)", scsi_status, opcode);
    }
}

static void check_length(const struct request *request, UCHAR srb_status, ULONG transferred)
{
    const struct command *command = &request->command;

    if (transferred > command->length) {
        port_violation("length-grown: DataTransferLength grew from %lu to %lu (CDB 0x%x)", command->length, transferred,
                       command->cdb[0]);
    } else if (SRB_STATUS(srb_status) == SRB_STATUS_SUCCESS && command->function == SRB_FUNCTION_EXECUTE_SCSI &&
               is_read_or_write(command) && request->irp != NULL && transferred != command->length) {
        /* The class driver's: a pass-through may bring a larger buffer than its CDB asks for. */
        port_violation("length-wrong: a READ or WRITE (CDB 0x%x) of %lu bytes succeeded with DataTransferLength %lu",
                       command->cdb[0], command->length, transferred);
    }
}

static BOOLEAN sense_written(const struct request *request)
{
    return !is_filled(request->sense, PORT_SENSE_LENGTH);
}

static void check_sense_bytes(const struct request *request, UCHAR sense_length)
{
    UCHAR code = request->sense[0] & 0x7F;
    UCHAR opcode = request->command.cdb[0];

    if (!sense_written(request)) {
        port_violation("sense-missing: SRB_STATUS_AUTOSENSE_VALID but no sense data was written (CDB 0x%x)", opcode);
    } else if (code < 0x70 || code > 0x73) {
        port_violation("sense-format: sense data with response code 0x%x (CDB 0x%x)", code, opcode);
    } else if (sense_length < (code < 0x72 ? 14 : 4)) {
        port_violation("sense-length: SenseInfoBufferLength %u is too short for key, ASC and ASCQ (CDB 0x%x)",
                       sense_length, opcode);
    }
}

static void check_sense(const struct request *request, UCHAR srb_status, UCHAR scsi_status, UCHAR sense_length)
{
    BOOLEAN valid = (srb_status & SRB_STATUS_AUTOSENSE_VALID) != 0;
    UCHAR opcode = request->command.cdb[0];

    if (request->sense[PORT_SENSE_LENGTH] != PORT_FILL) {
        port_violation("sense-overrun: the byte after the sense buffer was written (CDB 0x%x)", opcode);
    }
    if (valid) {
        check_sense_bytes(request, sense_length);
        return;
    }
    if (sense_written(request)) {
        port_violation("sense-unflagged: sense data was written without SRB_STATUS_AUTOSENSE_VALID (CDB 0x%x)", opcode);
    }
    if (scsi_status == SCSI_STATUS_CHECK) {
        port_violation("sense-absent: CHECK CONDITION without sense data (CDB 0x%x, SrbStatus 0x%x)", opcode,
                       srb_status);
    }
}

void contract_check(struct request *request, UCHAR srb_status, UCHAR scsi_status, ULONG transferred, UCHAR sense_length)
{
    check_status(request, srb_status, scsi_status);
    check_length(request, srb_status, transferred);
    if (request->command.function == SRB_FUNCTION_EXECUTE_SCSI) {
        check_sense(request, srb_status, scsi_status, sense_length);
    }
}
