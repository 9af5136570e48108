/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options among words, with glibc's getopt_long as the model: any line of words gives the same with both. */
#include "wnbd-client/option_words.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAX_WORDS 9
#define LINES     200000

static const struct option_name names[] = {
    {"port", OPTION_NEEDS_VALUE, 1001},         {"physical", OPTION_NEEDS_VALUE, 1002},
    {"read-only", OPTION_MAY_HAVE_VALUE, 1003}, {"debug", OPTION_PLAIN, 1004},
    {"debug-more", OPTION_PLAIN, 1005},         {NULL, OPTION_PLAIN, 0},
};

static const struct option model_names[] = {
    {"port", required_argument, NULL, 1001},      {"physical", required_argument, NULL, 1002},
    {"read-only", optional_argument, NULL, 1003}, {"debug", no_argument, NULL, 1004},
    {"debug-more", no_argument, NULL, 1005},      {NULL, 0, NULL, 0},
};

static const char *const alphabet[] = {
    "a",
    "b",
    "",
    "-",
    "--",
    "-h",
    "-x",
    "--port",
    "--port=7",
    "--po",
    "--p",
    "--physical",
    "--p=7",
    "--",
    "--rea",
    "-5",
    "--de",
    "--debug",
    "--debug=1",
    "--debug-more",
    "--debug-",
    "--none",
    "--none=1",
    "--read-only",
    "--read-only=",
    "--read-only=x",
    "--port=",
};

struct event {
    int option;
    char letter;
    const char *value;
};

/* What is read of the words until the first mistake, and the operands behind it. */
struct reading {
    struct event events[MAX_WORDS + 1];
    int count;
    int operands;
    char *words[MAX_WORDS + 1];
};

static bool is_mistake(int option)
{
    return option == OPTION_END || option == OPTION_UNKNOWN || option == OPTION_WITHOUT_VALUE;
}

static void read_ours(struct reading *reading, int count)
{
    struct option_words words;
    int option;

    option_words_init(&words, count, reading->words);
    do {
        option = option_words_next(&words, names);
        reading->events[reading->count++] = (struct event){option, words.letter, words.value};
    } while (!is_mistake(option));
    reading->operands = words.operands;
}

static struct event model_event(int option)
{
    struct event event = {option, 0, optarg};

    if (option == 'h')
        event.option = OPTION_LETTER_HELP;
    else if (option == ':')
        event = (struct event){OPTION_WITHOUT_VALUE, 0, NULL};
    else if (option == '?')
        event = (struct event){OPTION_UNKNOWN, optopt > 0 && optopt < 1000 ? (char)optopt : (char)0, NULL};
    return event;
}

static void read_model(struct reading *reading, int count)
{
    opterr = 0;
    optind = 0;
    for (;;) {
        optopt = 0;
        optarg = NULL;
        struct event event = model_event(getopt_long(count, reading->words, ":h", model_names, NULL));
        reading->events[reading->count++] = event;
        if (is_mistake(event.option))
            break;
    }
    reading->operands = optind;
}

static uint32_t random_below(uint32_t bound)
{
    static uint32_t state = 12345;

    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
}

static void assert_same(const struct reading *ours, const struct reading *model, int count)
{
    assert_int_equal(ours->count, model->count);
    for (int i = 0; i < ours->count; i++) {
        assert_int_equal(ours->events[i].option, model->events[i].option);
        assert_int_equal(ours->events[i].letter, model->events[i].letter);
        assert_ptr_equal(ours->events[i].value, model->events[i].value);
    }
    if (ours->events[ours->count - 1].option != OPTION_END)
        return;
    assert_int_equal(ours->operands, model->operands);
    for (int i = ours->operands; i < count; i++)
        assert_ptr_equal(ours->words[i], model->words[i]);
}

static void any_line_reads_as_getopt_reads_it(void **state)
{
    static char words[MAX_WORDS][24];

    (void)state;
    for (int line = 0; line < LINES; line++) {
        struct reading ours = {.count = 0};
        struct reading model = {.count = 0};
        int count = 1 + (int)random_below(MAX_WORDS);

        for (int i = 0; i < count; i++) {
            snprintf(words[i], sizeof(words[i]), "%s",
                     i ? alphabet[random_below(sizeof(alphabet) / sizeof(*alphabet))] : "map");
            ours.words[i] = model.words[i] = words[i];
        }
        read_ours(&ours, count);
        read_model(&model, count);
        assert_same(&ours, &model, count);
    }
}

static void a_word_behind_an_option_can_be_taken(void **state)
{
    char words_of_line[][16] = {"stats", "vol", "--read-only", "5", "more"};
    char *list[5];
    struct option_words words;

    (void)state;
    for (int i = 0; i < 5; i++)
        list[i] = words_of_line[i];
    option_words_init(&words, 5, list);
    assert_int_equal(option_words_next(&words, names), 1003);
    assert_string_equal(option_words_peek(&words), "5");
    assert_string_equal(option_words_take(&words), "5");
    assert_int_equal(option_words_next(&words, names), OPTION_END);
    assert_null(option_words_peek(&words));
    assert_int_equal(words.operands, 3);
    assert_string_equal(list[3], "vol");
    assert_string_equal(list[4], "more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_line_reads_as_getopt_reads_it),
        cmocka_unit_test(a_word_behind_an_option_can_be_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
