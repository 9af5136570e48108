/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/cdb.h"
#include "tests/unit/scsi_device.h"

#define CDB_MAX 16

/* Every command there is: with how many bytes, and what it decodes to. */
struct example {
    uint8_t length;
    uint8_t cdb[CDB_MAX];
    struct scsi_command command;
};

static const struct example examples[] = {
    {6, {0x00}, {.operation = SCSI_TEST_UNIT_READY}},
    {6, {0x03, 0, 0, 0, 252}, {.operation = SCSI_REQUEST_SENSE, .allocation_length = 252}},
    {6, {0x03, 1, 0, 0, 8}, {.operation = SCSI_REQUEST_SENSE, .allocation_length = 8, .descriptor_sense = true}},
    {6, {0x12, 0, 0, 0, 36}, {.operation = SCSI_INQUIRY, .allocation_length = 36}},
    {6, {0x12, 1, 0x83, 2, 1}, {.operation = SCSI_INQUIRY, .evpd = true, .page = 0x83, .allocation_length = 0x201}},
    {6,
     {0x1A, 8, 0x7F, 0xFF, 192},
     {.operation = SCSI_MODE_SENSE_6, .page_control = 1, .page = 0x3F, .subpage = 0xFF, .allocation_length = 192}},
    {10,
     {0x5A, 0x18, 0xC8, 0x01, 0, 0, 0, 0x12, 0x34},
     {.operation = SCSI_MODE_SENSE_10, .page_control = 3, .page = 8, .subpage = 1, .allocation_length = 0x1234}},
    {6, {0x15, 0x10, 0, 0, 24}, {.operation = SCSI_MODE_SELECT_6, .parameter_length = 24}},
    {10, {0x55, 0x10, 0, 0, 0, 0, 0, 1, 2}, {.operation = SCSI_MODE_SELECT_10, .parameter_length = 0x102}},
    {6, {0x1E}, {.operation = SCSI_ALLOW_MEDIUM_REMOVAL}},
    {10,
     {0x4D, 0, 0xC5, 6, 0, 0, 0, 1, 2},
     {.operation = SCSI_LOG_SENSE, .page_control = 3, .page = 5, .subpage = 6, .allocation_length = 0x102}},
    {10,
     {0x4D, 0, 0x0C, 0, 0, 0, 2, 1, 2},
     {.operation = SCSI_LOG_SENSE_PROVISIONING, .page = 0x0C, .allocation_length = 0x102}},
    {10,
     {0x5E, 3, 0, 0, 0, 0, 0, 1, 2},
     {.operation = SCSI_PERSISTENT_RESERVE_IN, .service_action = 3, .allocation_length = 0x102}},
    {10,
     {0x5F, 3, 0x13, 0, 0, 1, 2, 3, 4},
     {.operation = SCSI_PERSISTENT_RESERVE_OUT,
      .service_action = 3,
      .scope_and_type = 0x13,
      .parameter_length = 0x01020304}},
    {10, {0x25}, {.operation = SCSI_READ_CAPACITY_10, .allocation_length = 8}},
    {16,
     {0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4},
     {.operation = SCSI_READ_CAPACITY_16, .allocation_length = 0x01020304}},
    {16,
     {0x9E, 0x12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     {.operation = SCSI_GET_LBA_STATUS, .lba = 0x0102030405060708, .allocation_length = 0x090A0B0C}},
    {12,
     {0xA0, 0, 2, 0, 0, 0, 0xFF, 0xFE, 0xFD, 0xFC},
     {.operation = SCSI_REPORT_LUNS, .select_report = 2, .allocation_length = 0xFFFEFDFC}},
    {12,
     {0xA3, 0x0C, 0x83, 0x9E, 0x01, 0x02, 3, 4, 5, 6},
     {.operation = SCSI_REPORT_OPERATION_CODES,
      .extended = true,
      .select_report = 3,
      .operation_code = 0x9E,
      .service_action = 0x0102,
      .allocation_length = 0x03040506}},
    {12,
     {0xA3, 0x0D, 0x80, 0, 0, 0, 3, 4, 5, 6},
     {.operation = SCSI_REPORT_TASK_FUNCTIONS, .extended = true, .allocation_length = 0x03040506}},
    {6, {0x1B, 0, 0, 0, 1}, {.operation = SCSI_START_UNIT}},
    {6, {0x1B, 1, 0, 0, 0}, {.operation = SCSI_STOP_UNIT}},
    {6, {0x1B, 0, 0, 0, 4}, {.operation = SCSI_STOP_UNIT, .no_flush = true}},
    {6, {0x08, 0x1F, 0xFE, 0xFD, 7}, {.operation = SCSI_READ, .lba = 0x1FFEFD, .blocks = 7}},
    {6, {0x0A, 0x00, 0x00, 0x01, 0}, {.operation = SCSI_WRITE, .lba = 1, .blocks = 256}},
    {10, {0x28, 0, 1, 2, 3, 4, 0, 5, 6}, {.operation = SCSI_READ, .lba = 0x01020304, .blocks = 0x0506}},
    {10, {0x28, 0x18, 0, 0, 0, 0, 0, 0, 0}, {.operation = SCSI_READ, .fua = true}},
    {10,
     {0x2A, 0x08, 255, 255, 255, 255, 0, 255, 255},
     {.operation = SCSI_WRITE, .lba = 0xFFFFFFFF, .blocks = 0xFFFF, .fua = true}},
    {12, {0xA8, 0x10, 1, 2, 3, 4, 5, 6, 7, 8}, {.operation = SCSI_READ, .lba = 0x01020304, .blocks = 0x05060708}},
    {12,
     {0xAA, 0x08, 1, 2, 3, 4, 5, 6, 7, 8},
     {.operation = SCSI_WRITE, .lba = 0x01020304, .blocks = 0x05060708, .fua = true}},
    {16,
     {0x88, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     {.operation = SCSI_READ, .lba = 0x0102030405060708, .blocks = 0x090A0B0C}},
    {16,
     {0x8A, 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
     {.operation = SCSI_WRITE, .lba = UINT64_MAX, .blocks = UINT32_MAX, .fua = true}},
    {10, {0x2F, 0x10, 1, 2, 3, 4, 0, 5, 6}, {.operation = SCSI_VERIFY, .lba = 0x01020304, .blocks = 0x0506}},
    {12, {0xAF, 0, 1, 2, 3, 4, 5, 6, 7, 8}, {.operation = SCSI_VERIFY, .lba = 0x01020304, .blocks = 0x05060708}},
    {16,
     {0x8F, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     {.operation = SCSI_VERIFY, .lba = 0x0102030405060708, .blocks = 0x090A0B0C}},
    {10, {0x2F, 0x02, 0, 0, 0, 0, 0, 0, 1}, {.operation = SCSI_VERIFY, .blocks = 1, .byte_check = BYTE_CHECK_BLOCKS}},
    {16, {0x8F, 0x06}, {.operation = SCSI_VERIFY, .byte_check = BYTE_CHECK_ONE_BLOCK}},
    {10, {0x2E, 0x10, 1, 2, 3, 4, 0, 5, 6}, {.operation = SCSI_WRITE_AND_VERIFY, .lba = 0x01020304, .blocks = 0x0506}},
    {10,
     {0x2E, 0x02, 0, 0, 0, 0, 0, 0, 1},
     {.operation = SCSI_WRITE_AND_VERIFY, .blocks = 1, .byte_check = BYTE_CHECK_BLOCKS}},
    {12,
     {0xAE, 0, 1, 2, 3, 4, 5, 6, 7, 8},
     {.operation = SCSI_WRITE_AND_VERIFY, .lba = 0x01020304, .blocks = 0x05060708}},
    {16,
     {0x8E, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     {.operation = SCSI_WRITE_AND_VERIFY, .lba = 0x0102030405060708, .blocks = 0x090A0B0C}},
    {10, {0x35, 6, 1, 2, 3, 4, 0, 5, 6}, {.operation = SCSI_SYNCHRONIZE_CACHE, .lba = 0x01020304, .blocks = 0x0506}},
    {16,
     {0x91, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     {.operation = SCSI_SYNCHRONIZE_CACHE, .lba = 0x0102030405060708, .blocks = 0x090A0B0C}},
    {10, {0x42, 0, 0, 0, 0, 0, 0, 1, 2}, {.operation = SCSI_UNMAP, .parameter_length = 0x0102}},
    {10, {0x42, 1, 0, 0, 0, 0, 0, 0, 24}, {.operation = SCSI_UNMAP, .parameter_length = 24, .anchor = true}},
    {10,
     {0x41, 0x08, 1, 2, 3, 4, 0x1F, 5, 6},
     {.operation = SCSI_WRITE_SAME, .lba = 0x01020304, .blocks = 0x0506, .unmap = true}},
    {10, {0x41, 0x10, 0, 0, 0, 0, 0, 0, 0}, {.operation = SCSI_WRITE_SAME, .anchor = true}},
    {16,
     {0x93, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x3F},
     {.operation = SCSI_WRITE_SAME, .lba = 0x0102030405060708, .blocks = 0x090A0B0C, .no_data = true}},
    {16, {0x93, 0x18}, {.operation = SCSI_WRITE_SAME, .unmap = true, .anchor = true}},
    {10, {0x34, 0x02, 1, 2, 3, 4, 0x1F, 5, 6}, {.operation = SCSI_PREFETCH, .lba = 0x01020304, .blocks = 0x0506}},
    {16,
     {0x90, 0x02, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x3F},
     {.operation = SCSI_PREFETCH, .lba = 0x0102030405060708, .blocks = 0x090A0B0C}},
};

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static void assert_command(const struct scsi_command *found, const struct scsi_command *expected)
{
    assert_int_equal(found->operation, expected->operation);
    assert_int_equal(found->lba, expected->lba);
    assert_int_equal(found->blocks, expected->blocks);
    assert_int_equal(found->allocation_length, expected->allocation_length);
    assert_int_equal(found->parameter_length, expected->parameter_length);
    assert_int_equal(found->byte_check, expected->byte_check);
    assert_int_equal(found->fua, expected->fua);
    assert_int_equal(found->anchor, expected->anchor);
    assert_int_equal(found->unmap, expected->unmap);
    assert_int_equal(found->no_data, expected->no_data);
    assert_int_equal(found->no_flush, expected->no_flush);
    assert_int_equal(found->descriptor_sense, expected->descriptor_sense);
    assert_int_equal(found->evpd, expected->evpd);
    assert_int_equal(found->page, expected->page);
    assert_int_equal(found->subpage, expected->subpage);
    assert_int_equal(found->page_control, expected->page_control);
    assert_int_equal(found->select_report, expected->select_report);
    assert_int_equal(found->extended, expected->extended);
    assert_int_equal(found->operation_code, expected->operation_code);
    assert_int_equal(found->service_action, expected->service_action);
}

static void assert_refused(const uint8_t *cdb, size_t length, unsigned number)
{
    struct scsi_command command;
    struct scsi_sense sense = {0};

    assert_false(cdb_decode(cdb, length, &command, &sense));
    assert_int_equal(sense_number(&sense), number);
    assert_false(sense.information_valid);
}

static void assert_accepted(const uint8_t *cdb, size_t length)
{
    struct scsi_command command;
    struct scsi_sense sense;

    assert_true(cdb_decode(cdb, length, &command, &sense));
}

static void command_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct scsi_command command;
        struct scsi_sense sense;

        assert_true(cdb_decode(examples[i].cdb, examples[i].length, &command, &sense));
        assert_command(&command, &examples[i].command);
    }
}

/* Windows hands over 16 bytes for every command, whatever its length is. */
static void command_longer_than_needed(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        uint8_t cdb[CDB_MAX];
        struct scsi_command command;
        struct scsi_sense sense;

        memset(cdb, 0xFF, sizeof(cdb));
        memcpy(cdb, examples[i].cdb, examples[i].length);
        assert_true(cdb_decode(cdb, sizeof(cdb), &command, &sense));
        assert_command(&command, &examples[i].command);
    }
}

static void command_cut_at_each_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        for (size_t length = 0; length <= examples[i].length; length++) {
            uint8_t *cdb = guard_copy(examples[i].cdb, length);

            bool may_be_cut = examples[i].cdb[0] == 0x5E || examples[i].cdb[0] == 0x5F;

            if (length < (may_be_cut ? 6 : examples[i].length)) {
                assert_refused(cdb, length, INVALID_FIELD);
            } else {
                assert_accepted(cdb, length);
            }
            guard_free(cdb, length);
        }
    }
}

static bool is_known(uint8_t operation_code)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        if (examples[i].cdb[0] == operation_code) {
            return true;
        }
    }
    return false;
}

static void operation_code_unknown(void **state)
{
    unsigned unknown = 0;

    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        uint8_t cdb[CDB_MAX] = {(uint8_t)code};

        if (is_known((uint8_t)code)) {
            continue;
        }
        unknown++;
        for (size_t length = 1; length <= CDB_MAX; length++) {
            uint8_t *copy = guard_copy(cdb, length);

            assert_refused(copy, length, INVALID_OPCODE);
            guard_free(copy, length);
        }
    }
    assert_int_equal(unknown, 256 - 37);
}

static void control_naca_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        uint8_t cdb[CDB_MAX];

        memcpy(cdb, examples[i].cdb, sizeof(cdb));
        cdb[examples[i].length - 1] = 0x04;
        assert_refused(cdb, examples[i].length, INVALID_FIELD);
        cdb[examples[i].length - 1] = 0xC0; /* vendor specific: ignored */
        assert_accepted(cdb, examples[i].length);
    }
}

/* RDPROTECT, WRPROTECT and VRPROTECT: no disk has protection information. */
static void protection_asked_for(void **state)
{
    const uint8_t codes[][2] = {{0x28, 10}, {0x2A, 10}, {0x2F, 10}, {0xA8, 12}, {0xAA, 12}, {0xAF, 12}, {0x88, 16},
                                {0x8A, 16}, {0x8F, 16}, {0x41, 10}, {0x93, 16}, {0x2E, 10}, {0xAE, 12}, {0x8E, 16}};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        for (unsigned protect = 0; protect < 8; protect++) {
            const uint8_t cdb[CDB_MAX] = {codes[i][0], (uint8_t)(protect << 5)};

            if (protect == 0) {
                assert_accepted(cdb, codes[i][1]);
            } else {
                assert_refused(cdb, codes[i][1], INVALID_FIELD);
            }
        }
    }
}

/* In the 6-byte forms these bits are reserved, once the LUN: they are no part of the LBA. */
static void read_6_reserved_bits(void **state)
{
    const uint8_t cdb[] = {0x08, 0xE0, 0, 2, 1, 0};
    struct scsi_command command;
    struct scsi_sense sense;

    (void)state;
    assert_true(cdb_decode(cdb, sizeof(cdb), &command, &sense));
    assert_int_equal(command.lba, 2);
    assert_false(command.fua);
}

/* 2 is reserved; WRITE AND VERIFY does not compare with one block. */
static void verify_bytchk(void **state)
{
    const uint8_t verify[][2] = {{0x2F, 10}, {0xAF, 12}, {0x8F, 16}};
    const uint8_t write_and_verify[][2] = {{0x2E, 10}, {0xAE, 12}, {0x8E, 16}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (unsigned bytchk = 0; bytchk < 4; bytchk++) {
            const uint8_t compared[CDB_MAX] = {verify[i][0], (uint8_t)(bytchk << 1)};
            const uint8_t written[CDB_MAX] = {write_and_verify[i][0], (uint8_t)(bytchk << 1)};

            if (bytchk == 2) {
                assert_refused(compared, verify[i][1], INVALID_FIELD);
            } else {
                assert_accepted(compared, verify[i][1]);
            }
            if (bytchk < 2) {
                assert_accepted(written, write_and_verify[i][1]);
            } else {
                assert_refused(written, write_and_verify[i][1], INVALID_FIELD);
            }
        }
    }
}

/* PBDATA and LBDATA ask for other data than what is sent, RELADR for another LBA. Bit 0 of the long form is NDOB. */
static void write_same_obsolete_bits(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits < 8; bits++) {
        const uint8_t short_form[10] = {0x41, (uint8_t)bits};
        const uint8_t long_form[16] = {0x93, (uint8_t)bits};

        assert_refused(short_form, sizeof(short_form), INVALID_FIELD);
        if (bits == 1) {
            assert_accepted(long_form, sizeof(long_form));
        } else {
            assert_refused(long_form, sizeof(long_form), INVALID_FIELD);
        }
    }
}

static void inquiry_page_without_evpd(void **state)
{
    const uint8_t page[] = {0x12, 0, 0x80, 0, 255, 0};
    const uint8_t command_data[] = {0x12, 2, 0, 0, 255, 0}; /* CMDDT */

    (void)state;
    assert_refused(page, sizeof(page), INVALID_FIELD);
    assert_refused(command_data, sizeof(command_data), INVALID_FIELD);
}

static void read_capacity_pmi_or_lba(void **state)
{
    const uint8_t pmi_10[10] = {0x25, 0, 0, 0, 0, 0, 0, 0, 1};
    const uint8_t lba_10[10] = {0x25, 0, 0, 0, 0, 1};
    const uint8_t both_10[10] = {0x25, 0, 0x80, 0, 0, 0, 0, 0, 1};
    const uint8_t pmi_16[16] = {0x9E, 0x10, [14] = 1};
    const uint8_t lba_16[16] = {0x9E, 0x10, 1};

    (void)state;
    assert_refused(pmi_10, sizeof(pmi_10), INVALID_FIELD);
    assert_refused(lba_10, sizeof(lba_10), INVALID_FIELD);
    assert_refused(both_10, sizeof(both_10), INVALID_FIELD);
    assert_refused(pmi_16, sizeof(pmi_16), INVALID_FIELD);
    assert_refused(lba_16, sizeof(lba_16), INVALID_FIELD);
}

/* What of a PERSISTENT RESERVE is missing is 0. */
static void persistent_reserve_cut(void **state)
{
    const uint8_t in[6] = {0x5E, 0x01};
    const uint8_t out[9] = {0x5F, 0x03, 0x03, 0, 0, 0, 0, 0, 24};
    struct scsi_command command;
    struct scsi_sense sense;

    (void)state;
    assert_true(cdb_decode(in, sizeof(in), &command, &sense));
    assert_int_equal(command.operation, SCSI_PERSISTENT_RESERVE_IN);
    assert_int_equal(command.service_action, 1);
    assert_int_equal(command.allocation_length, 0);
    assert_true(cdb_decode(out, sizeof(out), &command, &sense));
    assert_int_equal(command.operation, SCSI_PERSISTENT_RESERVE_OUT);
    assert_int_equal(command.scope_and_type, 0x03);
    assert_int_equal(command.parameter_length, 24);
}

static void persistent_reserve_actions(void **state)
{
    (void)state;
    for (unsigned action = 0; action < 32; action++) {
        const uint8_t in[10] = {0x5E, (uint8_t)action};

        if (action <= 3) {
            assert_accepted(in, sizeof(in));
        } else {
            assert_refused(in, sizeof(in), INVALID_FIELD);
        }
        for (unsigned byte = 0; byte < 256; byte++) {
            const uint8_t out[10] = {0x5F, (uint8_t)action, (uint8_t)byte};
            bool has_type = action == 1 || action == 2 || action == 4 || action == 5 || action == 8;
            bool is_type = byte == 1 || byte == 3 || (byte >= 5 && byte <= 8);

            if (action <= 8 && (is_type || !has_type)) {
                assert_accepted(out, sizeof(out));
            } else {
                assert_refused(out, sizeof(out), INVALID_FIELD);
            }
        }
    }
}

static void prevent_medium_removal(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t cdb[6] = {0x1E, 0, 0, 0, (uint8_t)byte};

        if ((byte & 0x03) == 0) {
            assert_accepted(cdb, sizeof(cdb));
        } else {
            assert_refused(cdb, sizeof(cdb), INVALID_FIELD);
        }
    }
}

static void log_sense_saved_or_from_a_parameter(void **state)
{
    const uint8_t saved[10] = {0x4D, 1};
    const uint8_t changed[10] = {0x4D, 2};
    const uint8_t high[10] = {0x4D, [5] = 1};
    const uint8_t low[10] = {0x4D, [6] = 1};

    (void)state;
    assert_refused(saved, sizeof(saved), INVALID_FIELD);
    assert_refused(changed, sizeof(changed), INVALID_FIELD);
    assert_refused(high, sizeof(high), INVALID_FIELD);
    assert_refused(low, sizeof(low), INVALID_FIELD);
}

/* Of the one page with a parameter, with each of its values (PC): from there on or from before, but not from behind. */
static void log_sense_from_a_parameter(void **state)
{
    (void)state;
    for (unsigned control = 0; control < 4; control++) {
        for (unsigned pointer = 0; pointer <= UINT16_MAX; pointer++) {
            const uint8_t cdb[10] = {0x4D, 0, (uint8_t)(control << 6 | 0x0C), [5] = (uint8_t)(pointer >> 8),
                                     (uint8_t)pointer};

            if (pointer <= 2) {
                assert_accepted(cdb, sizeof(cdb));
            } else {
                assert_refused(cdb, sizeof(cdb), INVALID_FIELD);
            }
        }
    }
}

static void log_sense_subpages_of_provisioning(void **state)
{
    struct scsi_command command;
    struct scsi_sense sense;

    (void)state;
    for (unsigned subpage = 0; subpage < 256; subpage++) {
        const uint8_t cdb[10] = {0x4D, 0, 0x0C, (uint8_t)subpage};

        assert_true(cdb_decode(cdb, sizeof(cdb), &command, &sense));
        assert_int_equal(command.operation, subpage == 0 ? SCSI_LOG_SENSE_PROVISIONING : SCSI_LOG_SENSE);
    }
}

/* PF has to be 1, RTD and SP 0; the rest of the byte is reserved. */
static void mode_select_format(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t six[6] = {0x15, (uint8_t)byte};
        const uint8_t ten[10] = {0x55, (uint8_t)byte};

        if ((byte & 0x13) == 0x10) {
            assert_accepted(six, sizeof(six));
            assert_accepted(ten, sizeof(ten));
        } else {
            assert_refused(six, sizeof(six), INVALID_FIELD);
            assert_refused(ten, sizeof(ten), INVALID_FIELD);
        }
    }
}

static void service_action_unknown(void **state)
{
    (void)state;
    for (unsigned action = 0; action < 32; action++) {
        const uint8_t service_action_in[16] = {0x9E, (uint8_t)action};
        const uint8_t maintenance_in[12] = {0xA3, (uint8_t)action};

        if (action == 0x10 || action == 0x12) {
            assert_accepted(service_action_in, sizeof(service_action_in));
        } else {
            assert_refused(service_action_in, sizeof(service_action_in), INVALID_FIELD);
        }
        if (action == 0x0C || action == 0x0D) {
            assert_accepted(maintenance_in, sizeof(maintenance_in));
        } else {
            assert_refused(maintenance_in, sizeof(maintenance_in), INVALID_FIELD);
        }
    }
}

static void report_luns_select_report(void **state)
{
    (void)state;
    for (unsigned select = 0; select < 256; select++) {
        const uint8_t cdb[12] = {0xA0, 0, (uint8_t)select};

        if (select <= 2) {
            assert_accepted(cdb, sizeof(cdb));
        } else {
            assert_refused(cdb, sizeof(cdb), INVALID_FIELD);
        }
    }
}

static void report_operation_codes_options(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t cdb[12] = {0xA3, 0x0C, (uint8_t)byte};

        if ((byte & 0x07) <= 3) {
            assert_accepted(cdb, sizeof(cdb));
        } else {
            assert_refused(cdb, sizeof(cdb), INVALID_FIELD);
        }
    }
}

static void start_stop_power_condition_or_eject(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t cdb[6] = {0x1B, 0, 0, 0, (uint8_t)byte};

        if ((byte & 0xF2) == 0) {
            assert_accepted(cdb, sizeof(cdb));
        } else {
            assert_refused(cdb, sizeof(cdb), INVALID_FIELD);
        }
    }
}

static void storage_needed_by(void **state)
{
    const enum scsi_operation needing[] = {SCSI_READ,
                                           SCSI_WRITE,
                                           SCSI_WRITE_AND_VERIFY,
                                           SCSI_VERIFY,
                                           SCSI_SYNCHRONIZE_CACHE,
                                           SCSI_STOP_UNIT,
                                           SCSI_UNMAP,
                                           SCSI_WRITE_SAME,
                                           SCSI_PREFETCH,
                                           SCSI_GET_LBA_STATUS,
                                           SCSI_LOG_SENSE_PROVISIONING,
                                           SCSI_MODE_SELECT_6,
                                           SCSI_MODE_SELECT_10,
                                           SCSI_PERSISTENT_RESERVE_IN,
                                           SCSI_PERSISTENT_RESERVE_OUT};
    const enum scsi_operation not_needing[] = {SCSI_TEST_UNIT_READY,
                                               SCSI_REQUEST_SENSE,
                                               SCSI_INQUIRY,
                                               SCSI_MODE_SENSE_6,
                                               SCSI_MODE_SENSE_10,
                                               SCSI_READ_CAPACITY_10,
                                               SCSI_READ_CAPACITY_16,
                                               SCSI_REPORT_LUNS,
                                               SCSI_START_UNIT,
                                               SCSI_REPORT_OPERATION_CODES,
                                               SCSI_REPORT_TASK_FUNCTIONS,
                                               SCSI_ALLOW_MEDIUM_REMOVAL,
                                               SCSI_LOG_SENSE};
    struct scsi_command command = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(needing) / sizeof(needing[0]); i++) {
        command.operation = needing[i];
        assert_true(command_needs_storage(&command));
    }
    for (size_t i = 0; i < sizeof(not_needing) / sizeof(not_needing[0]); i++) {
        command.operation = not_needing[i];
        assert_false(command_needs_storage(&command));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_whole),
        cmocka_unit_test(command_longer_than_needed),
        cmocka_unit_test(command_cut_at_each_length),
        cmocka_unit_test(operation_code_unknown),
        cmocka_unit_test(control_naca_set),
        cmocka_unit_test(protection_asked_for),
        cmocka_unit_test(read_6_reserved_bits),
        cmocka_unit_test(verify_bytchk),
        cmocka_unit_test(write_same_obsolete_bits),
        cmocka_unit_test(inquiry_page_without_evpd),
        cmocka_unit_test(read_capacity_pmi_or_lba),
        cmocka_unit_test(persistent_reserve_cut),
        cmocka_unit_test(persistent_reserve_actions),
        cmocka_unit_test(prevent_medium_removal),
        cmocka_unit_test(log_sense_saved_or_from_a_parameter),
        cmocka_unit_test(log_sense_from_a_parameter),
        cmocka_unit_test(log_sense_subpages_of_provisioning),
        cmocka_unit_test(mode_select_format),
        cmocka_unit_test(service_action_unknown),
        cmocka_unit_test(report_luns_select_report),
        cmocka_unit_test(report_operation_codes_options),
        cmocka_unit_test(start_stop_power_condition_or_eject),
        cmocka_unit_test(storage_needed_by),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
