/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * driver/srb.c alone: SRBs of both forms and all their kinds of extended data, whole and broken, as Storport may hand
 * them over. Completed ones end here.
 */
#include "driver/srb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PSCSI_REQUEST_BLOCK completed;

VOID StorPortNotification(SCSI_NOTIFICATION_TYPE NotificationType, PVOID HwDeviceExtension, ...)
{
    va_list arguments;

    (void)HwDeviceExtension;
    assert_int_equal(NotificationType, RequestComplete);
    va_start(arguments, HwDeviceExtension);
    completed = va_arg(arguments, PSCSI_REQUEST_BLOCK);
    va_end(arguments);
}

static UCHAR extension[64];
static UCHAR sense[18];
static UCHAR data[512];

/* ---- The older form ---- */

static SCSI_REQUEST_BLOCK fixed(UCHAR function)
{
    SCSI_REQUEST_BLOCK srb = {
        .Length = sizeof(srb),
        .Function = function,
        .PathId = 0,
        .TargetId = 3,
        .Lun = 1,
        .CdbLength = 10,
        .DataBuffer = data,
        .DataTransferLength = sizeof(data),
        .SrbExtension = extension,
        .SenseInfoBuffer = sense,
        .SenseInfoBufferLength = sizeof(sense),
    };

    srb.Cdb[0] = 0x28;
    return srb;
}

static void fixed_command(void **state)
{
    SCSI_REQUEST_BLOCK srb = fixed(SRB_FUNCTION_EXECUTE_SCSI);
    struct srb_view view;

    (void)state;
    assert_true(srb_parse(&srb, &view));
    assert_int_equal(view.function, SRB_FUNCTION_EXECUTE_SCSI);
    assert_int_equal(view.target, 3);
    assert_int_equal(view.lun, 1);
    assert_ptr_equal(view.cdb, srb.Cdb);
    assert_int_equal(view.cdb_length, 10);
    assert_ptr_equal(view.data, data);
    assert_ptr_equal(view.extension, extension);
}

static void fixed_command_that_is_none(void **state)
{
    SCSI_REQUEST_BLOCK srb = fixed(SRB_FUNCTION_EXECUTE_SCSI);
    struct srb_view view;

    (void)state;
    srb.CdbLength = 0;
    assert_false(srb_parse(&srb, &view));
    srb.CdbLength = sizeof(srb.Cdb) + 1;
    assert_false(srb_parse(&srb, &view));
    srb.CdbLength = 10;
    srb.SrbExtension = NULL;
    assert_false(srb_parse(&srb, &view));
}

static void fixed_abort_names_its_request(void **state)
{
    SCSI_REQUEST_BLOCK request = fixed(SRB_FUNCTION_EXECUTE_SCSI);
    SCSI_REQUEST_BLOCK srb = fixed(SRB_FUNCTION_ABORT_COMMAND);
    struct srb_view view;

    (void)state;
    srb.NextSrb = &request;
    srb.CdbLength = 0;
    assert_true(srb_parse(&srb, &view));
    assert_ptr_equal(view.aborted, &request);
}

static void fixed_pnp(void **state)
{
    SCSI_PNP_REQUEST_BLOCK srb = {.Length = sizeof(srb), .Function = SRB_FUNCTION_PNP};
    STOR_PNP_ACTION action;
    bool for_adapter;

    (void)state;
    srb.PnPAction = StorSurpriseRemoval;
    srb.SrbPnPFlags = SRB_PNP_FLAGS_ADAPTER_REQUEST;
    assert_true(srb_pnp((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &action, &for_adapter));
    assert_int_equal(action, StorSurpriseRemoval);
    assert_true(for_adapter);
}

/* ---- The extended form ---- */

#define DATA_OFFSET 192

struct extended {
    union {
        STORAGE_REQUEST_BLOCK header;
        UCHAR bytes[384];
    };
};

static PVOID part(struct extended *srb, ULONG offset)
{
    return srb->bytes + offset;
}

static void begin_extended(struct extended *srb, ULONG function, ULONG blocks)
{
    const ULONG address_offset = 160;
    PSTOR_ADDR_BTL8 address = part(srb, address_offset);

    memset(srb, 0, sizeof(*srb));
    srb->header.Function = SRB_FUNCTION_STORAGE_REQUEST_BLOCK;
    srb->header.Signature = SRB_SIGNATURE;
    srb->header.Version = STORAGE_REQUEST_BLOCK_VERSION_1;
    srb->header.SrbLength = sizeof(*srb);
    srb->header.SrbFunction = function;
    srb->header.AddressOffset = address_offset;
    srb->header.NumSrbExData = blocks;
    srb->header.DataBuffer = data;
    srb->header.DataTransferLength = sizeof(data);
    srb->header.MiniportContext = extension;
    address->Type = STOR_ADDRESS_TYPE_BTL8;
    address->AddressLength = STOR_ADDR_BTL8_ADDRESS_LENGTH;
    address->Target = 7;
    for (ULONG i = 0; i < blocks; i++) {
        srb->header.SrbExDataOffset[i] = DATA_OFFSET + 96 * i;
    }
}

static void extended_command_of_16_bytes(void **state)
{
    struct extended srb;
    struct srb_view view;
    PSRBEX_DATA_SCSI_CDB16 command = part(&srb, DATA_OFFSET);

    (void)state;
    begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 1);
    command->Type = SrbExDataTypeScsiCdb16;
    command->CdbLength = 16;
    assert_true(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
    assert_int_equal(view.target, 7);
    assert_ptr_equal(view.cdb, command->Cdb);
    assert_int_equal(view.cdb_length, 16);
    command->CdbLength = 17;
    assert_false(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
}

static void extended_command_of_32_bytes(void **state)
{
    struct extended srb;
    struct srb_view view;
    PSRBEX_DATA_SCSI_CDB32 command = part(&srb, DATA_OFFSET);

    (void)state;
    begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 1);
    command->Type = SrbExDataTypeScsiCdb32;
    command->CdbLength = 32;
    assert_true(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
    assert_ptr_equal(view.cdb, command->Cdb);
    assert_int_equal(view.cdb_length, 32);
}

static void extended_command_of_any_length(void **state)
{
    struct extended srb;
    struct srb_view view;
    PSRBEX_DATA_SCSI_CDB_VAR command = part(&srb, DATA_OFFSET);

    (void)state;
    begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 1);
    command->Type = SrbExDataTypeScsiCdbVar;
    command->CdbLength = 40;
    assert_true(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
    assert_ptr_equal(view.cdb, command->Cdb);
    assert_int_equal(view.cdb_length, 40);
    command->CdbLength = sizeof(srb); /* beyond the SRB */
    assert_false(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
}

/* The command's block stands behind others, which are passed over. */
static void extended_command_behind_other_data(void **state)
{
    struct extended srb;
    struct srb_view view;
    PSRBEX_DATA other = part(&srb, DATA_OFFSET);
    PSRBEX_DATA_SCSI_CDB16 command = part(&srb, DATA_OFFSET + 96);

    (void)state;
    begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 2);
    other->Type = SrbExDataTypeIoInfo;
    command->Type = SrbExDataTypeScsiCdb16;
    command->CdbLength = 6;
    assert_true(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
    assert_ptr_equal(view.cdb, command->Cdb);
}

static void extended_offsets_out_of_the_srb(void **state)
{
    static const ULONG offsets[] = {0, 1, 8, 376, 383, 384, 385, 0x7FFFFFFF, 0xFFFFFFF8, 0xFFFFFFFF};
    struct extended srb;
    struct srb_view view;

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(offsets); i++) {
        begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 1);
        srb.header.SrbExDataOffset[0] = offsets[i];
        assert_false(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
        begin_extended(&srb, SRB_FUNCTION_RESET_LOGICAL_UNIT, 0);
        srb.header.AddressOffset = offsets[i];
        assert_false(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
    }
    begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 1);
    srb.header.NumSrbExData = 0xFFFFFFFF; /* the list of offsets leaves the SRB */
    assert_false(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
    begin_extended(&srb, SRB_FUNCTION_RESET_LOGICAL_UNIT, 0);
    srb.header.Signature++;
    assert_false(srb_parse((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &view));
}

static void extended_pnp(void **state)
{
    struct extended srb;
    PSRBEX_DATA_PNP pnp = part(&srb, DATA_OFFSET);
    STOR_PNP_ACTION action;
    bool for_adapter;

    (void)state;
    begin_extended(&srb, SRB_FUNCTION_PNP, 1);
    pnp->Type = SrbExDataTypePnP;
    pnp->PnPAction = StorQueryCapabilities;
    assert_true(srb_pnp((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &action, &for_adapter));
    assert_int_equal(action, StorQueryCapabilities);
    assert_false(for_adapter);
    pnp->Type = SrbExDataTypeIoInfo;
    assert_false(srb_pnp((PSCSI_REQUEST_BLOCK)(PVOID)&srb, &action, &for_adapter));
}

/* ---- Completion ---- */

static void completion_without_data(void **state)
{
    SCSI_REQUEST_BLOCK srb = fixed(SRB_FUNCTION_EXECUTE_SCSI);

    (void)state;
    srb_complete(NULL, &srb, SRB_STATUS_NO_DEVICE);
    assert_ptr_equal(completed, &srb);
    assert_int_equal(srb.SrbStatus, SRB_STATUS_NO_DEVICE);
    assert_int_equal(srb.DataTransferLength, 0);
    srb.DataTransferLength = sizeof(data);
    srb_complete(NULL, &srb, SRB_STATUS_BUSY); /* it comes again as it is */
    assert_int_equal(srb.DataTransferLength, sizeof(data));
}

static void completion_with_sense(void **state)
{
    struct scsi_result result = {.status = SCSI_STATUS_CHECK_CONDITION};
    SCSI_REQUEST_BLOCK srb = fixed(SRB_FUNCTION_EXECUTE_SCSI);

    (void)state;
    result.sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
    srb_complete_result(NULL, &srb, &result);
    assert_int_equal(srb.SrbStatus, SRB_STATUS_ERROR | SRB_STATUS_AUTOSENSE_VALID);
    assert_int_equal(srb.ScsiStatus, SCSI_STATUS_CHECK_CONDITION);
    assert_int_equal(sense[2], SENSE_KEY_ILLEGAL_REQUEST);
    assert_int_equal(sense[12], 0x21);
}

/* Nobody wants to see it, or there is no room. */
static void completion_without_room_for_sense(void **state)
{
    struct scsi_result result = {.status = SCSI_STATUS_CHECK_CONDITION};
    SCSI_REQUEST_BLOCK srb = fixed(SRB_FUNCTION_EXECUTE_SCSI);

    (void)state;
    result.sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
    srb.SrbFlags = SRB_FLAGS_DISABLE_AUTOSENSE;
    srb_complete_result(NULL, &srb, &result);
    assert_int_equal(srb.SrbStatus, SRB_STATUS_ERROR);
    srb = fixed(SRB_FUNCTION_EXECUTE_SCSI);
    srb.SenseInfoBuffer = NULL;
    srb_complete_result(NULL, &srb, &result);
    assert_int_equal(srb.SrbStatus, SRB_STATUS_ERROR);
}

static void completion_of_an_extended_srb(void **state)
{
    struct scsi_result result = {.status = SCSI_STATUS_GOOD, .transferred = 100};
    struct extended srb;
    PSRBEX_DATA_SCSI_CDB16 command = part(&srb, DATA_OFFSET);

    (void)state;
    begin_extended(&srb, SRB_FUNCTION_EXECUTE_SCSI, 1);
    command->Type = SrbExDataTypeScsiCdb16;
    command->CdbLength = 6;
    srb_complete_result(NULL, (PSCSI_REQUEST_BLOCK)(PVOID)&srb, &result);
    assert_int_equal(srb.header.SrbStatus, SRB_STATUS_SUCCESS);
    assert_int_equal(srb.header.DataTransferLength, 100);
    command->Type = SrbExDataTypeIoInfo; /* the command has gone meanwhile */
    srb_complete_result(NULL, (PSCSI_REQUEST_BLOCK)(PVOID)&srb, &result);
    assert_int_equal(srb.header.SrbStatus, SRB_STATUS_INTERNAL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_command),
        cmocka_unit_test(fixed_command_that_is_none),
        cmocka_unit_test(fixed_abort_names_its_request),
        cmocka_unit_test(fixed_pnp),
        cmocka_unit_test(extended_command_of_16_bytes),
        cmocka_unit_test(extended_command_of_32_bytes),
        cmocka_unit_test(extended_command_of_any_length),
        cmocka_unit_test(extended_command_behind_other_data),
        cmocka_unit_test(extended_offsets_out_of_the_srb),
        cmocka_unit_test(extended_pnp),
        cmocka_unit_test(completion_without_data),
        cmocka_unit_test(completion_with_sense),
        cmocka_unit_test(completion_without_room_for_sense),
        cmocka_unit_test(completion_of_an_extended_srb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
