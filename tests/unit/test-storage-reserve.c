/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PERSISTENT RESERVE IN and OUT, in core/scsi/storage_reserve.c. */
#include "core/base/bytes.h"
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define LIST_ROOM 512

enum action {
    REGISTER,
    RESERVE,
    RELEASE,
    CLEAR,
    PREEMPT,
    PREEMPT_AND_ABORT,
    REGISTER_AND_IGNORE,
    REGISTER_AND_MOVE,
    REPLACE_LOST,
    ACTIONS,
};

static uint8_t *room; /* LIST_ROOM bytes before a guard page */

static int make_room(void **state)
{
    (void)state;
    room = guard_memory(LIST_ROOM);
    return 0;
}

static struct scsi_device reserving_device(void)
{
    struct scsi_device device = test_device();

    device.persistent_reservations = true;
    return device;
}

/* ---- PERSISTENT RESERVE IN ---- */

static enum storage_step begin_in(struct storage_command *storage, struct scsi_device *device, uint8_t action,
                                  uint16_t allocation_length, uint8_t *data, uint32_t data_length)
{
    struct scsi_command command = {
        .operation = SCSI_PERSISTENT_RESERVE_IN, .service_action = action, .allocation_length = allocation_length};
    struct scsi_sense sense = {0};
    enum storage_step step = storage_begin(storage, device, &command, data, data_length, &sense);

    if (step == STORAGE_REFUSED) {
        assert_int_equal(sense_number(&sense), INVALID_OPCODE);
    }
    return step;
}

static void assert_asks(uint8_t action, uint16_t allocation_length, uint32_t data_length, uint32_t length)
{
    struct scsi_device device = reserving_device();
    uint8_t *data = fresh_tail(room, LIST_ROOM, data_length);
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin_in(&storage, &device, action, allocation_length, data, data_length), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_RESERVE_IN);
    assert_int_equal(storage.request.reservation.service_action, action);
    assert_int_equal(storage.request.reservation.scope_and_type, 0);
    assert_int_equal(storage.request.reservation.cdb_length, allocation_length);
    assert_int_equal(storage.request.offset, 0);
    assert_int_equal(storage.request.length, length);
    assert_int_equal(storage.data_length, 0);
    assert_ptr_equal(storage_reservation_data(&storage), data);
    assert_true(storage_error_matters(&storage));
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_true(storage_has_answer(&storage));
    assert_int_equal(storage_answer_length(&storage), length);
    assert_untouched(room, room + LIST_ROOM);
}

static void reserve_in_every_action(void **state)
{
    (void)state;
    for (uint8_t action = 0; action < 4; action++) {
        assert_asks(action, 24, 24, 24);
    }
}

/* Never more than the initiator takes or has room for; 0 in the CDB is all that it has room for. */
static void reserve_in_every_length(void **state)
{
    (void)state;
    for (uint16_t allocation_length = 0; allocation_length < 40; allocation_length++) {
        for (uint32_t data_length = 1; data_length < 40; data_length++) {
            bool cut = allocation_length != 0 && allocation_length < data_length;

            assert_asks(1, allocation_length, data_length, cut ? allocation_length : data_length);
        }
    }
    assert_asks(0, UINT16_MAX, LIST_ROOM, LIST_ROOM);
}

static void reserve_in_without_room(void **state)
{
    struct scsi_device device = reserving_device();
    struct storage_command storage;

    (void)state;
    assert_int_equal(begin_in(&storage, &device, 0, 24, room, 0), STORAGE_DONE);
    assert_int_equal(begin_in(&storage, &device, 0, 0, NULL, 24), STORAGE_DONE);
    assert_true(storage_has_answer(&storage));
    assert_int_equal(storage_answer_length(&storage), 0);
}

static void reserve_in_on_a_read_only_disk(void **state)
{
    struct scsi_device device = reserving_device();
    struct storage_command storage;

    (void)state;
    device.read_only = true;
    assert_int_equal(begin_in(&storage, &device, 0, 24, room, 24), STORAGE_REQUEST);
    device.persistent_reservations = false;
    assert_int_equal(begin_in(&storage, &device, 0, 24, room, 24), STORAGE_REFUSED);
}

/* A connection that is lost before the answer changes nothing of the request. */
static void reserve_restarted(void **state)
{
    struct scsi_device device = reserving_device();
    struct storage_command storage;

    (void)state;
    assert_int_equal(begin_in(&storage, &device, 2, 24, room, 24), STORAGE_REQUEST);
    storage_restart(&storage);
    assert_int_equal(storage.request.operation, IO_RESERVE_IN);
    assert_int_equal(storage.request.reservation.service_action, 2);
    assert_int_equal(storage.request.length, 24);
}

/* ---- PERSISTENT RESERVE OUT ---- */

/* A list of `length` bytes that ends at the guard page, all 0. */
static uint8_t *zero_list(uint32_t length)
{
    uint8_t *list = fresh_tail(room, LIST_ROOM, length);

    memset(list, 0, length);
    return list;
}

static enum storage_step begin_out(struct storage_command *storage, struct scsi_device *device, uint8_t action,
                                   uint16_t cdb_length, uint8_t *list, uint32_t length, unsigned *refusal)
{
    struct scsi_command command = {.operation = SCSI_PERSISTENT_RESERVE_OUT,
                                   .service_action = action,
                                   .scope_and_type = 0x03,
                                   .parameter_length = cdb_length};
    struct scsi_sense sense = {0};
    enum storage_step step = storage_begin(storage, device, &command, list, length, &sense);

    *refusal = sense_number(&sense);
    return step;
}

/* `refused`: as sense_number has it, 0 when the list is to be taken. */
static void assert_list(uint8_t action, uint16_t cdb_length, uint8_t *list, uint32_t length, unsigned refused)
{
    struct scsi_device device = reserving_device();
    struct storage_command storage;
    struct scsi_sense sense;
    unsigned refusal;
    enum storage_step step = begin_out(&storage, &device, action, cdb_length, list, length, &refusal);

    assert_int_equal(refusal, refused);
    assert_int_equal(step, refused == 0 ? STORAGE_REQUEST : STORAGE_REFUSED);
    if (step == STORAGE_REFUSED) {
        return;
    }
    assert_int_equal(storage.request.operation, IO_RESERVE_OUT);
    assert_int_equal(storage.request.reservation.service_action, action);
    assert_int_equal(storage.request.reservation.scope_and_type, 0x03);
    assert_int_equal(storage.request.reservation.cdb_length, cdb_length);
    assert_int_equal(storage.request.offset, 0);
    assert_int_equal(storage.request.length, cdb_length != 0 && cdb_length < length ? cdb_length : length);
    assert_ptr_equal(storage_reservation_data(&storage), list);
    assert_false(storage_has_answer(&storage));
    assert_true(storage_error_matters(&storage));
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void reserve_out_every_action_and_length(void **state)
{
    (void)state;
    for (uint8_t action = 0; action < ACTIONS; action++) {
        for (uint32_t length = 0; length < 40; length++) {
            bool taken = length == 24 && action != REGISTER_AND_MOVE;
            bool is_move = length == 24 && action == REGISTER_AND_MOVE; /* of the right length, without a TransportID */
            unsigned refused = taken ? 0 : is_move ? INVALID_PARAMETER : PARAMETER_LENGTH;

            assert_list(action, (uint16_t)length, zero_list(length), length, refused);
            assert_list(action, 0, zero_list(length), length, refused);
        }
        assert_list(action, 24, NULL, 0, PARAMETER_LENGTH);
    }
}

/* More was transferred than the CDB says that the list has, or less. */
static void reserve_out_lengths_that_disagree(void **state)
{
    (void)state;
    assert_list(CLEAR, 24, zero_list(LIST_ROOM), LIST_ROOM, 0);
    assert_list(CLEAR, 8, zero_list(24), 24, PARAMETER_LENGTH);
    assert_list(CLEAR, 0x1800, zero_list(24), 24, 0);
    assert_list(CLEAR, 24, zero_list(23), 23, PARAMETER_LENGTH);
}

/* Whatever else is in the list is for the backend, and what is reserved is ignored. */
static void reserve_out_every_bit(void **state)
{
    (void)state;
    for (uint8_t action = 0; action < ACTIONS; action++) {
        for (uint32_t bit = 0; bit < 24 * 8; bit++) {
            bool is_for_others = bit == 20 * 8 + 3;
            uint8_t *list = zero_list(24);
            unsigned refused = 0;

            if (action == REGISTER_AND_MOVE) { /* bytes 20 to 23 say how much follows */
                refused = bit / 8 >= 20 ? PARAMETER_LENGTH : INVALID_PARAMETER;
            } else if (is_for_others && action == REGISTER) {
                refused = PARAMETER_LENGTH;
            } else if (is_for_others && action == REGISTER_AND_IGNORE) {
                refused = INVALID_PARAMETER;
            }
            list[bit / 8] = (uint8_t)(1u << bit % 8);
            assert_list(action, 24, list, 24, refused);
        }
    }
}

/* A TransportID of iSCSI of `length` bytes. */
static void put_iscsi_id(uint8_t *id, uint32_t length)
{
    id[0] = 0x05;
    store_be16(id + 2, (uint16_t)(length - 4));
}

/* A list for REGISTER with `ids_length` bytes of zeroes for TransportIDs: of Fibre Channel, 24 bytes each. */
static uint8_t *list_with_ids(uint32_t ids_length)
{
    uint8_t *list = zero_list(28 + ids_length);

    list[20] = 0x08;
    store_be32(list + 24, ids_length);
    return list;
}

static void register_for_others(void **state)
{
    (void)state;
    for (uint32_t length = 0; length <= 100; length++) {
        unsigned refused = length % 24 == 0 ? 0 : INVALID_PARAMETER;

        assert_list(REGISTER, (uint16_t)(28 + length), list_with_ids(length), 28 + length, refused);
    }
}

static void register_for_others_at_iscsi_ports(void **state)
{
    (void)state;
    for (uint32_t length = 4; length <= 60; length++) {
        uint8_t *list = list_with_ids(24 + length);
        bool is_id = length >= 24 && length % 4 == 0;

        put_iscsi_id(list + 28 + 24, length);
        assert_list(REGISTER, (uint16_t)(52 + length), list, 52 + length, is_id ? 0 : INVALID_PARAMETER);
    }
}

static void register_for_others_cut(void **state)
{
    (void)state;
    for (uint32_t length = 24; length < 28 + 48; length++) {
        uint8_t list[28 + 48];
        uint8_t *cut;

        memcpy(list, list_with_ids(48), sizeof(list));
        cut = zero_list(length);
        memcpy(cut, list, length);
        assert_list(REGISTER, (uint16_t)length, cut, length, PARAMETER_LENGTH);
        assert_list(REGISTER, sizeof(list), cut, length, PARAMETER_LENGTH);
    }
}

static void register_for_others_with_a_wrong_length(void **state)
{
    uint8_t *list = list_with_ids(48);

    (void)state;
    store_be32(list + 24, 24);
    assert_list(REGISTER, 28 + 48, list, 28 + 48, PARAMETER_LENGTH);
    store_be32(list + 24, 48 + 1);
    assert_list(REGISTER, 28 + 48, list, 28 + 48, PARAMETER_LENGTH);
    store_be32(list + 24, UINT32_MAX);
    assert_list(REGISTER, 28 + 48, list, 28 + 48, PARAMETER_LENGTH);
    list = list_with_ids(24);
    put_iscsi_id(list + 28, 28); /* 4 more than there are */
    assert_list(REGISTER, 28 + 24, list, 28 + 24, INVALID_PARAMETER);
}

/* A list for REGISTER AND MOVE with a TransportID of `length` bytes. */
static uint8_t *move_list(uint32_t length)
{
    uint8_t *list = zero_list(24 + length);

    list[15] = 1;
    store_be32(list + 20, length);
    return list;
}

static void move_to_a_port(void **state)
{
    uint8_t *list;

    (void)state;
    for (uint32_t length = 0; length <= 60; length++) {
        bool is_id = length >= 24 && length % 4 == 0;

        assert_list(REGISTER_AND_MOVE, (uint16_t)(24 + length), move_list(length), 24 + length,
                    length == 24 ? 0 : INVALID_PARAMETER);
        list = move_list(length);
        if (length >= 4) {
            put_iscsi_id(list + 24, length);
            assert_list(REGISTER_AND_MOVE, 0, list, 24 + length, is_id ? 0 : INVALID_PARAMETER);
        }
    }
    list = move_list(24);
    list[15] = 0; /* the new owner's key */
    assert_list(REGISTER_AND_MOVE, 48, list, 48, INVALID_PARAMETER);
    list = move_list(24);
    store_be32(list + 20, 23);
    assert_list(REGISTER_AND_MOVE, 48, list, 48, PARAMETER_LENGTH);
}

static void reserve_out_on_a_read_only_disk(void **state)
{
    struct scsi_device device = reserving_device();
    struct storage_command storage;
    unsigned refusal;

    (void)state;
    device.read_only = true;
    for (uint8_t action = 0; action < ACTIONS; action++) {
        assert_int_equal(begin_out(&storage, &device, action, 24, zero_list(24), 24, &refusal), STORAGE_REFUSED);
        assert_int_equal(refusal, WRITE_PROTECTED);
    }
}

static void reserve_out_without_a_backend_for_it(void **state)
{
    struct scsi_device device = test_device();
    struct storage_command storage;
    unsigned refusal;

    (void)state;
    for (unsigned read_only = 0; read_only < 2; read_only++) {
        device.read_only = read_only != 0;
        for (uint8_t action = 0; action < ACTIONS; action++) {
            assert_int_equal(begin_out(&storage, &device, action, 24, zero_list(24), 24, &refusal), STORAGE_REFUSED);
            assert_int_equal(refusal, INVALID_OPCODE);
        }
    }
}

/* ---- Both, from the CDB on ---- */

/* As programs are known to send them: 6 bytes of the CDB and no length in it; a type where it means nothing. */
static void reserve_as_programs_do(void **state)
{
    const uint8_t in[6] = {0x5E, 0x01};
    const uint8_t out[10] = {0x5F, CLEAR, 0x03, 0, 0, 0, 0, 0, 24, 0};
    struct scsi_device device = reserving_device();
    struct storage_command storage;
    struct scsi_command command;
    struct scsi_sense sense;

    (void)state;
    assert_true(cdb_decode(in, sizeof(in), &command, &sense));
    assert_int_equal(storage_begin(&storage, &device, &command, room, 24, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.length, 24);
    assert_int_equal(storage.request.reservation.cdb_length, 0);
    assert_true(cdb_decode(out, sizeof(out), &command, &sense));
    assert_int_equal(storage_begin(&storage, &device, &command, zero_list(24), 24, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.length, 24);
    assert_int_equal(storage.request.reservation.cdb_length, 24);
    assert_int_equal(storage.request.reservation.scope_and_type, 0x03);
}

static void reserve_data_of_other_commands(void **state)
{
    struct scsi_device device = reserving_device();
    struct scsi_command command = {.operation = SCSI_READ, .blocks = 1};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 512, &sense), STORAGE_REQUEST);
    assert_null(storage_reservation_data(&storage));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve_in_every_action),
        cmocka_unit_test(reserve_in_every_length),
        cmocka_unit_test(reserve_in_without_room),
        cmocka_unit_test(reserve_in_on_a_read_only_disk),
        cmocka_unit_test(reserve_restarted),
        cmocka_unit_test(reserve_out_every_action_and_length),
        cmocka_unit_test(reserve_out_lengths_that_disagree),
        cmocka_unit_test(reserve_out_every_bit),
        cmocka_unit_test(register_for_others),
        cmocka_unit_test(register_for_others_at_iscsi_ports),
        cmocka_unit_test(register_for_others_cut),
        cmocka_unit_test(register_for_others_with_a_wrong_length),
        cmocka_unit_test(move_to_a_port),
        cmocka_unit_test(reserve_out_on_a_read_only_disk),
        cmocka_unit_test(reserve_out_without_a_backend_for_it),
        cmocka_unit_test(reserve_as_programs_do),
        cmocka_unit_test(reserve_data_of_other_commands),
    };

    return cmocka_run_group_tests(tests, make_room, NULL);
}
