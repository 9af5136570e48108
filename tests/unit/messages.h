/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made of driver/messages.h and libwnbd/messages.h. */
#ifndef TESTS_UNIT_MESSAGES_H
#define TESTS_UNIT_MESSAGES_H

#include <stdbool.h>
#include <stdio.h>

struct message {
    const char *name;
    unsigned id;
    const char *text;    /* printf's, without the disk */
    const char *inserts; /* their names, with a blank between */
    const char *meaning;
    const char *to_do;
    bool has_disk; /* its name is the first insert */
};

/* All, in the table's order; the last has no name. */
extern const struct message messages[];

struct library_message_row {
    const char *name;
    const char *level; /* the last word of its WnbdLogLevel */
    unsigned id;
    const char *text; /* with *Words* for what it is about */
    const char *meaning;
    const char *to_do;
};

/* All, in the table's order; the last has no name. */
extern const struct library_message_row library_messages[];

/* docs/messages.md; driver/messages.mc, the message table of wnbd.sys; driver/wnbd-events.man, the provider's manifest.
 */
void messages_print_document(FILE *file);
void messages_print_table(FILE *file);
void messages_print_manifest(FILE *file);

/* The library's part of docs/messages.md, its end. */
void messages_print_library(FILE *file);

/* Writes a message's text with its inserts as `before` and a number say, beginning with `first`: "%2" for instance. */
void messages_print_text(FILE *file, const struct message *message, unsigned first);

/* The length of the conversion that begins at the per cent sign `at`. */
size_t messages_conversion(const char *at);

/* The next word of `words`, its length in `length`; NULL: there is none. Then: words = word + length. */
const char *messages_word(const char *words, size_t *length);

#endif
