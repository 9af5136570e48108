/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/srb.h"

/* The places in an SRB that belong to a SCSI command. */
struct scsi_part {
    UCHAR *status;
    UCHAR *sense_length;
    PVOID sense;
    const UCHAR *cdb;
    ULONG cdb_length;
};

static bool is_extended(const SCSI_REQUEST_BLOCK *srb)
{
    return srb->Function == SRB_FUNCTION_STORAGE_REQUEST_BLOCK;
}

static PSTORAGE_REQUEST_BLOCK extended(PSCSI_REQUEST_BLOCK srb)
{
    return (PSTORAGE_REQUEST_BLOCK)(PVOID)srb;
}

/* `size` bytes at `offset` of an extended SRB, NULL when they are not within it. */
static PVOID part_at(PSTORAGE_REQUEST_BLOCK srb, ULONG offset, ULONG size)
{
    if (offset < FIELD_OFFSET(STORAGE_REQUEST_BLOCK, SrbExDataOffset) || offset > srb->SrbLength ||
        size > srb->SrbLength - offset) {
        return NULL;
    }
    return (PUCHAR)srb + offset;
}

/* The `index`th block of extended data, if all `size` bytes of it are there. */
static PSRBEX_DATA data_block(PSTORAGE_REQUEST_BLOCK srb, ULONG index, ULONG size)
{
    PULONG offset =
        part_at(srb, FIELD_OFFSET(STORAGE_REQUEST_BLOCK, SrbExDataOffset) + index * sizeof(ULONG), sizeof(ULONG));

    return offset != NULL && *offset != 0 ? part_at(srb, *offset, size) : NULL;
}

static bool scsi_part_16(PSRBEX_DATA block, struct scsi_part *part)
{
    PSRBEX_DATA_SCSI_CDB16 data = (PSRBEX_DATA_SCSI_CDB16)block;

    part->status = &data->ScsiStatus;
    part->sense_length = &data->SenseInfoBufferLength;
    part->sense = data->SenseInfoBuffer;
    part->cdb = data->Cdb;
    part->cdb_length = data->CdbLength;
    return part->cdb_length <= sizeof data->Cdb;
}

static bool scsi_part_32(PSRBEX_DATA block, struct scsi_part *part)
{
    PSRBEX_DATA_SCSI_CDB32 data = (PSRBEX_DATA_SCSI_CDB32)block;

    part->status = &data->ScsiStatus;
    part->sense_length = &data->SenseInfoBufferLength;
    part->sense = data->SenseInfoBuffer;
    part->cdb = data->Cdb;
    part->cdb_length = data->CdbLength;
    return part->cdb_length <= sizeof data->Cdb;
}

static bool scsi_part_variable(PSTORAGE_REQUEST_BLOCK srb, PSRBEX_DATA block, struct scsi_part *part)
{
    PSRBEX_DATA_SCSI_CDB_VAR data = (PSRBEX_DATA_SCSI_CDB_VAR)block;

    part->status = &data->ScsiStatus;
    part->sense_length = &data->SenseInfoBufferLength;
    part->sense = data->SenseInfoBuffer;
    part->cdb = data->Cdb;
    part->cdb_length = data->CdbLength;
    return part_at(srb, (ULONG)(data->Cdb - (PUCHAR)srb), data->CdbLength) != NULL;
}

static bool find_scsi_part_extended(PSTORAGE_REQUEST_BLOCK srb, struct scsi_part *part)
{
    for (ULONG i = 0; i < srb->NumSrbExData; i++) {
        PSRBEX_DATA block = data_block(srb, i, FIELD_OFFSET(SRBEX_DATA, Data));

        if (block == NULL) {
            return false;
        }
        if (block->Type == SrbExDataTypeScsiCdb16) {
            return data_block(srb, i, sizeof(SRBEX_DATA_SCSI_CDB16)) != NULL && scsi_part_16(block, part);
        }
        if (block->Type == SrbExDataTypeScsiCdb32) {
            return data_block(srb, i, sizeof(SRBEX_DATA_SCSI_CDB32)) != NULL && scsi_part_32(block, part);
        }
        if (block->Type == SrbExDataTypeScsiCdbVar) {
            return data_block(srb, i, FIELD_OFFSET(SRBEX_DATA_SCSI_CDB_VAR, Cdb)) != NULL &&
                   scsi_part_variable(srb, block, part);
        }
    }
    return false;
}

static bool find_scsi_part(PSCSI_REQUEST_BLOCK srb, struct scsi_part *part)
{
    if (is_extended(srb)) {
        return find_scsi_part_extended(extended(srb), part);
    }
    part->status = &srb->ScsiStatus;
    part->sense_length = &srb->SenseInfoBufferLength;
    part->sense = srb->SenseInfoBuffer;
    part->cdb = srb->Cdb;
    part->cdb_length = srb->CdbLength;
    return part->cdb_length <= sizeof srb->Cdb;
}

static bool view_extended(PSTORAGE_REQUEST_BLOCK srb, struct srb_view *view)
{
    PSTOR_ADDR_BTL8 address = part_at(srb, srb->AddressOffset, sizeof(STOR_ADDR_BTL8));

    if (srb->Signature != SRB_SIGNATURE || address == NULL || address->Type != STOR_ADDRESS_TYPE_BTL8) {
        return false;
    }
    view->function = srb->SrbFunction;
    view->path = address->Path;
    view->target = address->Target;
    view->lun = address->Lun;
    view->data = srb->DataBuffer;
    view->data_length = srb->DataTransferLength;
    view->extension = srb->MiniportContext;
    view->aborted = (PSCSI_REQUEST_BLOCK)(PVOID)srb->NextSrb;
    return true;
}

static void view_fixed(PSCSI_REQUEST_BLOCK srb, struct srb_view *view)
{
    view->function = srb->Function;
    view->path = srb->PathId;
    view->target = srb->TargetId;
    view->lun = srb->Lun;
    view->data = srb->DataBuffer;
    view->data_length = srb->DataTransferLength;
    view->extension = srb->SrbExtension;
    view->aborted = srb->NextSrb;
}

bool srb_parse(PSCSI_REQUEST_BLOCK srb, struct srb_view *view)
{
    struct scsi_part part;

    RtlZeroMemory(view, sizeof *view);
    view->srb = srb;
    if (!is_extended(srb)) {
        view_fixed(srb, view);
    } else if (!view_extended(extended(srb), view)) {
        return false;
    }
    if (view->function != SRB_FUNCTION_EXECUTE_SCSI) {
        return true;
    }
    if (!find_scsi_part(srb, &part) || part.cdb_length == 0 || view->extension == NULL) {
        return false;
    }
    view->cdb = part.cdb;
    view->cdb_length = part.cdb_length;
    return true;
}

static bool pnp_extended(PSTORAGE_REQUEST_BLOCK srb, STOR_PNP_ACTION *action, bool *for_adapter)
{
    for (ULONG i = 0; i < srb->NumSrbExData; i++) {
        PSRBEX_DATA_PNP data = (PSRBEX_DATA_PNP)data_block(srb, i, sizeof(SRBEX_DATA_PNP));

        if (data != NULL && data->Type == SrbExDataTypePnP) {
            *action = data->PnPAction;
            *for_adapter = (data->SrbPnPFlags & SRB_PNP_FLAGS_ADAPTER_REQUEST) != 0;
            return true;
        }
    }
    return false;
}

bool srb_pnp(PSCSI_REQUEST_BLOCK srb, STOR_PNP_ACTION *action, bool *for_adapter)
{
    PSCSI_PNP_REQUEST_BLOCK pnp = (PSCSI_PNP_REQUEST_BLOCK)(PVOID)srb;

    if (is_extended(srb)) {
        return pnp_extended(extended(srb), action, for_adapter);
    }
    *action = pnp->PnPAction;
    *for_adapter = (pnp->SrbPnPFlags & SRB_PNP_FLAGS_ADAPTER_REQUEST) != 0;
    return true;
}

static ULONG *data_transfer_length(PSCSI_REQUEST_BLOCK srb)
{
    return is_extended(srb) ? &extended(srb)->DataTransferLength : &srb->DataTransferLength;
}

static ULONG srb_flags(PSCSI_REQUEST_BLOCK srb)
{
    return is_extended(srb) ? extended(srb)->SrbFlags : srb->SrbFlags;
}

/* SrbStatus is at the same place in both forms. */
static void complete(struct adapter *adapter, PSCSI_REQUEST_BLOCK srb, UCHAR status)
{
    srb->SrbStatus = status;
    StorPortNotification(RequestComplete, adapter, srb);
}

void srb_complete(struct adapter *adapter, PSCSI_REQUEST_BLOCK srb, UCHAR status)
{
    if (status != SRB_STATUS_SUCCESS && status != SRB_STATUS_BUSY) { /* busy: it is to come again as it is */
        *data_transfer_length(srb) = 0;
    }
    complete(adapter, srb, status);
}

/* Fills in sense data where the SRB has room for it; answers the flag that says so. */
static UCHAR write_sense(PSCSI_REQUEST_BLOCK srb, const struct scsi_part *part, const struct scsi_result *result)
{
    if (part->sense == NULL || *part->sense_length == 0 || (srb_flags(srb) & SRB_FLAGS_DISABLE_AUTOSENSE) != 0) {
        return 0;
    }
    *part->sense_length =
        (UCHAR)sense_write(&result->sense, result->descriptor_sense, part->sense, *part->sense_length);
    return SRB_STATUS_AUTOSENSE_VALID;
}

void srb_complete_result(struct adapter *adapter, PSCSI_REQUEST_BLOCK srb, const struct scsi_result *result)
{
    UCHAR status = SRB_STATUS_SUCCESS;
    struct scsi_part part;

    if (!find_scsi_part(srb, &part)) { /* srb_parse has seen it: it cannot have gone */
        srb_complete(adapter, srb, SRB_STATUS_INTERNAL_ERROR);
        return;
    }
    *part.status = result->status;
    *data_transfer_length(srb) = result->transferred;
    if (result->status != SCSI_STATUS_GOOD) {
        status = SRB_STATUS_ERROR;
    }
    if (result->status == SCSI_STATUS_CHECK_CONDITION) {
        status |= write_sense(srb, &part, result);
    }
    complete(adapter, srb, status);
}
