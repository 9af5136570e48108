/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows' disk class driver makes of an SRB's outcome: the NTSTATUS its caller sees, and whether and when the
 * request is tried again. The bounds of the retries are the caller's.
 */
#include "bed/port/internal.h"

#define SENSE_NO_SENSE        0x0
#define SENSE_RECOVERED       0x1
#define SENSE_NOT_READY       0x2
#define SENSE_MEDIUM_ERROR    0x3
#define SENSE_HARDWARE_ERROR  0x4
#define SENSE_ILLEGAL_REQUEST 0x5
#define SENSE_UNIT_ATTENTION  0x6
#define SENSE_DATA_PROTECT    0x7
#define SENSE_ABORTED         0xB
#define SENSE_VOLUME_OVERFLOW 0xD
#define SENSE_MISCOMPARE      0xE

#define SHORT_DELAY_MS     20
#define NOT_READY_DELAY_MS 1000
#define BUSY_DELAY_MS      100

static void set(struct judgement *judgement, NTSTATUS status, BOOLEAN retry, ULONG delay_ms)
{
    judgement->status = status;
    judgement->retry = retry;
    judgement->delay_ms = delay_ms;
}

static void judge_not_ready(UCHAR asc, struct judgement *judgement)
{
    if (asc == 0x3A) {
        set(judgement, STATUS_NO_MEDIA_IN_DEVICE, FALSE, 0);
    } else {
        set(judgement, STATUS_DEVICE_NOT_READY, TRUE, NOT_READY_DELAY_MS);
    }
}

static void judge_illegal_request(UCHAR asc, struct judgement *judgement)
{
    switch (asc) {
    case 0x21:
        set(judgement, STATUS_NONEXISTENT_SECTOR, FALSE, 0);
        break;
    case 0x25:
        set(judgement, STATUS_NO_SUCH_DEVICE, FALSE, 0);
        break;
    default:
        set(judgement, STATUS_INVALID_DEVICE_REQUEST, FALSE, 0);
        break;
    }
}

static void judge_sense_key(UCHAR key, UCHAR asc, struct judgement *judgement)
{
    switch (key) {
    case SENSE_NO_SENSE:
        set(judgement, STATUS_IO_DEVICE_ERROR, TRUE, SHORT_DELAY_MS);
        break;
    case SENSE_RECOVERED:
        set(judgement, STATUS_SUCCESS, FALSE, 0);
        break;
    case SENSE_NOT_READY:
        judge_not_ready(asc, judgement);
        break;
    case SENSE_MEDIUM_ERROR:
        set(judgement, STATUS_DEVICE_DATA_ERROR, TRUE, SHORT_DELAY_MS);
        break;
    case SENSE_ILLEGAL_REQUEST:
        judge_illegal_request(asc, judgement);
        break;
    case SENSE_UNIT_ATTENTION:
        set(judgement, STATUS_IO_DEVICE_ERROR, TRUE, SHORT_DELAY_MS);
        break;
    case SENSE_DATA_PROTECT:
        set(judgement, STATUS_MEDIA_WRITE_PROTECTED, FALSE, 0);
        break;
    case SENSE_ABORTED:
        set(judgement, STATUS_IO_DEVICE_ERROR, TRUE, BUSY_DELAY_MS);
        break;
    case SENSE_VOLUME_OVERFLOW:
        set(judgement, STATUS_DISK_FULL, FALSE, 0);
        break;
    case SENSE_MISCOMPARE:
        set(judgement, STATUS_DATA_ERROR, FALSE, 0);
        break;
    case SENSE_HARDWARE_ERROR:
    default:
        set(judgement, STATUS_IO_DEVICE_ERROR, TRUE, SHORT_DELAY_MS);
        break;
    }
}

static void judge_sense(const struct outcome *outcome, struct judgement *judgement)
{
    BOOLEAN descriptor = (outcome->sense[0] & 0x7F) >= 0x72;
    UCHAR key = outcome->sense[descriptor ? 1 : 2] & 0x0F;
    UCHAR asc = outcome->sense[descriptor ? 2 : 12];
    UCHAR ascq = outcome->sense[descriptor ? 3 : 13];

    judge_sense_key(key, asc, judgement);
    if (key == SENSE_DATA_PROTECT && asc == 0x27 && ascq == 0x07) {
        judgement->status = STATUS_DISK_FULL; /* thin provisioning: no space left */
    }
}

static void judge_scsi_status(const struct outcome *outcome, struct judgement *judgement)
{
    switch (outcome->scsi_status) {
    case 0x08: /* BUSY */
    case 0x28: /* TASK SET FULL */
        set(judgement, STATUS_DEVICE_BUSY, TRUE, BUSY_DELAY_MS);
        break;
    case 0x18: /* RESERVATION CONFLICT */
        set(judgement, STATUS_DEVICE_BUSY, FALSE, 0);
        break;
    default:
        set(judgement, STATUS_IO_DEVICE_ERROR, TRUE, SHORT_DELAY_MS);
        break;
    }
}

static void judge_srb_status(const struct outcome *outcome, struct judgement *judgement)
{
    switch (outcome->srb_status) {
    case SRB_STATUS_INVALID_PATH_ID:
    case SRB_STATUS_NO_DEVICE:
    case SRB_STATUS_NO_HBA:
    case SRB_STATUS_INVALID_LUN:
    case SRB_STATUS_INVALID_TARGET_ID:
        set(judgement, STATUS_NO_SUCH_DEVICE, FALSE, 0);
        break;
    case SRB_STATUS_ABORTED:
    case SRB_STATUS_TIMEOUT:
    case SRB_STATUS_COMMAND_TIMEOUT:
        set(judgement, STATUS_IO_TIMEOUT, TRUE, SHORT_DELAY_MS);
        break;
    case SRB_STATUS_SELECTION_TIMEOUT:
        set(judgement, STATUS_DEVICE_NOT_CONNECTED, FALSE, 0);
        break;
    case SRB_STATUS_DATA_OVERRUN:
        set(judgement, STATUS_DATA_OVERRUN, FALSE, 0);
        break;
    case SRB_STATUS_INVALID_REQUEST:
    case SRB_STATUS_BAD_FUNCTION:
    case SRB_STATUS_BAD_SRB_BLOCK_LENGTH:
        set(judgement, STATUS_INVALID_DEVICE_REQUEST, FALSE, 0);
        break;
    case SRB_STATUS_BUSY:
        set(judgement, STATUS_DEVICE_BUSY, TRUE, BUSY_DELAY_MS);
        break;
    case SRB_STATUS_ERROR:
        judge_scsi_status(outcome, judgement);
        break;
    default:
        set(judgement, STATUS_IO_DEVICE_ERROR, TRUE, SHORT_DELAY_MS);
        break;
    }
}

void judge(const struct outcome *outcome, struct judgement *judgement)
{
    if (outcome->srb_status == SRB_STATUS_SUCCESS) {
        set(judgement, STATUS_SUCCESS, FALSE, 0);
    } else if (outcome->sense_valid) {
        judge_sense(outcome, judgement);
    } else {
        judge_srb_status(outcome, judgement);
    }
}
