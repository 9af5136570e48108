/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/mode.h"
#include "tests/unit/scsi_device.h"

#define CACHING_ON              0x08, 0x12, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define CACHING_ZERO            0x08, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define CONTROL                 0x0A, 0x0A, 0, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0
#define CONTROL_MASK            0x0A, 0x0A, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define RECOVERY                0x01, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define EXCEPTIONS              0x1C, 0x0A, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define EXCEPTIONS_ZERO         0x1C, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define THRESHOLDS(armed, used) 0x5C, 0x02, 0, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, armed, used, 0, 0, 0, 0, 0, 0
#define PAGE_CURRENT            0
#define PAGE_CHANGEABLE         1
#define PAGE_DEFAULT            2
#define PAGE_SAVED              3

static struct scsi_command sense_6(uint8_t page, uint8_t page_control)
{
    struct scsi_command command = {.operation = SCSI_MODE_SENSE_6, .page = page, .page_control = page_control};

    return command;
}

static struct scsi_command sense_10(uint8_t page, uint8_t page_control)
{
    struct scsi_command command = {.operation = SCSI_MODE_SENSE_10, .page = page, .page_control = page_control};

    return command;
}

static void assert_answer(const struct scsi_device *device, struct scsi_command command, const uint8_t *expected,
                          uint32_t length)
{
    uint8_t *bytes = guard_memory(MODE_ANSWER_MAX);
    struct scsi_sense sense;

    assert_int_equal(mode_sense(device, &command, bytes, &sense), length);
    assert_memory_equal(bytes, expected, length);
    guard_free(bytes, MODE_ANSWER_MAX);
}

static void assert_refused(const struct scsi_device *device, struct scsi_command command, unsigned number)
{
    uint8_t bytes[MODE_ANSWER_MAX] = {0};
    struct scsi_sense sense = {0};

    assert_int_equal(mode_sense(device, &command, bytes, &sense), 0);
    assert_int_equal(sense_number(&sense), number);
}

static void caching_page_current_and_default(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {23, 0, 0x10, 0, CACHING_ON};
    const uint8_t ten[] = {0, 26, 0, 0x10, 0, 0, 0, 0, CACHING_ON};

    (void)state;
    assert_answer(&device, sense_6(0x08, PAGE_CURRENT), six, sizeof(six));
    assert_answer(&device, sense_6(0x08, PAGE_DEFAULT), six, sizeof(six));
    assert_answer(&device, sense_10(0x08, PAGE_CURRENT), ten, sizeof(ten));
    assert_answer(&device, sense_10(0x08, PAGE_DEFAULT), ten, sizeof(ten));
}

static void caching_page_without_cache(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {23, 0, 0x10, 0, CACHING_ZERO};

    (void)state;
    device.write_cache = false;
    assert_answer(&device, sense_6(0x08, PAGE_CURRENT), six, sizeof(six));
}

static void control_page(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {15, 0, 0x10, 0, CONTROL};
    const uint8_t ten[] = {0, 18, 0, 0x10, 0, 0, 0, 0, CONTROL};

    (void)state;
    assert_answer(&device, sense_6(0x0A, PAGE_CURRENT), six, sizeof(six));
    assert_answer(&device, sense_10(0x0A, PAGE_CURRENT), ten, sizeof(ten));
}

static void all_pages(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {59, 0, 0x10, 0, RECOVERY, CACHING_ON, CONTROL, EXCEPTIONS};
    const uint8_t ten[] = {0, 62, 0, 0x10, 0, 0, 0, 0, RECOVERY, CACHING_ON, CONTROL, EXCEPTIONS};
    struct scsi_command command = sense_6(0x3F, PAGE_CURRENT);

    (void)state;
    assert_answer(&device, sense_6(0x3F, PAGE_CURRENT), six, sizeof(six));
    assert_answer(&device, sense_10(0x3F, PAGE_CURRENT), ten, sizeof(ten));
    command.subpage = 0xFF;
    assert_answer(&device, command, six, sizeof(six));
}

/* With the subpage: it is told where subpages are asked for. */
static void all_pages_where_blocks_are_counted(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t pages[] = {59, 0, 0x10, 0, RECOVERY, CACHING_ON, CONTROL, EXCEPTIONS};
    const uint8_t six[] = {83, 0, 0x10, 0, RECOVERY, CACHING_ON, CONTROL, EXCEPTIONS, THRESHOLDS(1, 2)};
    const uint8_t ten[] = {0, 86, 0, 0x10, 0, 0, 0, 0, RECOVERY, CACHING_ON, CONTROL, EXCEPTIONS, THRESHOLDS(1, 2)};
    struct scsi_command command = sense_6(0x3F, PAGE_CURRENT);
    struct scsi_command command_10 = sense_10(0x3F, PAGE_CURRENT);

    (void)state;
    device.threshold_exponent = 1;
    assert_answer(&device, command, pages, sizeof(pages));
    command.subpage = command_10.subpage = 0xFF;
    assert_answer(&device, command, six, sizeof(six));
    assert_answer(&device, command_10, ten, sizeof(ten));
    command.subpage = 0x02; /* of all pages: no such code */
    assert_refused(&device, command, INVALID_FIELD);
}

static void thresholds_page(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t alone[] = {27, 0, 0x10, 0, THRESHOLDS(1, 2)};
    const uint8_t mask[] = {27, 0, 0x10, 0, THRESHOLDS(0, 0)};
    const uint8_t both[] = {39, 0, 0x10, 0, EXCEPTIONS, THRESHOLDS(1, 2)};
    const uint8_t plain[] = {15, 0, 0x10, 0, EXCEPTIONS};

    (void)state;
    for (uint8_t control = PAGE_CURRENT; control <= PAGE_DEFAULT; control++) {
        struct scsi_command command = sense_6(0x1C, control);

        command.subpage = 0x02;
        device.threshold_exponent = 0;
        assert_refused(&device, command, INVALID_FIELD);
        device.threshold_exponent = 1;
        assert_answer(&device, command, control == PAGE_CHANGEABLE ? mask : alone, sizeof(alone));
        if (control != PAGE_CHANGEABLE) {
            command.subpage = 0xFF;
            assert_answer(&device, command, both, sizeof(both));
            command.subpage = 0;
            assert_answer(&device, command, plain, sizeof(plain));
        }
    }
}

/* The mask: WCE where the backend can flush, and D_SENSE. */
static void pages_changeable(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {59, 0, 0x10, 0, RECOVERY, CACHING_ON, CONTROL_MASK, EXCEPTIONS_ZERO};
    const uint8_t ten[] = {0, 62, 0, 0x10, 0, 0, 0, 0, RECOVERY, CACHING_ON, CONTROL_MASK, EXCEPTIONS_ZERO};
    const uint8_t caching[] = {23, 0, 0x10, 0, CACHING_ZERO};

    (void)state;
    assert_answer(&device, sense_6(0x3F, PAGE_CHANGEABLE), six, sizeof(six));
    assert_answer(&device, sense_10(0x3F, PAGE_CHANGEABLE), ten, sizeof(ten));
    device.write_cache = false;
    assert_answer(&device, sense_6(0x08, PAGE_CHANGEABLE), caching, sizeof(caching));
}

/* What a MODE SELECT has changed is current, and neither default nor in the mask. */
static void pages_changed(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t caching[] = {23, 0, 0x10, 0, CACHING_ZERO};
    const uint8_t caching_default[] = {23, 0, 0x10, 0, CACHING_ON};
    const uint8_t control[] = {15, 0, 0x10, 0, 0x0A, 0x0A, 0x04, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0};
    const uint8_t control_default[] = {15, 0, 0x10, 0, CONTROL};

    (void)state;
    device.write_through = 1;
    device.descriptor_sense = 1;
    assert_answer(&device, sense_6(0x08, PAGE_CURRENT), caching, sizeof(caching));
    assert_answer(&device, sense_6(0x08, PAGE_DEFAULT), caching_default, sizeof(caching_default));
    assert_answer(&device, sense_6(0x08, PAGE_CHANGEABLE), caching_default, sizeof(caching_default));
    assert_answer(&device, sense_6(0x0A, PAGE_CURRENT), control, sizeof(control));
    assert_answer(&device, sense_6(0x0A, PAGE_DEFAULT), control_default, sizeof(control_default));
    device_reset_modes(&device);
    assert_answer(&device, sense_6(0x08, PAGE_CURRENT), caching_default, sizeof(caching_default));
    assert_answer(&device, sense_6(0x0A, PAGE_CURRENT), control_default, sizeof(control_default));
}

static void pages_saved(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_refused(&device, sense_6(0x3F, PAGE_SAVED), SAVING_NOT_SUPPORTED);
    assert_refused(&device, sense_6(0x08, PAGE_SAVED), SAVING_NOT_SUPPORTED);
    assert_refused(&device, sense_10(0x0A, PAGE_SAVED), SAVING_NOT_SUPPORTED);
}

static void device_specific_byte(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t specific = (uint8_t)((i & 1 ? 0x80 : 0) | (i & 2 ? 0x10 : 0));
        const uint8_t six[] = {15, 0, specific, 0, CONTROL};
        const uint8_t ten[] = {0, 18, 0, specific, 0, 0, 0, 0, CONTROL};

        device.read_only = (i & 1) != 0;
        device.fua = (i & 2) != 0;
        assert_answer(&device, sense_6(0x0A, PAGE_CURRENT), six, sizeof(six));
        assert_answer(&device, sense_10(0x0A, PAGE_CURRENT), ten, sizeof(ten));
    }
}

static void page_unknown(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (uint8_t page = 0; page < 0x3F; page++) {
        if (page != 0x01 && page != 0x08 && page != 0x0A && page != 0x1C) {
            assert_refused(&device, sense_6(page, PAGE_CURRENT), INVALID_FIELD);
            assert_refused(&device, sense_10(page, PAGE_CHANGEABLE), INVALID_FIELD);
        }
    }
}

static void subpage_asked_for(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t six[] = {23, 0, 0x10, 0, CACHING_ON};
    struct scsi_command command = sense_6(0x08, PAGE_CURRENT);

    (void)state;
    for (unsigned subpage = 1; subpage < 0xFF; subpage++) {
        command.subpage = (uint8_t)subpage;
        assert_refused(&device, command, INVALID_FIELD);
    }
    command.subpage = 0xFF; /* the page and all its subpages */
    assert_answer(&device, command, six, sizeof(six));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caching_page_current_and_default),
        cmocka_unit_test(caching_page_without_cache),
        cmocka_unit_test(control_page),
        cmocka_unit_test(all_pages),
        cmocka_unit_test(all_pages_where_blocks_are_counted),
        cmocka_unit_test(thresholds_page),
        cmocka_unit_test(pages_changeable),
        cmocka_unit_test(pages_changed),
        cmocka_unit_test(pages_saved),
        cmocka_unit_test(device_specific_byte),
        cmocka_unit_test(page_unknown),
        cmocka_unit_test(subpage_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
