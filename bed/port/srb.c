/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SRBs in both forms: built for the miniport, read when they come back. The only file that knows their fields. */
#include "bed/port/internal.h"

/* DataBuffer's and the MDL's address. No MDL of the port holds page numbers (port.h). */
void mdl_describe(MDL *mdl, void *shown, void *system, ULONG length)
{
    RtlZeroMemory(mdl, sizeof(*mdl));
    mdl->Size = sizeof(*mdl);
    mdl->MdlFlags = MDL_MAPPED_TO_SYSTEM_VA | MDL_PAGES_LOCKED;
    mdl->StartVa = (void *)((ULONG_PTR)shown & ~(ULONG_PTR)(PAGE_SIZE - 1));
    mdl->ByteOffset = (ULONG)((ULONG_PTR)shown & (PAGE_SIZE - 1));
    mdl->ByteCount = length;
    mdl->MappedSystemVa = system;
}

void command_scsi(struct command *command, const UCHAR *cdb, UCHAR cdb_length, ULONG flags, ULONG timeout_s)
{
    command->function = SRB_FUNCTION_EXECUTE_SCSI;
    RtlCopyMemory(command->cdb, cdb, cdb_length);
    command->cdb_length = cdb_length;
    command->flags = flags;
    command->timeout_s = timeout_s;
}

BOOLEAN is_read_or_write(const struct command *command)
{
    switch (command->cdb[0]) {
    case SCSIOP_READ6:
    case SCSIOP_WRITE6:
    case SCSIOP_READ:
    case SCSIOP_WRITE:
    case SCSIOP_READ12:
    case SCSIOP_WRITE12:
    case SCSIOP_READ16:
    case SCSIOP_WRITE16:
        return TRUE;
    default:
        return FALSE;
    }
}

/* Whether DataBuffer is an address the miniport can use: MapBuffers, storport.h. */
static BOOLEAN is_mapped(const struct adapter *adapter, const struct command *command)
{
    switch (adapter->config.MapBuffers) {
    case STOR_MAP_ALL_BUFFERS_INCLUDING_READ_WRITE:
        return TRUE;
    case STOR_MAP_ALL_BUFFERS:
    case STOR_MAP_NON_READ_WRITE_BUFFERS:
        return !is_read_or_write(command);
    default:
        return FALSE;
    }
}

/* Gives the request `length` bytes of data at `buffer`, a system address, and describes them by the request's own MDL.
 */
void command_data(struct request *request, void *buffer, ULONG length)
{
    struct command *command = &request->command;

    command->system = buffer;
    command->length = length;
    command->shown = buffer;
    if (length == 0) {
        command->system = command->shown = NULL;
        command->mdl = NULL;
        return;
    }
    if (!is_mapped(request->adapter, command)) {
        command->shown = (void *)(PORT_POISON_VA + ((ULONG_PTR)buffer & 0xFFFFFFFF));
    }
    mdl_describe(&request->mdl, command->shown, buffer, length);
    command->mdl = &request->mdl;
}

/* OriginalRequest is the IRP, and none of a miniport's business. */
#define HIDDEN_IRP ((void *)(PORT_POISON_VA + 0x1B9))

static void build_scsi(struct request *request)
{
    const struct command *command = &request->command;
    SCSI_REQUEST_BLOCK *srb = &request->srb.scsi;

    RtlZeroMemory(srb, sizeof(*srb));
    srb->Length = sizeof(*srb);
    srb->Function = command->function;
    srb->PathId = request->unit->path;
    srb->TargetId = request->unit->target;
    srb->Lun = request->unit->lun;
    srb->QueueTag = SP_UNTAGGED;
    srb->QueueAction = SRB_SIMPLE_TAG_REQUEST;
    srb->NextSrb = command->aborted;
    srb->SrbFlags = command->flags;
    srb->DataTransferLength = command->length;
    srb->TimeOutValue = command->timeout_s;
    srb->DataBuffer = command->shown;
    srb->OriginalRequest = HIDDEN_IRP;
    srb->SrbExtension = request->adapter->config.SrbExtensionSize != 0 ? request->extension : NULL;
    if (command->function == SRB_FUNCTION_EXECUTE_SCSI) {
        srb->CdbLength = command->cdb_length;
        srb->SenseInfoBuffer = request->sense;
        srb->SenseInfoBufferLength = PORT_SENSE_LENGTH;
        RtlCopyMemory(srb->Cdb, command->cdb, sizeof(srb->Cdb));
    } else if (command->function == SRB_FUNCTION_PNP) {
        request->srb.pnp.PnPSubFunction = 0;
        request->srb.pnp.PnPAction = command->pnp_action;
        request->srb.pnp.SrbPnPFlags = command->pnp_flags;
    }
}

static void build_address(struct request *request)
{
    STOR_ADDR_BTL8 *address = &request->srb.ex.address;

    address->Type = STOR_ADDRESS_TYPE_BTL8;
    address->Port = (USHORT)request->adapter->number;
    address->AddressLength = STOR_ADDR_BTL8_ADDRESS_LENGTH;
    address->Path = request->unit->path;
    address->Target = request->unit->target;
    address->Lun = request->unit->lun;
}

static void build_data(struct request *request)
{
    const struct command *command = &request->command;

    if (command->function == SRB_FUNCTION_EXECUTE_SCSI) {
        SRBEX_DATA_SCSI_CDB16 *data = &request->srb.ex.data.cdb16;

        data->Type = SrbExDataTypeScsiCdb16;
        data->Length = SRBEX_DATA_SCSI_CDB16_LENGTH;
        data->CdbLength = command->cdb_length;
        data->SenseInfoBuffer = request->sense;
        data->SenseInfoBufferLength = PORT_SENSE_LENGTH;
        RtlCopyMemory(data->Cdb, command->cdb, sizeof(data->Cdb));
    } else if (command->function == SRB_FUNCTION_PNP) {
        SRBEX_DATA_PNP *data = &request->srb.ex.data.pnp;

        data->Type = SrbExDataTypePnP;
        data->Length = SRBEX_DATA_PNP_LENGTH;
        data->PnPAction = command->pnp_action;
        data->SrbPnPFlags = command->pnp_flags;
    }
}

static void build_ex(struct request *request)
{
    const struct command *command = &request->command;
    STORAGE_REQUEST_BLOCK *srb = &request->srb.ex.header;
    BOOLEAN has_data = command->function == SRB_FUNCTION_EXECUTE_SCSI || command->function == SRB_FUNCTION_PNP;

    RtlZeroMemory(&request->srb, sizeof(request->srb));
    srb->Length = offsetof(STORAGE_REQUEST_BLOCK, SrbExDataOffset) + sizeof(ULONG);
    srb->Function = SRB_FUNCTION_STORAGE_REQUEST_BLOCK;
    srb->Signature = SRB_SIGNATURE;
    srb->Version = STORAGE_REQUEST_BLOCK_VERSION_1;
    srb->SrbLength = sizeof(request->srb.ex);
    srb->SrbFunction = command->function;
    srb->SrbFlags = command->flags;
    srb->RequestTag = SP_UNTAGGED;
    srb->RequestAttribute = SRB_SIMPLE_TAG_REQUEST;
    srb->NextSrb = command->aborted;
    srb->TimeOutValue = command->timeout_s;
    srb->AddressOffset = (ULONG)((UCHAR *)&request->srb.ex.address - (UCHAR *)srb);
    srb->NumSrbExData = has_data ? 1 : 0;
    srb->SrbExDataOffset[0] = has_data ? (ULONG)((UCHAR *)&request->srb.ex.data - (UCHAR *)srb) : 0;
    srb->DataTransferLength = command->length;
    srb->DataBuffer = command->shown;
    srb->OriginalRequest = HIDDEN_IRP;
    srb->MiniportContext = request->adapter->config.SrbExtensionSize != 0 ? request->extension : NULL;
    build_address(request);
    build_data(request);
}

/*
 * The SRB as the miniport shall see it. The SRB extension is not initialised, as on Windows: it holds PORT_FILL. So
 * does the sense buffer, which shows whether the miniport wrote one.
 */
void srb_build(struct request *request)
{
    if (request->adapter->srbex) {
        build_ex(request);
    } else {
        build_scsi(request);
    }
}

/* What the miniport left in the SRB; srb_status with its flags. */
void srb_read(const struct request *request, UCHAR *srb_status, UCHAR *scsi_status, ULONG *transferred,
              UCHAR *sense_length)
{
    BOOLEAN scsi = request->command.function == SRB_FUNCTION_EXECUTE_SCSI;

    if (request->adapter->srbex) {
        *srb_status = request->srb.ex.header.SrbStatus;
        *transferred = request->srb.ex.header.DataTransferLength;
        *scsi_status = scsi ? request->srb.ex.data.cdb16.ScsiStatus : 0;
        *sense_length = scsi ? request->srb.ex.data.cdb16.SenseInfoBufferLength : 0;
    } else {
        *srb_status = request->srb.scsi.SrbStatus;
        *transferred = request->srb.scsi.DataTransferLength;
        *scsi_status = scsi ? request->srb.scsi.ScsiStatus : 0;
        *sense_length = scsi ? request->srb.scsi.SenseInfoBufferLength : 0;
    }
}
