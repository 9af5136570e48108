/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line. A command is described once, by a struct command; parsing, checking, usage and help all work from
 * it. Nothing here needs Windows.
 */
#ifndef WNBD_CLIENT_ARGUMENTS_H
#define WNBD_CLIENT_ARGUMENTS_H

#include "wnbd-client/guess.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum parameter_kind {
    PARAMETER_TEXT,
    PARAMETER_FLAG,   /* as an option without a value; as an operand a boolean word */
    PARAMETER_NUMBER, /* decimal */
    PARAMETER_PERIOD, /* seconds; the option may stand without the number, which is the default then */
    PARAMETER_SIZE,   /* bytes; a number with an optional K, M, G, T, P or E (powers of 1024) */
};

enum parameter_place {
    PLACE_REQUIRED, /* operand that must be given */
    PLACE_OPTIONAL, /* operand that may be left out */
    PLACE_REPEATED, /* operand, the command's first, that may be left out or given several times */
    PLACE_OPTION,   /* --name value; an operand only in the command's long form */
};

struct parameter {
    const char *name; /* also accepted as --name wherever it is an operand */
    enum parameter_kind kind;
    enum parameter_place place;
    uint64_t minimum; /* of the value; of a text: its bytes */
    uint64_t maximum;
    const char *default_text; /* for help; NULL: none */
    const char *help;
    bool in_long_form; /* see struct command */
};

/* An exit code that is a command's own, besides those that every command may have (reference.c). */
struct exit_code {
    uint32_t code;
    const char *meaning;
};

#define COMMAND_MAX_PARAMETERS 24
#define COMMAND_MAX_NAMES      3
#define COMMAND_MAX_CODES      24

struct arguments;

struct command {
    const char *names[COMMAND_MAX_NAMES]; /* the first is the name, others are aliases */
    const char *help;
    struct parameter parameters[COMMAND_MAX_PARAMETERS]; /* operands in their order; ends at the first without name */
    /* WNBD 2020 knew operands only. Given at least this many, the parameters marked in_long_form are operands, in the
     * table's order; 0: the command has no such form. A command whose first operand may be repeated has this form if
     * the second word is a boolean. */
    unsigned long_form_operands;
    int (*run)(const struct arguments *arguments); /* result: the exit code, a Win32 error; said on stderr already */
    const char *example;                           /* words that can be typed after wnbd-client, parted by one space */
    struct exit_code codes[COMMAND_MAX_CODES];     /* for the reference; ends at the first 0 */
};

/* One table ends at an entry without name. */
extern const struct command commands[];

struct argument {
    bool is_given;
    const char *text; /* as it was given; borrowed from argv */
    uint64_t number;  /* of a number, size or flag */
};

struct arguments {
    const struct command *command;
    struct argument values[COMMAND_MAX_PARAMETERS]; /* as command->parameters */
    char *const *more; /* of a PLACE_REPEATED: its values after the first; borrowed from argv */
    unsigned more_count;
    bool debug;
    bool help;
};

#define ARGUMENTS_PROBLEM_SIZE 512

/* NULL: no such command. */
const struct command *command_find(const struct command *table, const char *name);

/* The commands that were probably meant, in words; NULL: no idea. */
const char *command_suggest(const struct command *table, const char *name, char text[GUESS_TEXT_SIZE]);

size_t command_parameter_count(const struct command *command);

/*
 * Parses argv[1..argc-1]; argv[0] is the command's name. Reorders argv, and *arguments borrows its texts.
 * False: `problem` is a clause that says what is wrong.
 */
bool arguments_parse(struct arguments *arguments, const struct command *command, int argc, char **argv,
                     char problem[ARGUMENTS_PROBLEM_SIZE]);

/* By parameter name, which must be one of the command's. `otherwise` if it was not given. */
const char *argument_text(const struct arguments *arguments, const char *name, const char *otherwise);
uint64_t argument_number(const struct arguments *arguments, const char *name, uint64_t otherwise);
bool argument_flag(const struct arguments *arguments, const char *name);

#endif
