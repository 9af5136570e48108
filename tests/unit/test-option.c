/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/options/option.h"
#include "core/options/words.h"
#include "tests/unit/guard.h"

#define TEXT_MAX 64

/* The same text in UTF-16, ending at a page that nobody may touch. */
static uint16_t *widen(const char *text, size_t *length)
{
    uint16_t wide[TEXT_MAX];

    *length = strlen(text);
    for (size_t i = 0; i < *length; i++) {
        wide[i] = (uint8_t)text[i];
    }
    return (uint16_t *)(void *)guard_copy(wide, *length * sizeof *wide);
}

static void unwiden(uint16_t *wide, size_t length)
{
    guard_free((uint8_t *)wide, length * sizeof *wide);
}

static const struct option *find(const char *name, enum option_id *id)
{
    size_t length;
    uint16_t *wide = widen(name, &length);
    const struct option *option = option_find(wide, length, id);

    unwiden(wide, length);
    return option;
}

static bool number(const char *text, int64_t *value)
{
    size_t length;
    uint16_t *wide = widen(text, &length);
    bool is_number = words_number(wide, length, value);

    unwiden(wide, length);
    return is_number;
}

static bool boolean(const char *text, bool *value)
{
    size_t length;
    uint16_t *wide = widen(text, &length);
    bool is_boolean = words_boolean(wide, length, value);

    unwiden(wide, length);
    return is_boolean;
}

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        char other[OPTION_NAME_SIZE] = {0};
        enum option_id id = OPTION_COUNT;

        for (size_t at = 0; option_of(i)->name[at] != '\0'; at++) {
            other[at] = (char)(option_of(i)->name[at] ^ (option_of(i)->name[at] >= 'A' ? 0x20 : 0));
        }
        assert_ptr_equal(find(option_of(i)->name, &id), option_of(i));
        assert_ptr_equal(find(other, &id), option_of(i));
        assert_int_equal(id, i);
    }
}

static void names_that_are_none(void **state)
{
    static const char *const names[] = {"",          "LogLeve",       "LogLevel ", "LogLevels",
                                        " LogLevel", "DebugLogLevel", "@ogLevel"};
    static const uint16_t with_nul[] = {'L', 'o', 'g', 'L', 'e', 'v', 'e', 'l', 0};
    static const uint16_t high_byte[] = {'L' + 0x100, 'o', 'g', 'L', 'e', 'v', 'e', 'l'};
    enum option_id id;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(names); i++) {
        assert_null(find(names[i], &id));
    }
    assert_null(option_find(with_nul, GUARD_COUNT(with_nul), &id));
    assert_null(option_find(high_byte, GUARD_COUNT(high_byte), &id));
}

static void name_is_written_with_a_nul(void **state)
{
    uint16_t name[OPTION_NAME_SIZE];
    enum option_id id;

    (void)state;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        size_t length = strlen(option_of(i)->name);

        memset(name, 0xFF, sizeof name);
        option_write_name(option_of(i), name);
        assert_int_equal(name[length], 0);
        assert_ptr_equal(option_find(name, length, &id), option_of(i));
    }
}

/* The interface document, section 7. */
static void defaults_are_those_of_the_interface(void **state)
{
    static const struct {
        const char *name;
        enum option_type type;
        int64_t initial;
    } documented[] = {
        {"LogLevel", OPTION_INT64, 1},
        {"NewMappingsAllowed", OPTION_BOOL, 1},
        {"EtwLoggingEnabled", OPTION_BOOL, 1},
        {"WppLoggingEnabled", OPTION_BOOL, 0},
        {"DbgPrintEnabled", OPTION_BOOL, 1},
        {"MaxIOReqPerAdapter", OPTION_INT64, 1000},
        {"MaxIOReqPerLun", OPTION_INT64, 255},
        {"RemoveStaleConnections", OPTION_BOOL, 1},
        {"StaleReqTimeoutMs", OPTION_INT64, 15000},
        {"StaleConnTimeoutMs", OPTION_INT64, 60000},
        {"ConnectTimeoutMs", OPTION_INT64, 10000},
        {"ReconnectTimeoutMs", OPTION_INT64, 120000},
    };

    (void)state;
    assert_int_equal(GUARD_COUNT(documented), OPTION_COUNT);
    for (size_t i = 0; i < GUARD_COUNT(documented); i++) {
        enum option_id id = OPTION_COUNT;
        const struct option *option = find(documented[i].name, &id);
        int64_t value = documented[i].initial;

        assert_non_null(option);
        assert_int_equal(option->type, documented[i].type);
        assert_true(option->initial == value);
        assert_true(option_accept(option, &value) && value == option->initial);
    }
}

static void range_is_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = option_of(i);
        int64_t value = option->minimum;

        assert_true(option_accept(option, &value));
        assert_true(value == (option->zero_is_initial ? option->initial : option->minimum));
        value = option->maximum;
        assert_true(option_accept(option, &value) && value == option->maximum);
        if (option->minimum != INT64_MIN) {
            value = option->minimum - 1;
            assert_false(option_accept(option, &value));
        }
        if (option->maximum != INT64_MAX) {
            value = option->maximum + 1;
            assert_false(option_accept(option, &value));
        }
    }
}

static void booleans_are_words(void **state)
{
    static const char *const true_words[] = {"1", "t", "T", "true", "TRUE", "tRuE", "y", "Y", "yes", "Yes"};
    static const char *const false_words[] = {"0", "f", "F", "false", "FALSE", "fAlSe", "n", "N", "no", "NO"};
    static const char *const others[] = {"", "2", "01", "tr", "truee", " true", "true ", "on", "-1", "0x1", "yesno"};
    bool value;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(true_words); i++) {
        value = false;
        assert_true(boolean(true_words[i], &value) && value);
    }
    for (size_t i = 0; i < GUARD_COUNT(false_words); i++) {
        value = true;
        assert_true(boolean(false_words[i], &value) && !value);
    }
    for (size_t i = 0; i < GUARD_COUNT(others); i++) {
        assert_false(boolean(others[i], &value));
    }
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } known[] = {
        {"0", 0},
        {"7", 7},
        {"0007", 7},
        {"-0", 0},
        {"-12", -12},
        {"131072", 131072},
        {"0x0", 0},
        {"0x1f", 31},
        {"0XFf", 255},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"0x7FFFFFFFFFFFFFFF", INT64_MAX},
        {"0x0000000000000000000000001", 1},
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(known); i++) {
        int64_t value = 99;

        assert_true(number(known[i].text, &value));
        assert_true(value == known[i].value);
    }
}

static void numbers_that_are_none(void **state)
{
    static const char *const texts[] = {"",
                                        "-",
                                        "0x",
                                        "0xg",
                                        "x1",
                                        "1 ",
                                        " 1",
                                        "+1",
                                        "1e3",
                                        "a",
                                        "0x1 ",
                                        "-0x1",
                                        "--1",
                                        "1-",
                                        "1.0",
                                        "true",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "0x8000000000000000",
                                        "99999999999999999999999",
                                        "0x10000000000000000"};
    int64_t value = 5;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(texts); i++) {
        assert_false(number(texts[i], &value));
        assert_true(value == 5);
    }
}

static void text_is_read_by_the_option_type(void **state)
{
    static const uint16_t yes[] = {'y', 'e', 's'};
    static const uint16_t four[] = {'4'};
    int64_t value = 9;

    (void)state;
    assert_true(option_parse(option_of(OPTION_DBG_PRINT_ENABLED), yes, 3, &value) && value == 1);
    assert_false(option_parse(option_of(OPTION_DBG_PRINT_ENABLED), four, 1, &value));
    assert_true(option_parse(option_of(OPTION_LOG_LEVEL), four, 1, &value) && value == 4);
    assert_false(option_parse(option_of(OPTION_LOG_LEVEL), yes, 3, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(name_is_written_with_a_nul),
        cmocka_unit_test(defaults_are_those_of_the_interface),
        cmocka_unit_test(range_is_kept),
        cmocka_unit_test(booleans_are_words),
        cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(text_is_read_by_the_option_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
