/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of the driver's and the library's messages are sound, and what is committed is as it would be made of
 * them. `test-messages -` prints docs/messages.md, `test-messages mc` driver/messages.mc, `test-messages man`
 * driver/wnbd-events.man.
 */
#include "tests/unit/messages.h"

#include "driver/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *argument;
    const char *path;
    void (*print)(FILE *file);
} made[] = {
    {"-", ROOT "/docs/messages.md", messages_print_document},
    {"mc", ROOT "/driver/messages.mc", messages_print_table},
    {"man", ROOT "/driver/wnbd-events.man", messages_print_manifest},
};

static char *print(void (*printer)(FILE *file))
{
    static char *text; /* not of this function: gcc 12 takes what it points to for a local variable */
    static size_t size;
    FILE *file = open_memstream(&text, &size);

    printer(file);
    fclose(file);
    return text;
}

static char *committed(const char *path)
{
    static char text[256 * 1024];
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void files_are_as_they_would_be_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        char *expected = print(made[i].print);

        assert_string_equal(committed(made[i].path), expected); /* else: test-messages ARGUMENT >PATH */
        free(expected);
    }
}

static void ids_ascend_and_have_a_kind(void **state)
{
    unsigned last = 99;

    (void)state;
    for (const struct message *message = messages; message->name; message++) {
        assert_true(message->id > last && message->id < 400);
        last = message->id;
    }
}

static unsigned count_conversions(const char *text)
{
    unsigned count = 0;

    for (; *text != '\0'; text++) {
        if (*text == '%') {
            count++;
            text += messages_conversion(text) - 1;
        }
    }
    return count;
}

static unsigned count_words(const char *words)
{
    unsigned count = 0;
    size_t length = 0;

    while ((words = messages_word(words + length, &length)) != NULL) {
        count++;
    }
    return count;
}

static void each_insert_has_a_name(void **state)
{
    (void)state;
    for (const struct message *message = messages; message->name; message++) {
        assert_int_equal(count_conversions(message->text), count_words(message->inserts));
        assert_true(count_words(message->inserts) + message->has_disk <= 8); /* INSERTS_MAX */
    }
}

static void are_sentences(const char *meaning, const char *to_do)
{
    assert_null(strpbrk(meaning, "!|%"));
    assert_null(strpbrk(to_do, "!|%"));
    assert_true(strlen(meaning) > 8 && strlen(to_do) > 7);
    assert_int_equal(to_do[strlen(to_do) - 1], '.');
    assert_int_equal(meaning[strlen(meaning) - 1], '.');
}

static void texts_are_plain_and_say_what_to_do(void **state)
{
    (void)state;
    for (const struct message *message = messages; message->name; message++) {
        assert_null(strpbrk(message->text, "!|<>&\""));
        are_sentences(message->meaning, message->to_do);
    }
}

static unsigned library_hundred(const char *level)
{
    static const char *const levels[] = {"Debug", "Info", "Warning", "Error"};
    unsigned hundred = 0;

    while (strcmp(levels[hundred], level) != 0) {
        hundred++;
        assert_true(hundred < sizeof(levels) / sizeof(levels[0]));
    }
    return 10 + hundred;
}

static void the_library_s_ids_ascend_and_tell_the_level(void **state)
{
    unsigned last = 999;

    (void)state;
    for (const struct library_message_row *message = library_messages; message->name; message++) {
        assert_true(message->id > last);
        assert_int_equal(message->id / 100, library_hundred(message->level));
        last = message->id;
    }
}

static void the_library_s_texts_are_plain_and_say_what_to_do(void **state)
{
    (void)state;
    for (const struct library_message_row *message = library_messages; message->name; message++) {
        assert_null(strpbrk(message->text, "!|<>&\"%"));
        assert_int_not_equal(message->text[strlen(message->text) - 1], '.');
        are_sentences(message->meaning, message->to_do);
    }
}

static void codes_have_severity_customer_facility_and_id(void **state)
{
    (void)state;
    assert_int_equal(MESSAGES_CODE(MESSAGE_CONNECTION_LOST), 0xE004012E);
    assert_int_equal(MESSAGES_CODE(MESSAGE_NOT_PAUSED), 0xA00400C9);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_as_they_would_be_made),
        cmocka_unit_test(ids_ascend_and_have_a_kind),
        cmocka_unit_test(each_insert_has_a_name),
        cmocka_unit_test(texts_are_plain_and_say_what_to_do),
        cmocka_unit_test(the_library_s_ids_ascend_and_tell_the_level),
        cmocka_unit_test(the_library_s_texts_are_plain_and_say_what_to_do),
        cmocka_unit_test(codes_have_severity_customer_facility_and_id),
    };

    for (size_t i = 0; argc > 1 && i < sizeof(made) / sizeof(made[0]); i++) {
        if (strcmp(argv[1], made[i].argument) == 0) {
            made[i].print(stdout);
            return 0;
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
