/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/messages.h"

#include "driver/messages.h"

#include <ctype.h>
#include <string.h>

#define ADAPTER(name, id, text, inserts, meaning, to_do) {#name, id, text, inserts, meaning, to_do, false},
#define DISK(name, id, text, inserts, meaning, to_do)    {#name, id, text, inserts, meaning, to_do, true},
const struct message messages[] = {DRIVER_MESSAGES(ADAPTER, DISK){0}};

size_t messages_conversion(const char *at)
{
    return 1 + strcspn(at + 1, "sdux") + 1;
}

const char *messages_word(const char *words, size_t *length)
{
    words += strspn(words, " ");
    *length = strcspn(words, " ");
    return *length != 0 ? words : NULL;
}

void messages_print_text(FILE *file, const struct message *message, unsigned first)
{
    const char *at = message->text;

    if (message->has_disk) {
        fprintf(file, "Disk %%%u: ", first++);
    } else if (*at != '%') {
        fputc(toupper((unsigned char)*at++), file);
    }
    while (*at != '\0') {
        if (*at == '%') {
            /* "%08lx" behind "0x" and the like: the insert has its digits. */
            fprintf(file, "%%%u", first++);
            at += messages_conversion(at);
        } else {
            fputc(*at++, file);
        }
    }
}

static const char *severity(const struct message *message)
{
    static const char *const names[] = {"", "Informational", "Warning", "Error"};

    return names[MESSAGES_KIND(message->id)];
}

/* ---- The message table: windmc or mc, with -c ---- */

/* In the event log %1 is the driver's name, and the inserts begin with %2. */
void messages_print_table(FILE *file)
{
    fprintf(file,
            "; /* SPDX-License-Identifier: LGPL-2.1-or-later */\n"
            "; /* Made of driver/messages.h by tests/unit/test-messages: the event log's texts, for wnbd.sys. */\n"
            "MessageIdTypedef=NTSTATUS\n"
            "SeverityNames=(Success=0x0 Informational=0x1 Warning=0x2 Error=0x3)\n"
            "FacilityNames=(Io=0x4)\n"
            "LanguageNames=(English=0x409:messages_en)\n");
    for (const struct message *message = messages; message->name; message++) {
        fprintf(file,
                "\nMessageId=%u\nFacility=Io\nSeverity=%s\nSymbolicName=MESSAGE_CODE_%s\nLanguage=English\n"
                "",
                message->id, severity(message), message->name);
        messages_print_text(file, message, 2);
        fprintf(file, ". %s What to do: %s\n.\n", message->meaning, message->to_do);
    }
}

/* ---- The document ---- */

static const char *level(const struct message *message)
{
    static const char *const names[] = {"", "information", "warning", "error"};

    return names[MESSAGES_KIND(message->id)];
}

static void print_named(FILE *file, const struct message *message)
{
    const char *word = message->inserts;
    size_t length = 0;

    if (message->has_disk) {
        fputs("*Disk*: ", file);
    }
    for (const char *at = message->text; *at != '\0';) {
        if (*at == '%') {
            word = messages_word(word + length, &length);
            fprintf(file, "*%.*s*", (int)length, word);
            at += messages_conversion(at);
        } else {
            fputc(*at++, file);
        }
    }
}

void messages_print_document(FILE *file)
{
    fprintf(file,
            "# Messages\n\n"
            "The driver's messages have ids of three digits, the library's four. Those of the service, and their ids, "
            "are in\n"
            "[service.md](service.md). This file is made by `build/native/tests/unit/test-messages - "
            ">docs/messages.md`.\n\n"
            "## Of the driver\n\n"
            "Made of `driver/messages.h`.\n\n"
            "| messages | Windows' System log | trace sessions, `WNBD-Driver/Operational` | a kernel debugger |\n"
            "|---|---|---|---|\n"
            "| 1xx information | no | with `LogLevel` 3 or more | with `LogLevel` 3 or more |\n"
            "| 2xx warnings | source `wnbd`, with `LogLevel` 1 or more | with `LogLevel` 1 or more | with `LogLevel` 1 "
            "or more |\n"
            "| 3xx errors | source `wnbd`, always | always | always |\n\n"
            "`EtwLoggingEnabled` turns the two in the middle off, `DbgPrintEnabled` the last "
            "([options.md](options.md)). In the event\n"
            "log long names and reasons are cut: all inserts of a message share 96 characters. How to trace is in\n"
            "[building.md](building.md).\n\n");
    fprintf(file, "| id | level | text | meaning | what to do |\n|---|---|---|---|---|\n");
    for (const struct message *message = messages; message->name; message++) {
        fprintf(file, "| %u | %s | ", message->id, level(message));
        print_named(file, message);
        fprintf(file, " | %s | %s |\n", message->meaning, message->to_do);
    }
    messages_print_library(file);
}
