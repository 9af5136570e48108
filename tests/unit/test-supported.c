/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/supported.h"
#include "tests/unit/scsi_device.h"

#define CDB_MAX SCSI_CDB_MAX

static uint8_t answer[SUPPORTED_ANSWER_MAX];

static struct scsi_device able_device(void)
{
    struct scsi_device device = test_device();

    device.write_zeroes = true;
    device.cache = true;
    device.block_status = true;
    device.persistent_reservations = true;
    return device;
}

static uint32_t ask(const struct scsi_device *device, struct scsi_command command)
{
    uint8_t *bytes = guard_memory(SUPPORTED_ANSWER_MAX);
    struct scsi_sense sense = {0};
    uint32_t length = supported_operation_codes(device, &command, bytes, &sense);

    memcpy(answer, bytes, sizeof(answer));
    guard_free(bytes, SUPPORTED_ANSWER_MAX);
    assert_int_equal(sense_number(&sense), length == 0 ? INVALID_FIELD : 0);
    return length;
}

static uint32_t ask_all(const struct scsi_device *device, bool timeouts)
{
    return ask(device, (struct scsi_command){.operation = SCSI_REPORT_OPERATION_CODES, .extended = timeouts});
}

static uint32_t ask_one(const struct scsi_device *device, uint8_t option, uint8_t code, uint16_t action)
{
    return ask(device, (struct scsi_command){.operation = SCSI_REPORT_OPERATION_CODES,
                                             .select_report = option,
                                             .operation_code = code,
                                             .service_action = action});
}

static void assert_known(uint32_t length, uint8_t cdb_length)
{
    assert_int_equal(length, 4u + cdb_length);
    assert_int_equal(answer[1], 3);
    assert_int_equal(answer[2] << 8 | answer[3], cdb_length);
}

static void assert_unknown(uint32_t length)
{
    assert_int_equal(length, 4);
    assert_memory_equal(answer, "\0\1\0\0", 4);
}

static bool lists(const uint8_t *list, uint32_t length, uint8_t code)
{
    for (uint32_t at = 4; at < length; at += 8) {
        if (list[at] == code) {
            return true;
        }
    }
    return false;
}

static void all_commands_whole(void **state)
{
    struct scsi_device device = able_device();
    uint32_t length = ask_all(&device, false);
    static const uint8_t get_lba_status[8] = {0x9E, 0, 0, 0x12, 0, 1, 0, 16};
    bool found = false;

    (void)state;
    assert_int_equal(length, 4 + 8 * SCSI_COMMANDS);
    assert_int_equal(answer[2] << 8 | answer[3], length - 4);
    assert_memory_equal(answer + 4, "\0\0\0\0\0\0\0\6", 8); /* TEST UNIT READY */
    for (uint32_t at = 4; at < length; at += 8) {
        found = found || memcmp(answer + at, get_lba_status, 8) == 0;
    }
    assert_true(found);
}

/* Each descriptor is followed by one of time-outs that says nothing of them. */
static void all_commands_with_timeouts(void **state)
{
    struct scsi_device device = able_device();
    uint8_t plain[SUPPORTED_ANSWER_MAX];
    uint32_t plain_length = ask_all(&device, false);
    uint32_t length;

    (void)state;
    memcpy(plain, answer, sizeof(plain));
    length = ask_all(&device, true);
    assert_int_equal(length, 4 + (plain_length - 4) / 8 * 20);
    for (uint32_t i = 0; i < (plain_length - 4) / 8; i++) {
        plain[4 + i * 8 + 5] |= 0x02;
        assert_memory_equal(answer + 4 + i * 20, plain + 4 + i * 8, 8);
        assert_memory_equal(answer + 4 + i * 20 + 8, "\0\x0A\0\0\0\0\0\0\0\0\0\0", 12);
    }
}

/* The list and the question about one agree, for each code and service action, in each way of asking. */
static void one_command_agrees_with_all(void **state)
{
    struct scsi_device device = able_device();
    uint8_t list[SUPPORTED_ANSWER_MAX];
    uint32_t length = ask_all(&device, false);

    (void)state;
    memcpy(list, answer, sizeof(list));
    for (uint32_t at = 4; at < length; at += 8) {
        bool has_action = list[at + 5] == 1;
        uint16_t action = (uint16_t)(list[at + 2] << 8 | list[at + 3]);

        assert_int_equal(list[at + 5] & 0xFE, 0);
        assert_known(ask_one(&device, has_action ? 2 : 1, list[at], action), list[at + 7]);
        assert_int_equal(answer[4], list[at]);
        assert_true(!has_action || (answer[5] & 0x1F) == action);
        assert_known(ask_one(&device, 3, list[at], action), list[at + 7]);
        assert_int_equal(ask_one(&device, has_action ? 1 : 2, list[at], action), 0);
    }
    for (unsigned code = 0; code < 256; code++) {
        if (!lists(list, length, (uint8_t)code)) {
            for (uint8_t option = 1; option <= 3; option++) {
                assert_unknown(ask_one(&device, option, (uint8_t)code, 0));
            }
        }
    }
}

static void one_command_service_action_unknown(void **state)
{
    struct scsi_device device = able_device();

    (void)state;
    assert_unknown(ask_one(&device, 2, 0x9E, 0x11));
    assert_unknown(ask_one(&device, 2, 0x9E, 0x110)); /* not cut to 8 bits */
    assert_unknown(ask_one(&device, 3, 0x9E, 0));
    assert_unknown(ask_one(&device, 3, 0x28, 1));   /* READ (10) has none */
    assert_known(ask_one(&device, 1, 0x28, 1), 10); /* not looked at */
}

static void one_command_with_timeouts(void **state)
{
    struct scsi_device device = able_device();
    struct scsi_command command = {
        .operation = SCSI_REPORT_OPERATION_CODES, .select_report = 1, .operation_code = 0x12, .extended = true};

    (void)state;
    assert_int_equal(ask(&device, command), 4 + 6 + 12);
    assert_memory_equal(answer, "\0\x83\0\6\x12\3\xFF\xFF\xFF\4\0\x0A\0\0\0\0\0\0\0\0\0\0", 22);
    command.operation_code = 0xFF;
    assert_unknown(ask(&device, command));
}

static void commands_the_disk_has_not_got(void **state)
{
    struct scsi_device device = able_device();
    uint32_t all = ask_all(&device, false);

    (void)state;
    device.unmap = false;
    assert_int_equal(ask_all(&device, false), all - 8);
    assert_unknown(ask_one(&device, 1, 0x42, 0));
    assert_known(ask_one(&device, 2, 0x9E, 0x12), 16);
    device.block_status = false;
    assert_int_equal(ask_all(&device, false), all - 16);
    assert_unknown(ask_one(&device, 2, 0x9E, 0x12));
    device.cache = false;
    assert_int_equal(ask_all(&device, false), all - 32);
    assert_unknown(ask_one(&device, 1, 0x34, 0));
    assert_unknown(ask_one(&device, 1, 0x90, 0));
    device.write_zeroes = false;
    assert_int_equal(ask_all(&device, false), all - 48);
    assert_unknown(ask_one(&device, 1, 0x41, 0));
    assert_unknown(ask_one(&device, 1, 0x93, 0));
    device.persistent_reservations = false;
    assert_int_equal(ask_all(&device, false), all - 48 - 13 * 8);
    assert_unknown(ask_one(&device, 2, 0x5E, 0));
    assert_unknown(ask_one(&device, 1, 0x5F, 0));
}

static void usage_without_fua(void **state)
{
    struct scsi_device device = able_device();

    (void)state;
    assert_known(ask_one(&device, 1, 0x2A, 0), 10);
    assert_memory_equal(answer + 4, "\x2A\xF8\xFF\xFF\xFF\xFF\0\xFF\xFF\4", 10);
    device.fua = false;
    assert_known(ask_one(&device, 1, 0x2A, 0), 10);
    assert_memory_equal(answer + 4, "\x2A\xE0\xFF\xFF\xFF\xFF\0\xFF\xFF\4", 10);
    assert_known(ask_one(&device, 1, 0x0A, 0), 6);
    assert_memory_equal(answer + 4, "\x0A\x1F\xFF\xFF\xFF\4", 6);
}

static bool decodes(const uint8_t *cdb, struct scsi_command *command)
{
    struct scsi_sense sense;

    return cdb_decode(cdb, CDB_MAX, command, &sense);
}

/* Bits that are looked at and change nothing: DPO, IMMED, DBD and LLBAA may be followed or not. */
static uint8_t hints(uint8_t code, unsigned byte)
{
    if (byte != 1) {
        return 0;
    }
    switch (code) {
    case 0x1B: /* START STOP UNIT */
        return 0x01;
    case 0x1A: /* MODE SENSE */
        return 0x08;
    case 0x5A:
        return 0x18;
    case 0x34: /* PRE-FETCH, SYNCHRONIZE CACHE */
    case 0x35:
    case 0x90:
    case 0x91:
        return 0x02;
    default:
        return code >= 0x28 && code != 0x41 && code != 0x42 && code != 0x93 && code != 0xA3 ? 0x10 : 0;
    }
}

static void assert_bit(const uint8_t *cdb, unsigned byte, uint8_t bit, bool used)
{
    uint8_t changed[CDB_MAX];
    struct scsi_command before;
    struct scsi_command after;

    memcpy(changed, cdb, CDB_MAX);
    changed[byte] ^= bit;
    assert_true(decodes(cdb, &before));
    if (!used) {
        assert_true(decodes(changed, &after));
        assert_memory_equal(&before, &after, sizeof(before));
    } else if ((hints(cdb[0], byte) & bit) == 0) {
        assert_true(!decodes(changed, &after) || memcmp(&before, &after, sizeof(before)) != 0);
    }
}

/* The usage is what cdb_decode does: a bit outside of it changes nothing, one within is seen or refused. */
static void usage_is_what_is_decoded(void **state)
{
    struct scsi_device device = able_device();
    uint8_t list[SUPPORTED_ANSWER_MAX];
    uint32_t length = ask_all(&device, false);

    (void)state;
    memcpy(list, answer, sizeof(list));
    for (uint32_t at = 4; at < length; at += 8) {
        uint8_t cdb[CDB_MAX] = {list[at], list[at + 3]};

        if (cdb[0] == 0x15 || cdb[0] == 0x55) {
            cdb[1] = 0x10; /* MODE SELECT without PF is refused */
        }
        if (cdb[0] == 0x5F) {
            cdb[2] = 0x01; /* nor is a PERSISTENT RESERVE OUT without a type decoded */
        }
        ask_one(&device, 3, list[at], list[at + 3]);
        for (unsigned i = 8; i < list[at + 7] * 8u; i++) {
            uint8_t bit = (uint8_t)(1u << i % 8);
            bool is_action = list[at + 5] == 1 && i / 8 == 1 && bit < 0x20;

            if (!is_action) {
                assert_bit(cdb, i / 8, bit, (answer[4 + i / 8] & bit) != 0);
            }
        }
    }
}

static void task_functions_whole(void **state)
{
    struct scsi_command command = {.operation = SCSI_REPORT_TASK_FUNCTIONS};
    uint8_t *bytes = guard_memory(16);
    const uint8_t extended[16] = {0x8A, 0, 0, 12};

    (void)state;
    assert_int_equal(supported_task_functions(&command, bytes), 4);
    assert_memory_equal(bytes, "\x8A\0\0\0", 4);
    command.extended = true;
    assert_int_equal(supported_task_functions(&command, bytes), 16);
    assert_memory_equal(bytes, extended, 16);
    guard_free(bytes, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_commands_whole),          cmocka_unit_test(all_commands_with_timeouts),
        cmocka_unit_test(one_command_agrees_with_all), cmocka_unit_test(one_command_service_action_unknown),
        cmocka_unit_test(one_command_with_timeouts),   cmocka_unit_test(commands_the_disk_has_not_got),
        cmocka_unit_test(usage_without_fua),           cmocka_unit_test(usage_is_what_is_decoded),
        cmocka_unit_test(task_functions_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
