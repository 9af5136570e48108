/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UNMAP: the part of core/scsi/storage.c that reads a list which somebody else wrote. */
#include "core/scsi/storage.h"
#include "core/base/bytes.h"
#include "tests/unit/scsi_device.h"

#define TWO_TO_32 (UINT64_C(1) << 32)
#define TWO_TO_63 (UINT64_C(1) << 63)
#define SECTOR    UINT64_C(512)

static void assert_trim(const struct storage_command *storage, uint64_t offset, uint32_t length)
{
    assert_int_equal(storage->request.operation, IO_TRIM);
    assert_int_equal(storage->request.flags, 0);
    assert_int_equal(storage->request.offset, offset);
    assert_int_equal(storage->request.length, length);
    assert_int_equal(storage->request.cookie, 0);
}

/* A parameter list of UNMAP with room for `MAX_DESCRIPTORS` descriptors. */
#define MAX_DESCRIPTORS 4095

struct unmap_list {
    uint8_t bytes[8 + MAX_DESCRIPTORS * 16];
    uint32_t descriptors;
};

static uint32_t list_length(const struct unmap_list *list)
{
    return 8 + list->descriptors * 16;
}

static void list_add(struct unmap_list *list, uint64_t lba, uint32_t blocks)
{
    uint8_t *descriptor = list->bytes + list_length(list);

    store_be64(descriptor, lba);
    store_be32(descriptor + 8, blocks);
    list->descriptors++;
    store_be16(list->bytes, (uint16_t)(list_length(list) - 2));
    store_be16(list->bytes + 2, (uint16_t)(list->descriptors * 16));
}

static enum storage_step begin_unmap(struct storage_command *storage, struct scsi_device *device,
                                     struct unmap_list *list, struct scsi_sense *sense)
{
    struct scsi_command command = {.operation = SCSI_UNMAP, .parameter_length = list_length(list)};

    return storage_begin(storage, device, &command, list->bytes, list_length(list), sense);
}

static void assert_list_refused(struct scsi_device *device, struct unmap_list *list, unsigned number)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(begin_unmap(&storage, device, list, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
}

static void assert_list_done(struct scsi_device *device, struct unmap_list *list)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(begin_unmap(&storage, device, list, &sense), STORAGE_DONE);
}

/* Without any list. */
static void assert_command(struct scsi_device *device, struct scsi_command command, enum storage_step expected,
                           unsigned number)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(storage_begin(&storage, device, &command, NULL, command.parameter_length, &sense), expected);
    assert_int_equal(sense_number(&sense), number);
}

static void unmap_one_range(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    list_add(&list, 2, 1);
    assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
    assert_trim(&storage, 1024, 512);
    assert_int_equal(storage.data_length, 0);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void unmap_nothing(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = {.operation = SCSI_UNMAP};
    struct unmap_list list = {.descriptors = 0};

    (void)state;
    assert_command(&device, command, STORAGE_DONE, 0); /* no parameter list */
    store_be16(list.bytes, 6);
    assert_list_done(&device, &list); /* a header alone */
    list_add(&list, 7, 0);
    list_add(&list, 2048, 0);
    assert_list_done(&device, &list);
}

static void unmap_many_ranges(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;
    enum storage_step step;
    uint32_t requests = 0;

    (void)state;
    device.max_unmap_descriptors = MAX_DESCRIPTORS;
    for (uint32_t i = 0; i < MAX_DESCRIPTORS; i++) {
        list_add(&list, i % 2000, i % 3); /* every third is empty */
    }
    for (step = begin_unmap(&storage, &device, &list, &sense); step == STORAGE_REQUEST;
         step = storage_next(&storage, &sense)) {
        uint32_t i = requests / 2 * 3 + requests % 2 + 1;

        assert_trim(&storage, (i % 2000) * SECTOR, (i % 3) * 512);
        requests++;
    }
    assert_int_equal(step, STORAGE_DONE);
    assert_int_equal(requests, MAX_DESCRIPTORS / 3 * 2);
}

static void unmap_too_many_descriptors(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.max_unmap_descriptors = 1;
    list_add(&list, 0, 1);
    assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
    list_add(&list, 1, 1);
    assert_list_refused(&device, &list, INVALID_PARAMETER);
    device.max_unmap_descriptors = UINT32_MAX;
    assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
}

/* The limit is for the command, not for one descriptor. */
static void unmap_too_many_blocks(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.max_unmap_blocks = 100;
    list_add(&list, 0, 60);
    list_add(&list, 0, 40);
    assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
    list_add(&list, 0, 1);
    assert_list_refused(&device, &list, INVALID_PARAMETER);
    device.max_unmap_blocks = UINT32_MAX - 1;
    device.block_count = TWO_TO_32;
    list_add(&list, 0, UINT32_MAX); /* the sum is 100 in 32 bits */
    assert_list_refused(&device, &list, INVALID_PARAMETER);
}

static void assert_unmap_out_of_range(struct scsi_device *device, uint64_t lba, uint32_t blocks, uint64_t information)
{
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense = {0};

    list_add(&list, 0, 1);
    list_add(&list, lba, blocks);
    assert_int_equal(begin_unmap(&storage, device, &list, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), OUT_OF_RANGE);
    assert_true(sense.information_valid);
    assert_int_equal(sense.information, information);
}

static void unmap_past_the_end(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    list_add(&list, 2047, 1); /* the last block is one that can be unmapped */
    assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
    assert_trim(&storage, 2047 * SECTOR, 512);
    assert_unmap_out_of_range(&device, 2048, 1, 2048);
    assert_unmap_out_of_range(&device, 2047, 2, 2048);
    assert_unmap_out_of_range(&device, 2049, 0, 2049);
    assert_unmap_out_of_range(&device, 0, UINT32_MAX, 2048);
    assert_unmap_out_of_range(&device, TWO_TO_32, 1, TWO_TO_32);
    assert_unmap_out_of_range(&device, TWO_TO_63, 1, TWO_TO_63);
    assert_unmap_out_of_range(&device, UINT64_MAX, 1, UINT64_MAX);
    assert_unmap_out_of_range(&device, UINT64_MAX - 1, UINT32_MAX, UINT64_MAX - 1);
}

/* One range of `blocks` becomes requests that follow each other and cover it. */
static void assert_split(struct scsi_device *device, uint64_t lba, uint32_t blocks)
{
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;
    uint64_t at = lba * device->block_size;
    uint64_t left = (uint64_t)blocks * device->block_size;
    enum storage_step step;

    list_add(&list, lba, blocks);
    for (step = begin_unmap(&storage, device, &list, &sense); step == STORAGE_REQUEST;
         step = storage_next(&storage, &sense)) {
        uint32_t length = left > STORAGE_TRIM_MAX ? STORAGE_TRIM_MAX : (uint32_t)left;

        assert_trim(&storage, at, length);
        assert_int_not_equal(length, 0);
        at += length;
        left -= length;
    }
    assert_int_equal(step, STORAGE_DONE);
    assert_int_equal(left, 0);
}

static void unmap_split_at_4_gib(void **state)
{
    struct scsi_device device = test_device();
    const uint32_t four_gib = (uint32_t)(TWO_TO_32 / 512);

    (void)state;
    device.block_count = UINT64_MAX / SECTOR;
    assert_split(&device, 1, STORAGE_TRIM_MAX / 512 - 1);
    assert_split(&device, 1, STORAGE_TRIM_MAX / 512);
    assert_split(&device, 1, STORAGE_TRIM_MAX / 512 + 1);
    assert_split(&device, 1, four_gib - 1); /* 2^32 bytes less a block: the last that 32 bits hold */
    assert_split(&device, 1, four_gib);
    assert_split(&device, 1, four_gib + 1);
    assert_split(&device, 1, UINT32_MAX);
    assert_split(&device, device.block_count - UINT32_MAX, UINT32_MAX);
    device.block_size = 4096;
    device.block_count = UINT64_MAX / 4096;
    assert_split(&device, 0, UINT32_MAX);
    assert_split(&device, device.block_count - UINT32_MAX, UINT32_MAX);
}

static void unmap_not_supported(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = {.operation = SCSI_UNMAP, .parameter_length = 24, .anchor = true};

    (void)state;
    assert_command(&device, command, STORAGE_REFUSED, INVALID_FIELD);
    device.unmap = false;
    assert_command(&device, command, STORAGE_REFUSED, INVALID_OPCODE);
    command.anchor = false;
    assert_command(&device, command, STORAGE_REFUSED, INVALID_OPCODE);
    command.parameter_length = 0;
    assert_command(&device, command, STORAGE_REFUSED, INVALID_OPCODE);
}

/* The list is cut at each length, by the CDB and by the initiator's buffer; nothing behind the cut is read. */
static void unmap_list_cut_short(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct scsi_command command = {.operation = SCSI_UNMAP};

    (void)state;
    list_add(&list, 1, 1);
    list_add(&list, 2, 2);
    for (uint32_t length = 0; length <= list_length(&list); length++) {
        uint8_t *parameters = guard_copy(list.bytes, length);
        struct storage_command storage;
        struct scsi_sense sense = {0};
        enum storage_step expected = length == 0                    ? STORAGE_DONE
                                     : length == list_length(&list) ? STORAGE_REQUEST
                                                                    : STORAGE_REFUSED;

        command.parameter_length = length;
        assert_int_equal(storage_begin(&storage, &device, &command, parameters, length, &sense), expected);
        assert_int_equal(sense_number(&sense), expected == STORAGE_REFUSED ? PARAMETER_LENGTH : 0);
        while (expected == STORAGE_REQUEST && storage_next(&storage, &sense) == STORAGE_REQUEST) {
            assert_trim(&storage, 1024, 1024);
        }
        command.parameter_length = list_length(&list);
        if (length < list_length(&list)) { /* the CDB promises more than there is */
            assert_int_equal(storage_begin(&storage, &device, &command, parameters, length, &sense), STORAGE_REFUSED);
            assert_int_equal(sense_number(&sense), PARAMETER_LENGTH);
        }
        guard_free(parameters, length);
    }
    assert_command(&device, command, STORAGE_REFUSED, PARAMETER_LENGTH); /* no buffer at all */
}

static void assert_header(uint16_t data_length, uint16_t descriptors_length, unsigned number)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};

    list_add(&list, 0, 1);
    list_add(&list, 1, 1);
    store_be16(list.bytes, data_length);
    store_be16(list.bytes + 2, descriptors_length);
    assert_list_refused(&device, &list, number);
}

/* The list is 8 + 2 * 16 bytes: UNMAP DATA LENGTH 38, UNMAP BLOCK DESCRIPTOR DATA LENGTH 32. */
static void unmap_header_lengths_wrong(void **state)
{
    (void)state;
    assert_header(39, 32, PARAMETER_LENGTH);
    assert_header(0xFFFF, 32, PARAMETER_LENGTH);
    assert_header(38, 33, PARAMETER_LENGTH);
    assert_header(38, 48, PARAMETER_LENGTH);
    assert_header(0xFFFF, 0xFFFF, PARAMETER_LENGTH);
    assert_header(37, 32, INVALID_PARAMETER);
    assert_header(0, 32, INVALID_PARAMETER);
    assert_header(0, 16, INVALID_PARAMETER);
}

/* An incomplete last descriptor is ignored, and a list may be longer than what it uses. */
static void unmap_incomplete_descriptor(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    list_add(&list, 5, 1);
    list_add(&list, UINT64_MAX, 1);
    for (uint16_t length = 0; length < 32; length++) {
        store_be16(list.bytes + 2, length);
        if (length < 16) {
            assert_list_done(&device, &list);
            continue;
        }
        assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
        assert_trim(&storage, 5 * SECTOR, 512);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    }
}

/* The sender can still write to the list: what was good at the beginning is looked at again. */
static void unmap_list_changed_meanwhile(void **state)
{
    struct scsi_device device = test_device();
    struct unmap_list list = {.descriptors = 0};
    struct storage_command storage;
    struct scsi_sense sense = {0};

    (void)state;
    list_add(&list, 0, 1);
    list_add(&list, 1, 1);
    assert_int_equal(begin_unmap(&storage, &device, &list, &sense), STORAGE_REQUEST);
    store_be64(list.bytes + 8, UINT64_MAX); /* the first has been taken: too late */
    store_be64(list.bytes + 24, 2047);
    store_be32(list.bytes + 32, 2);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), OUT_OF_RANGE);
    assert_int_equal(sense.information, 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmap_one_range),
        cmocka_unit_test(unmap_nothing),
        cmocka_unit_test(unmap_many_ranges),
        cmocka_unit_test(unmap_too_many_descriptors),
        cmocka_unit_test(unmap_too_many_blocks),
        cmocka_unit_test(unmap_past_the_end),
        cmocka_unit_test(unmap_split_at_4_gib),
        cmocka_unit_test(unmap_not_supported),
        cmocka_unit_test(unmap_list_cut_short),
        cmocka_unit_test(unmap_header_lengths_wrong),
        cmocka_unit_test(unmap_incomplete_descriptor),
        cmocka_unit_test(unmap_list_changed_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
