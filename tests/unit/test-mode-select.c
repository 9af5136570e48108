/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/mode.h"
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define CACHING(wce)     0x08, 0x12, wce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define CONTROL(d_sense) 0x0A, 0x0A, d_sense, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0
#define RECOVERY         0x01, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define EXCEPTIONS       0x1C, 0x0A, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define THRESHOLDS       0x5C, 0x02, 0, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0
#define HEADER_6         0, 0, 0, 0
#define HEADER_10        0, 0, 0, 0, 0, 0, 0, 0

#define WHOLE(list) list, sizeof(list)

static bool select_list(struct scsi_device *device, bool ten, const uint8_t *list, size_t length,
                        struct scsi_sense *sense)
{
    struct scsi_command command = {.operation = ten ? SCSI_MODE_SELECT_10 : SCSI_MODE_SELECT_6,
                                   .parameter_length = (uint32_t)length};
    uint8_t *copy = guard_copy(list, length);
    bool accepted;

    *sense = (struct scsi_sense){0};
    accepted = mode_select(device, &command, copy, (uint32_t)length, sense);
    guard_free(copy, length);
    return accepted;
}

static void assert_modes(const struct scsi_device *device, bool write_through, bool descriptor_sense)
{
    assert_int_equal(device_writes_through(device), write_through);
    assert_int_equal(device_descriptor_sense(device), descriptor_sense);
}

static void assert_accepted(struct scsi_device *device, bool ten, const uint8_t *list, size_t length)
{
    struct scsi_sense sense;

    assert_true(select_list(device, ten, list, length, &sense));
}

/* Nothing of a list that is refused is done. */
static void assert_refused(struct scsi_device *device, bool ten, const uint8_t *list, size_t length, unsigned number)
{
    struct scsi_device before = *device;
    struct scsi_sense sense;

    assert_false(select_list(device, ten, list, length, &sense));
    assert_int_equal(sense_number(&sense), number);
    assert_modes(device, device_writes_through(&before), device_descriptor_sense(&before));
}

static void cache_off_and_on(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t off[] = {HEADER_6, CACHING(0)};
    const uint8_t on[] = {HEADER_10, CACHING(4)};

    (void)state;
    assert_accepted(&device, false, WHOLE(off));
    assert_modes(&device, true, false);
    assert_accepted(&device, false, WHOLE(off));
    assert_modes(&device, true, false);
    assert_accepted(&device, true, WHOLE(on));
    assert_modes(&device, false, false);
}

static void descriptor_sense_on_and_off(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t on[] = {HEADER_10, CONTROL(4)};
    const uint8_t off[] = {HEADER_6, CONTROL(0)};

    (void)state;
    assert_accepted(&device, true, WHOLE(on));
    assert_modes(&device, false, true);
    assert_accepted(&device, false, WHOLE(off));
    assert_modes(&device, false, false);
}

static void several_pages(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t all[] = {HEADER_6, RECOVERY, CACHING(0), CONTROL(4), EXCEPTIONS};
    const uint8_t other_order[] = {HEADER_10, CONTROL(0), EXCEPTIONS, CACHING(4)};
    const uint8_t twice[] = {HEADER_10, CACHING(0), CACHING(4), CACHING(0)};

    (void)state;
    assert_accepted(&device, false, WHOLE(all));
    assert_modes(&device, true, true);
    assert_accepted(&device, true, WHOLE(other_order));
    assert_modes(&device, false, false);
    assert_accepted(&device, true, WHOLE(twice));
    assert_modes(&device, true, false);
}

/* What MODE SENSE gives, MODE SELECT takes, whatever the modes are. */
static void as_sensed(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command sense_all = {.operation = SCSI_MODE_SENSE_10, .page = 0x3F, .subpage = 0xFF};

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        uint8_t list[MODE_ANSWER_MAX] = {0};
        struct scsi_sense sense;
        uint32_t length;

        device.write_cache = (i & 4) != 0;
        device.read_only = (i & 8) != 0;
        device.write_through = device.write_cache && (i & 1) != 0;
        device.descriptor_sense = (i & 2) != 0;
        device.threshold_exponent = (i & 16) != 0;
        length = mode_sense(&device, &sense_all, list, &sense);
        assert_int_equal(length, (i & 16) != 0 ? MODE_ANSWER_MAX : MODE_ANSWER_MAX - 24);
        assert_accepted(&device, true, list, length);
        assert_modes(&device, device.write_cache && (i & 1) != 0, (i & 2) != 0);
    }
}

static void list_cut_at_each_length(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0, CACHING(0), CONTROL(4)};
    const uint8_t ten[] = {0, 0, 0, 0, 1, 0, 0, 16, 0, 0, 0, 0,          0,
                           0, 0, 0, 0, 0, 0, 0, 0,  0, 2, 0, CACHING(0), CONTROL(4)};
    const size_t six_whole[] = {0, 12, 32, 44};
    const size_t ten_whole[] = {0, 24, 44, 56};

    (void)state;
    for (size_t length = 0; length <= sizeof(ten); length++) {
        const size_t *whole = length <= sizeof(six) ? six_whole : NULL;
        bool six_is_whole =
            whole != NULL && (length == whole[0] || length == whole[1] || length == whole[2] || length == whole[3]);
        bool ten_is_whole =
            length == ten_whole[0] || length == ten_whole[1] || length == ten_whole[2] || length == ten_whole[3];

        device_reset_modes(&device);
        if (six_is_whole) {
            assert_accepted(&device, false, six, length);
            assert_modes(&device, length >= 32, length >= 44);
        } else if (whole != NULL) {
            assert_refused(&device, false, six, length, PARAMETER_LENGTH);
        }
        device_reset_modes(&device);
        if (ten_is_whole) {
            assert_accepted(&device, true, ten, length);
            assert_modes(&device, length >= 44, length >= 56);
        } else {
            assert_refused(&device, true, ten, length, PARAMETER_LENGTH);
        }
    }
}

/* The mode data length and the device-specific parameter say nothing to MODE SELECT. */
static void header_fields(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t ignored_6[] = {0xFF, 0, 0xFF, 0};
    const uint8_t ignored_10[] = {0xFF, 0xFF, 0, 0xFF, 0xFE, 0xFF, 0, 0};
    const uint8_t medium_6[] = {0, 1, 0, 0};
    const uint8_t medium_10[] = {0, 0, 1, 0, 0, 0, 0, 0};

    (void)state;
    assert_accepted(&device, false, WHOLE(ignored_6));
    assert_accepted(&device, true, WHOLE(ignored_10));
    assert_refused(&device, false, WHOLE(medium_6), INVALID_PARAMETER);
    assert_refused(&device, true, WHOLE(medium_10), INVALID_PARAMETER);
}

static void descriptor_lengths(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (unsigned length = 1; length < 256; length++) {
        uint8_t six[4 + 255] = {0, 0, 0, (uint8_t)length, [10] = 2};
        uint8_t ten[8 + 255] = {0, 0, 0, 0, 0, 0, 0, (uint8_t)length, [14] = 2};
        uint8_t longlba[8 + 255] = {0, 0, 0, 0, 1, 0, 0, (uint8_t)length, [22] = 2};

        if (length == 8) {
            assert_accepted(&device, false, six, 12);
            assert_accepted(&device, true, ten, 16);
        } else {
            assert_refused(&device, false, six, sizeof(six), INVALID_PARAMETER);
            assert_refused(&device, true, ten, sizeof(ten), INVALID_PARAMETER);
        }
        if (length == 16) {
            assert_accepted(&device, true, longlba, 24);
        } else {
            assert_refused(&device, true, longlba, sizeof(longlba), INVALID_PARAMETER);
        }
    }
}

static void assert_short(struct scsi_device *device, const char *descriptor, bool accepted)
{
    uint8_t list[12] = {0, 0, 0, 8};

    memcpy(list + 4, descriptor, 8);
    if (accepted) {
        assert_accepted(device, false, WHOLE(list));
    } else {
        assert_refused(device, false, WHOLE(list), INVALID_PARAMETER);
    }
}

static void assert_long(struct scsi_device *device, const char *descriptor, bool accepted)
{
    uint8_t list[24] = {0, 0, 0, 0, 1, 0, 0, 16};

    memcpy(list + 8, descriptor, 16);
    if (accepted) {
        assert_accepted(device, true, WHOLE(list));
    } else {
        assert_refused(device, true, WHOLE(list), INVALID_PARAMETER);
    }
}

static void descriptor_of_another_disk(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_short(&device, "\0\0\x08\0\0\0\x02\0", true);
    assert_short(&device, "\xFF\xFF\xFF\xFF\0\0\x02\0", true);
    assert_short(&device, "\0\0\x08\x01\0\0\x02\0", false);
    assert_short(&device, "\0\0\0\0\0\0\x10\0", false);
    assert_short(&device, "\0\0\0\0\0\0\0\0", false);
    device.block_size = 4096;
    assert_short(&device, "\0\0\0\0\0\0\x10\0", true);
    device.block_count = UINT64_C(1) << 51;
    assert_long(&device, "\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\x10\0", true);
    assert_long(&device, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0", true);
    assert_long(&device, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0\0\0\x10\0", true);
    assert_long(&device, "\0\0\0\0\xFF\xFF\xFF\xFF\0\0\0\0\0\0\x10\0", false);
    assert_long(&device, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0", false);
}

/* Each bit of each page but the two, one after the other; then each page's length. */
static void fields_that_cannot_be_changed(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t pages[][20] = {{RECOVERY}, {CACHING(4)}, {CONTROL(0)}, {EXCEPTIONS}};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(pages); i++) {
        uint32_t length = pages[i][1] + 2u;

        for (unsigned bit = 8; bit < length * 8; bit++) {
            uint8_t list[4 + 20 + 12] = {0};
            bool changeable = (i == 1 || i == 2) && bit == 18;

            memcpy(list + 4, pages[i], 20);
            list[4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (changeable) {
                assert_accepted(&device, false, list, 4 + length);
                device_reset_modes(&device);
            } else {
                assert_refused(&device, false, list, 4 + length, INVALID_PARAMETER);
            }
        }
    }
}

static void page_header(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t list[] = {HEADER_6, CACHING(4)};
        bool is_caching = (byte & 0x7F) == 0x08; /* PS is reserved */

        list[4] = (uint8_t)byte;
        if (is_caching) {
            assert_accepted(&device, false, WHOLE(list));
        } else {
            assert_refused(&device, false, WHOLE(list), INVALID_PARAMETER);
        }
    }
}

/* As it is, the page with a subpage code is taken; nothing of it can be changed. */
static void thresholds_as_they_are(void **state)
{
    struct scsi_device device = test_device();
    uint8_t list[] = {HEADER_6, THRESHOLDS, CACHING(0)};

    (void)state;
    assert_refused(&device, false, WHOLE(list), INVALID_PARAMETER); /* it has no such page */
    device.threshold_exponent = 1;
    for (size_t length = 5; length < 28; length++) {
        assert_refused(&device, false, list, length, PARAMETER_LENGTH);
    }
    for (unsigned bit = 0; bit < 24 * 8; bit++) {
        list[4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (bit == 7) { /* PS is reserved */
            assert_accepted(&device, false, list, 28);
        } else {
            assert_refused(&device, false, list, 28, INVALID_PARAMETER);
        }
        list[4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_accepted(&device, false, WHOLE(list));
    assert_modes(&device, true, false);
}

/* The list is refused for its last page, and the first ones have done nothing. */
static void all_or_nothing(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t list[] = {HEADER_6, CACHING(0), CONTROL(4), 0x1C, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t cut[] = {HEADER_6, CACHING(0), 0x0A};

    (void)state;
    assert_refused(&device, false, WHOLE(list), INVALID_PARAMETER);
    assert_modes(&device, false, false);
    assert_refused(&device, false, WHOLE(cut), PARAMETER_LENGTH);
    assert_modes(&device, false, false);
}

static void disk_without_cache(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t on[] = {HEADER_6, CACHING(4)};
    const uint8_t off[] = {HEADER_6, CACHING(0)};

    (void)state;
    device.write_cache = false;
    assert_refused(&device, false, WHOLE(on), INVALID_PARAMETER);
    assert_accepted(&device, false, WHOLE(off));
    assert_modes(&device, false, false);
}

/* ---- As a command ---- */

static enum storage_step begin(struct storage_command *storage, struct scsi_device *device, uint8_t *list,
                               uint32_t length, uint32_t data_length, struct scsi_sense *sense)
{
    struct scsi_command command = {.operation = SCSI_MODE_SELECT_6, .parameter_length = length};

    return storage_begin(storage, device, &command, list, data_length, sense);
}

/* What was written with the cache on is flushed when it is turned off, once. */
static void cache_off_flushes(void **state)
{
    struct scsi_device device = test_device();
    uint8_t off[] = {HEADER_6, CACHING(0)};
    uint8_t on[] = {HEADER_6, CACHING(4)};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, off, 24, 24, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_FLUSH);
    assert_true(device_writes_through(&device));
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_int_equal(begin(&storage, &device, off, 24, 24, &sense), STORAGE_DONE);
    assert_int_equal(begin(&storage, &device, on, 24, 24, &sense), STORAGE_DONE);
    device.read_only = true;
    assert_int_equal(begin(&storage, &device, off, 24, 24, &sense), STORAGE_DONE);
}

static void list_longer_than_what_is_sent(void **state)
{
    struct scsi_device device = test_device();
    uint8_t off[] = {HEADER_6, CACHING(0)};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, NULL, 0, 0, &sense), STORAGE_DONE);
    assert_int_equal(begin(&storage, &device, off, 24, 23, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), PARAMETER_LENGTH);
    assert_int_equal(begin(&storage, &device, NULL, 24, 24, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), PARAMETER_LENGTH);
    assert_modes(&device, false, false);
}

static void assert_write(struct scsi_device *device, bool fua, uint32_t flags, bool flushes)
{
    struct scsi_command command = {.operation = SCSI_WRITE, .lba = 1, .blocks = 2, .fua = fua};
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(storage_begin(&storage, device, &command, NULL, 1024, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_WRITE);
    assert_int_equal(storage.request.flags, flags);
    if (flushes) {
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        assert_int_equal(storage.request.operation, IO_FLUSH);
    }
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void writes_without_cache_go_through(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (unsigned fua = 0; fua < 2; fua++) {
        device.write_through = 1;
        device.fua = true;
        device.fua_by_flush = false;
        assert_write(&device, fua != 0, IO_FUA, false);
        device.fua_by_flush = true;
        assert_write(&device, fua != 0, 0, true);
        device.fua_by_flush = false;
        device.fua = false;
        assert_write(&device, fua != 0, 0, true);
        device.write_through = 0;
        assert_write(&device, fua != 0, 0, false);
    }
}

/* Also zeroes, which begin again when the flush after them is lost with its connection. */
static void zeroes_without_cache_go_through(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = {.operation = SCSI_WRITE_SAME, .lba = 3, .blocks = 5, .no_data = true};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.write_zeroes = true;
    device.max_write_same_blocks = 100;
    device.max_request_blocks = 3;
    device.write_through = 1;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.flags, IO_NO_HOLE | IO_FUA);
    device.fua_by_flush = true;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_REQUEST);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(storage.request.operation, IO_WRITE_ZEROES);
        assert_int_equal(storage.request.flags, IO_NO_HOLE);
        assert_int_equal(storage.request.offset, 3 * 512);
        assert_int_equal(storage.request.length, 3 * 512);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        assert_int_equal(storage.request.flags, IO_NO_HOLE);
        assert_int_equal(storage.request.offset, 6 * 512);
        assert_int_equal(storage.request.length, 2 * 512);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        assert_int_equal(storage.request.operation, IO_FLUSH);
        assert_int_equal(storage.request.flags, 0);
        if (i == 0) {
            storage_restart(&storage);
        }
    }
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_off_and_on),
        cmocka_unit_test(descriptor_sense_on_and_off),
        cmocka_unit_test(several_pages),
        cmocka_unit_test(as_sensed),
        cmocka_unit_test(list_cut_at_each_length),
        cmocka_unit_test(header_fields),
        cmocka_unit_test(descriptor_lengths),
        cmocka_unit_test(descriptor_of_another_disk),
        cmocka_unit_test(fields_that_cannot_be_changed),
        cmocka_unit_test(page_header),
        cmocka_unit_test(thresholds_as_they_are),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(disk_without_cache),
        cmocka_unit_test(cache_off_flushes),
        cmocka_unit_test(list_longer_than_what_is_sent),
        cmocka_unit_test(writes_without_cache_go_through),
        cmocka_unit_test(zeroes_without_cache_go_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
