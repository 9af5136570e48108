/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/messages.h"

#include "libwnbd/messages.h"

#include <ctype.h>

#define MESSAGE(name, id, level, text, meaning, to_do) {#name, #level, id, text, meaning, to_do},
const struct library_message_row library_messages[] = {LIBRARY_MESSAGES(MESSAGE){0}};

static void print_lower(FILE *file, const char *word)
{
    for (; *word != '\0'; word++) {
        fputc(tolower((unsigned char)*word), file);
    }
}

void messages_print_library(FILE *file)
{
    fprintf(file,
            "\n## Of the library\n\n"
            "Made of `libwnbd/messages.h`. `wnbd.dll` tells them to the logger of the program that uses it; there "
            "`WnbdGetLogMessageId`\n"
            "is the id, which is not part of the text. `wnbd-client` shows it with `--debug`. The service has the text "
            "of an error in its\n"
            "own event.\n\n"
            "| id | level | text | meaning | what to do |\n|---|---|---|---|---|\n");
    for (const struct library_message_row *message = library_messages; message->name; message++) {
        fprintf(file, "| %u | ", message->id);
        print_lower(file, message->level);
        fprintf(file, " | %s | %s | %s |\n", message->text, message->meaning, message->to_do);
    }
}
