/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/arguments.h"
#include "wnbd-client/option_words.h"
#include "wnbd-client/values.h"

#include <stdio.h>
#include <string.h>

enum {
    OPTION_DEBUG = 1000,
    OPTION_HELP,
    OPTION_FIRST, /* + index of the parameter */
};

struct parser {
    struct arguments *arguments;
    const struct command *command;
    struct option_words words;
    struct option_name options[COMMAND_MAX_PARAMETERS + 3];
    char *problem;
};

size_t command_parameter_count(const struct command *command)
{
    size_t count = 0;

    while (count < COMMAND_MAX_PARAMETERS && command->parameters[count].name)
        count++;
    return count;
}

#define fail(parser, ...) (snprintf((parser)->problem, ARGUMENTS_PROBLEM_SIZE, __VA_ARGS__), false)

static bool check_range(struct parser *parser, const struct parameter *parameter, const char *text, uint64_t number)
{
    if (number >= parameter->minimum && number <= parameter->maximum)
        return true;
    return fail(parser, "%s is '%s', but must be from %llu to %llu", parameter->name, text,
                (unsigned long long)parameter->minimum, (unsigned long long)parameter->maximum);
}

static bool read_text(struct parser *parser, const struct parameter *parameter, const char *text)
{
    size_t length = strlen(text);

    if (length < parameter->minimum)
        return fail(parser, "%s is empty", parameter->name);
    if (length > parameter->maximum)
        return fail(parser, "%s has %zu bytes, %llu are the most", parameter->name, length,
                    (unsigned long long)parameter->maximum);
    return true;
}

static bool read_value(struct parser *parser, const struct parameter *parameter, const char *text, uint64_t *number)
{
    switch (parameter->kind) {
    case PARAMETER_TEXT:
        return read_text(parser, parameter, text);
    case PARAMETER_FLAG:
        return value_parse_boolean(text, number) ||
               fail(parser, "%s is '%s', but must be true or false", parameter->name, text);
    case PARAMETER_NUMBER:
    case PARAMETER_PERIOD:
        if (!value_parse_number(text, number))
            return fail(parser, "%s is '%s', which is not a number", parameter->name, text);
        return check_range(parser, parameter, text, *number);
    case PARAMETER_SIZE:
        if (!value_parse_size(text, number))
            return fail(parser, "%s is '%s', which is not a size such as 4096, 64M or 2T", parameter->name, text);
        return check_range(parser, parameter, text, *number);
    }
    return false;
}

static bool set(struct parser *parser, size_t index, const char *text)
{
    const struct parameter *parameter = &parser->command->parameters[index];
    struct argument *argument = &parser->arguments->values[index];

    if (argument->is_given)
        return fail(parser, "%s is given twice", parameter->name);
    argument->is_given = true;
    argument->text = text;
    return read_value(parser, parameter, text, &argument->number);
}

static bool needs_value(const struct parameter *parameter)
{
    return parameter->kind != PARAMETER_FLAG && parameter->kind != PARAMETER_PERIOD;
}

static void make_options(struct parser *parser)
{
    struct option_name *option = parser->options;
    size_t count = command_parameter_count(parser->command);

    for (size_t i = 0; i < count; i++) {
        const struct parameter *parameter = &parser->command->parameters[i];
        enum option_value value = needs_value(parameter) ? OPTION_NEEDS_VALUE : OPTION_MAY_HAVE_VALUE;

        *option++ = (struct option_name){parameter->name, value, OPTION_FIRST + (int)i};
    }
    *option++ = (struct option_name){"debug", OPTION_PLAIN, OPTION_DEBUG};
    *option++ = (struct option_name){"help", OPTION_PLAIN, OPTION_HELP};
    *option = (struct option_name){NULL, OPTION_PLAIN, 0};
}

/* `word` as it was given: "--colour=red". */
static bool fail_unknown(struct parser *parser, const char *word)
{
    const char *names[COMMAND_MAX_PARAMETERS + 3];
    char bare[GUESS_TEXT_SIZE];
    char meant[GUESS_TEXT_SIZE];
    size_t count = 0;

    for (const struct option_name *option = parser->options; option->name; option++)
        names[count++] = option->name;
    snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    if (guess(bare, names, count, meant))
        return fail(parser, "'%s' has no option %s; did you mean %s?", parser->command->names[0], word, meant);
    return fail(parser, "'%s' has no option %s", parser->command->names[0], word);
}

/* An option's value. One that may be left out and stands in a word of its own is taken if it is a number. */
static const char *value_of(const struct parameter *parameter, struct option_words *words)
{
    uint64_t number;

    if (words->value)
        return words->value;
    if (parameter->kind == PARAMETER_FLAG)
        return "true";
    if (option_words_peek(words) && value_parse_number(option_words_peek(words), &number))
        return option_words_take(words);
    return parameter->default_text;
}

static bool take_option(struct parser *parser, int option)
{
    struct option_words *words = &parser->words;
    const char *name = parser->command->names[0];
    size_t index = (size_t)(option - OPTION_FIRST);

    switch (option) {
    case OPTION_DEBUG:
        parser->arguments->debug = true;
        return true;
    case OPTION_LETTER_HELP:
    case OPTION_HELP:
        parser->arguments->help = true;
        return true;
    case OPTION_WITHOUT_VALUE:
        return fail(parser, "%s needs a value", words->word);
    case OPTION_UNKNOWN:
        if (words->letter)
            return fail(parser, "'%s' has no option -%c", name, words->letter);
        return fail_unknown(parser, words->word);
    default:
        return set(parser, index, value_of(&parser->command->parameters[index], words));
    }
}

static bool take_options(struct parser *parser)
{
    for (;;) {
        int option = option_words_next(&parser->words, parser->options);

        if (option == OPTION_END)
            return true;
        if (!take_option(parser, option))
            return false;
    }
}

/* May the parameter be filled by an operand, when there are `count` of them? */
static bool is_operand(const struct command *command, const struct parameter *parameter, unsigned count)
{
    if (parameter->place != PLACE_OPTION)
        return true;
    return parameter->in_long_form && count >= command->long_form_operands;
}

static bool too_many(struct parser *parser, unsigned taken, unsigned count, char **operands)
{
    const struct command *command = parser->command;

    if (count < command->long_form_operands)
        return fail(parser, "'%s' takes %u arguments without names, or %u and more, but not %u", command->names[0],
                    taken, command->long_form_operands, count);
    return fail(parser, "'%s' has no use for '%s'", command->names[0], operands[taken]);
}

/* The operands are all of one kind, unless the second one is the flag of the long form. */
static bool are_repeated(const struct command *command, unsigned count, char **operands)
{
    uint64_t flag;

    if (command->parameters[0].place != PLACE_REPEATED)
        return false;
    return command->long_form_operands == 0 || count < 2 || !value_parse_boolean(operands[1], &flag);
}

static bool take_repeated(struct parser *parser, unsigned count, char **operands)
{
    struct arguments *arguments = parser->arguments;
    uint64_t number;

    if (count != 0 && !arguments->values[0].is_given) {
        if (!set(parser, 0, *operands++))
            return false;
        count--;
    }
    arguments->more = operands;
    arguments->more_count = count;
    for (unsigned i = 0; i < count; i++) {
        if (!read_value(parser, &parser->command->parameters[0], operands[i], &number))
            return false;
    }
    return true;
}

static bool take_operands(struct parser *parser, unsigned count, char **operands)
{
    const struct command *command = parser->command;
    size_t parameters = command_parameter_count(command);
    unsigned taken = 0;

    for (size_t i = 0; i < parameters && taken < count; i++) {
        const struct parameter *parameter = &command->parameters[i];
        bool is_free = !parser->arguments->values[i].is_given;

        /* What was given as --name is no operand any more; in the long form every place counts. */
        if (!is_operand(command, parameter, count) || (!is_free && parameter->place != PLACE_OPTION))
            continue;
        if (!set(parser, i, operands[taken++]))
            return false;
    }
    if (taken < count)
        return too_many(parser, taken, count, operands);
    return true;
}

static bool check_required(struct parser *parser)
{
    size_t parameters = command_parameter_count(parser->command);

    for (size_t i = 0; i < parameters; i++) {
        const struct parameter *parameter = &parser->command->parameters[i];

        if (parameter->place == PLACE_REQUIRED && !parser->arguments->values[i].is_given)
            return fail(parser, "'%s' needs the argument %s", parser->command->names[0], parameter->name);
    }
    return true;
}

bool arguments_parse(struct arguments *arguments, const struct command *command, int argc, char **argv,
                     char problem[ARGUMENTS_PROBLEM_SIZE])
{
    struct parser parser = {.arguments = arguments, .command = command, .problem = problem};
    char **operands;
    unsigned count;

    memset(arguments, 0, sizeof(*arguments));
    arguments->command = command;
    make_options(&parser);
    option_words_init(&parser.words, argc, argv);
    if (!take_options(&parser))
        return false;
    if (arguments->help)
        return true;
    operands = argv + parser.words.operands;
    count = (unsigned)(argc - parser.words.operands);
    if (are_repeated(command, count, operands))
        return take_repeated(&parser, count, operands);
    return take_operands(&parser, count, operands) && check_required(&parser);
}

static const struct argument *find(const struct arguments *arguments, const char *name)
{
    size_t parameters = command_parameter_count(arguments->command);

    for (size_t i = 0; i < parameters; i++) {
        if (strcmp(arguments->command->parameters[i].name, name) == 0)
            return arguments->values[i].is_given ? &arguments->values[i] : NULL;
    }
    return NULL;
}

const char *argument_text(const struct arguments *arguments, const char *name, const char *otherwise)
{
    const struct argument *argument = find(arguments, name);

    return argument ? argument->text : otherwise;
}

uint64_t argument_number(const struct arguments *arguments, const char *name, uint64_t otherwise)
{
    const struct argument *argument = find(arguments, name);

    return argument ? argument->number : otherwise;
}

bool argument_flag(const struct arguments *arguments, const char *name)
{
    return argument_number(arguments, name, 0) != 0;
}
