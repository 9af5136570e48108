/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/inquiry.h"
#include "tests/unit/scsi_device.h"

static void assert_page(const struct scsi_device *device, uint8_t page, const void *expected, uint32_t length)
{
    uint8_t bytes[INQUIRY_ANSWER_MAX] = {0};

    assert_int_equal(inquiry_page(device, page, bytes), length);
    assert_memory_equal(bytes, expected, length);
}

static void assert_no_page(const struct scsi_device *device, uint8_t page)
{
    uint8_t bytes[INQUIRY_ANSWER_MAX] = {0};

    assert_int_equal(inquiry_page(device, page, bytes), 0);
}

static void standard_whole(void **state)
{
    struct scsi_device device = test_device();
    uint8_t bytes[INQUIRY_ANSWER_MAX] = {0};

    (void)state;
    assert_int_equal(inquiry_standard(&device, bytes), 96);
    assert_memory_equal(bytes, "\x00\x00\x06\x02\x5B\x00\x00\x02WNBD    WNBD_DISK       0.8 ", 36);
    assert_memory_equal(bytes + 36, (const uint8_t[22]){0}, 22);
    assert_memory_equal(bytes + 58, "\x00\xA0\x04\x60\x04\xC0", 6); /* SAM-5, SPC-4, SBC-3 */
    assert_memory_equal(bytes + 64, (const uint8_t[32]){0}, 32);
}

static void supported_pages_listed(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_page(&device, 0x00, "\x00\x00\x00\x07\x00\x80\x83\x86\xB0\xB1\xB2", 11);
    device.naa_length = 0;
    assert_page(&device, 0x00, "\x00\x00\x00\x07\x00\x80\x83\x86\xB0\xB1\xB2", 11);
    device.serial_length = 248; /* and now there is no designator left */
    assert_page(&device, 0x00, "\x00\x00\x00\x06\x00\x80\x86\xB0\xB1\xB2", 10);
}

/* A page answers if and only if page 00 lists it. */
static void pages_not_listed(void **state)
{
    struct scsi_device device = test_device();
    uint8_t list[INQUIRY_ANSWER_MAX] = {0};
    uint32_t length = inquiry_page(&device, 0x00, list);

    (void)state;
    for (unsigned page = 0; page < 256; page++) {
        uint8_t bytes[INQUIRY_ANSWER_MAX] = {0};
        bool listed = memchr(list + 4, (int)page, length - 4) != NULL;
        uint32_t answered = inquiry_page(&device, (uint8_t)page, bytes);

        assert_int_equal(answered != 0, listed);
        if (listed) {
            assert_int_equal(bytes[0], 0);
            assert_int_equal(bytes[1], page);
            assert_int_equal(bytes[2] << 8 | bytes[3], answered - 4);
        }
    }
}

static void serial_as_given(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_page(&device, 0x80, "\x00\x80\x00\x05vol-a", 9);
    device.serial[0] = 0xC3; /* no character is changed, dropped or added */
    device.serial[1] = 0xA4;
    assert_page(&device, 0x80, "\x00\x80\x00\x05\xC3\xA4l-a", 9);
}

static void serial_longest(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[4 + 255] = {0x00, 0x80, 0x00, 0xFF};

    (void)state;
    device.serial_length = 255;
    memset(device.serial, 'x', sizeof(device.serial));
    memset(expected + 4, 'x', 255);
    assert_page(&device, 0x80, expected, sizeof(expected));
}

static void identification_naa_and_vendor(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_page(&device, 0x83,
                "\x00\x83\x00\x51"
                "\x01\x03\x00\x10\x60\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"
                "\x02\x01\x00\x0DWNBD    vol-a"
                "\x03\x08\x00\x28naa.600102030405060708090A0B0C0D0E0F\0\0\0",
                4 + 20 + 17 + 44);
    device.naa_length = 8;
    device.naa[0] = 0x3A;
    device.naa[7] = 0xFF;
    assert_page(&device, 0x83,
                "\x00\x83\x00\x39"
                "\x01\x03\x00\x08\x3A\x01\x02\x03\x04\x05\x06\xFF"
                "\x02\x01\x00\x0DWNBD    vol-a"
                "\x03\x08\x00\x18naa.3A010203040506FF\0\0\0",
                4 + 12 + 17 + 28);
}

static void identification_naa_alone(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.naa_alone = true;
    assert_page(&device, 0x83,
                "\x00\x83\x00\x14"
                "\x01\x03\x00\x10\x60\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F",
                4 + 20);
    device.naa_length = 8;
    device.naa[0] = 0x50;
    assert_page(&device, 0x83, "\x00\x83\x00\x0C\x01\x03\x00\x08\x50\x01\x02\x03\x04\x05\x06\x07", 4 + 12);
}

static void identification_vendor_alone(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.naa_length = 0;
    assert_page(&device, 0x83, "\x00\x83\x00\x11\x02\x01\x00\x0DWNBD    vol-a", 4 + 17);
    device.serial[4] = 0x80; /* not a character that an ASCII designator may have */
    assert_page(&device, 0x83, "\x00\x83\x00\x11\x01\x01\x00\x0DWNBD    vol-\x80", 4 + 17);
    device.serial[4] = 0x7F;
    assert_page(&device, 0x83, "\x00\x83\x00\x11\x01\x01\x00\x0DWNBD    vol-\x7F", 4 + 17);
    device.serial[4] = 0x1F;
    assert_page(&device, 0x83, "\x00\x83\x00\x11\x01\x01\x00\x0DWNBD    vol-\x1F", 4 + 17);
}

static void identification_serial_too_long(void **state)
{
    struct scsi_device device = test_device();
    uint8_t bytes[INQUIRY_ANSWER_MAX] = {0};

    (void)state;
    memset(device.serial, 'x', sizeof(device.serial));
    device.serial_length = 247; /* with the vendor id the 255 bytes a designator may have */
    assert_int_equal(inquiry_page(&device, 0x83, bytes), INQUIRY_ANSWER_MAX);
    assert_int_equal(bytes[24 + 3], 255);
    memset(bytes, 0, sizeof(bytes));
    device.serial_length = 248; /* never cut: two disks could be one then */
    assert_int_equal(inquiry_page(&device, 0x83, bytes), 24 + 44);
    device.naa_length = 0;
    assert_no_page(&device, 0x83);
    device.serial_length = 5;
    device.naa_alone = true;
    assert_no_page(&device, 0x83);
}

static void extended_inquiry_whole(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[64] = {0x00, 0x86, 0x00, 0x3C, [5] = 0x01, [6] = 0x01, [13] = 20};

    (void)state;
    assert_page(&device, 0x86, expected, sizeof(expected));
    device.write_cache = false;
    expected[6] = 0;
    assert_page(&device, 0x86, expected, sizeof(expected));
}

static void block_limits_whole(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[64] = {0x00, 0xB0, 0x00, 0x3C};

    (void)state;
    memcpy(expected + 8, "\x00\x00\x10\x00", 4); /* maximum transfer length */
    memset(expected + 20, 0xFF, 4);              /* maximum unmap LBA count */
    memcpy(expected + 24, "\x00\x00\x01\x00", 4);
    assert_page(&device, 0xB0, expected, sizeof(expected));

    device.optimal_transfer_blocks = 0x01020304;
    device.physical_block_exponent = 15;
    device.unmap_granularity_blocks = 128;
    memcpy(expected + 6, "\x80\x00", 2);
    memcpy(expected + 12, "\x01\x02\x03\x04", 4);
    memcpy(expected + 28, "\x00\x00\x00\x80\x80\x00\x00\x00", 8);
    assert_page(&device, 0xB0, expected, sizeof(expected));
}

static void block_limits_without_unmap(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[64] = {0x00, 0xB0, 0x00, 0x3C, [10] = 0x10};

    (void)state;
    device.unmap = false;
    device.unmap_granularity_blocks = 128;
    assert_page(&device, 0xB0, expected, sizeof(expected));
}

static void block_limits_with_write_same(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[64] = {0x00, 0xB0, 0x00, 0x3C, 0x01, [10] = 0x10};

    (void)state;
    device.unmap = false;
    device.write_zeroes = true;
    device.max_write_same_blocks = 0x01020304;
    memcpy(expected + 36, "\x00\x00\x00\x00\x01\x02\x03\x04", 8); /* maximum write same length */
    assert_page(&device, 0xB0, expected, sizeof(expected));
}

static void block_limits_with_prefetch(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[64] = {0x00, 0xB0, 0x00, 0x3C, [10] = 0x10};

    (void)state;
    device.unmap = false;
    device.cache = true;
    memcpy(expected + 16, "\x00\x00\x10\x00", 4); /* maximum prefetch length */
    assert_page(&device, 0xB0, expected, sizeof(expected));
}

static void characteristics_whole(void **state)
{
    struct scsi_device device = test_device();
    uint8_t expected[64] = {0x00, 0xB1, 0x00, 0x3C, [8] = 0x02};

    (void)state;
    assert_page(&device, 0xB1, expected, sizeof(expected));
    device.fua = false;
    expected[8] = 0x00;
    assert_page(&device, 0xB1, expected, sizeof(expected));
    device.byte_check = true;
    expected[8] = 0x01;
    assert_page(&device, 0xB1, expected, sizeof(expected));
    device.rotational = true;
    expected[4] = 0x1C;
    expected[5] = 0x20;
    assert_page(&device, 0xB1, expected, sizeof(expected));
}

static void provisioning_whole(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_page(&device, 0xB2, "\x00\xB2\x00\x04\x00\x80\x02\x00", 8);
    device.write_zeroes = true;
    assert_page(&device, 0xB2, "\x00\xB2\x00\x04\x00\xE0\x02\x00", 8);
    device.unmap = false;
    assert_page(&device, 0xB2, "\x00\xB2\x00\x04\x00\x00\x00\x00", 8);
    device.threshold_exponent = 23;
    assert_page(&device, 0xB2, "\x00\xB2\x00\x04\x17\x00\x00\x00", 8);
}

/* No answer needs more than the room that is promised. */
static void answers_against_guard_page(void **state)
{
    struct scsi_device device = test_device();
    uint8_t *bytes = guard_memory(INQUIRY_ANSWER_MAX);

    (void)state;
    memset(device.serial, 'x', sizeof(device.serial));
    for (unsigned length = 1; length <= SCSI_SERIAL_MAX; length++) {
        device.serial_length = (uint8_t)length;
        for (unsigned page = 0; page < 256; page++) {
            assert_in_range(inquiry_page(&device, (uint8_t)page, bytes), 0, INQUIRY_ANSWER_MAX);
        }
    }
    assert_int_equal(inquiry_standard(&device, bytes + INQUIRY_ANSWER_MAX - 96), 96);
    guard_free(bytes, INQUIRY_ANSWER_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_whole),
        cmocka_unit_test(supported_pages_listed),
        cmocka_unit_test(pages_not_listed),
        cmocka_unit_test(serial_as_given),
        cmocka_unit_test(serial_longest),
        cmocka_unit_test(identification_naa_and_vendor),
        cmocka_unit_test(identification_naa_alone),
        cmocka_unit_test(identification_vendor_alone),
        cmocka_unit_test(identification_serial_too_long),
        cmocka_unit_test(extended_inquiry_whole),
        cmocka_unit_test(block_limits_whole),
        cmocka_unit_test(block_limits_without_unmap),
        cmocka_unit_test(block_limits_with_write_same),
        cmocka_unit_test(block_limits_with_prefetch),
        cmocka_unit_test(characteristics_whole),
        cmocka_unit_test(provisioning_whole),
        cmocka_unit_test(answers_against_guard_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
