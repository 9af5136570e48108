/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exports: what a server has, without mapping any of it. */
#include "wnbd-client/commands.h"
#include "wnbd-client/report.h"
#include "wnbd-client/server.h"
#include "wnbd-client/talk.h"
#include "wnbd-client/values.h"

#include "core/base/text.h"
#include "core/nbd/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    char (*list)[NBD_EXPORT_NAME_MAX + 1];
    size_t count;
    size_t room;
    size_t unusable; /* that no client could ask for */
    bool lost;       /* there was no memory */
};

/* ---- The list ---- */

static bool make_room(struct names *names)
{
    size_t room = names->room != 0 ? 2 * names->room : 16;
    void *list = names->count < names->room ? names->list : realloc(names->list, room * sizeof(names->list[0]));

    if (!list)
        return false;
    names->room = names->count < names->room ? names->room : room;
    names->list = list;
    return true;
}

static void add_name(const struct nbd_handshake *handshake, void *context)
{
    struct names *names = context;

    if (!handshake->entry_usable) {
        names->unusable++;
    } else if (names->lost || !make_room(names)) {
        names->lost = true;
    } else {
        memcpy(names->list[names->count++], handshake->entry_name, sizeof(names->list[0]));
    }
}

static int report_problem(const NBD_CONNECTION_PROPERTIES *server, DWORD error, const char *problem)
{
    report_sentence("cannot list the exports of %s: %s", server->Hostname, problem);
    return (int)error;
}

static int read_names(const NBD_CONNECTION_PROPERTIES *server, struct names *names)
{
    static struct nbd_handshake handshake;
    char problem[TALK_PROBLEM_SIZE];
    DWORD error;

    nbd_handshake_init_list(&handshake);
    error = talk(server, &handshake, add_name, names, problem);
    if (error != ERROR_SUCCESS)
        return report_problem(server, error, problem);
    if (names->lost)
        return report_problem(server, ERROR_NOT_ENOUGH_MEMORY, "there is not enough memory");
    if (names->unusable != 0)
        report_note("%lu exports have names that no client can ask for", (unsigned long)names->unusable);
    return ERROR_SUCCESS;
}

/* ---- As text ---- */

static void print_printable(const char *text)
{
    char bytes[NBD_EXPORT_NAME_MAX + 1];
    struct text printable;

    text_init(&printable, bytes, sizeof(bytes));
    text_append(&printable, text);
    fputs(bytes, stdout);
}

static void print_row(const char *name, const struct nbd_handshake *handshake)
{
    const struct nbd_export *server_export = &handshake->server_export;
    char size[VALUE_SIZE_TEXT];

    printf("%-12s  %-8s  %-8u  ", value_format_size(server_export->size, size),
           server_export->flags & NBD_FLAG_READ_ONLY ? "true" : "false", server_export->minimum_block);
    print_printable(name);
    printf("%s%s", handshake->entry_description[0] ? "  - " : "", handshake->entry_description);
    if (handshake->contexts[0])
        printf("  (contexts: %s)", handshake->contexts);
    putchar('\n');
}

static void print_row_of_problem(const char *name, const char *problem)
{
    printf("%-12s  %-8s  %-8s  ", "-", "-", "-");
    print_printable(name);
    printf("  - %s\n", problem);
}

/* ---- As JSON (RFC 8259) ---- */

/* One character of a JSON string; what is no UTF-8 becomes U+FFFD. Answers its length. */
static size_t print_json_character(const uint8_t *bytes, size_t length)
{
    uint32_t character = 0;
    size_t count = text_utf8_character(bytes, length, &character);

    if (count == 0) {
        printf("\\ufffd");
        return 1;
    }
    if (character < 0x20)
        printf("\\u%04x", (unsigned)character);
    else if (character == '"' || character == '\\')
        printf("\\%c", (int)character);
    else
        fwrite(bytes, 1, count, stdout);
    return count;
}

static void print_json_bytes(const char *bytes, size_t length)
{
    putchar('"');
    for (size_t at = 0; at < length;)
        at += print_json_character((const uint8_t *)bytes + at, length - at);
    putchar('"');
}

static void print_json_text(const char *text)
{
    print_json_bytes(text, strlen(text));
}

/* An array of the words of a text, which has one space between two. */
static void print_json_words(const char *name, const char *text)
{
    printf(", \"%s\": [", name);
    for (const char *separator = ""; *text; separator = ", ") {
        size_t length = strcspn(text, " ");

        fputs(separator, stdout);
        print_json_bytes(text, length);
        text += length + (text[length] == ' ');
    }
    putchar(']');
}

static void print_json_flag(const char *name, bool value)
{
    printf(", \"%s\": %s", name, value ? "true" : "false");
}

static void print_json(const char *name, const struct nbd_handshake *handshake)
{
    const struct nbd_export *server_export = &handshake->server_export;
    uint16_t flags = server_export->flags;

    printf("  {\"name\": ");
    print_json_text(name);
    printf(", \"description\": ");
    print_json_text(handshake->entry_description);
    printf(", \"size\": %llu", (unsigned long long)server_export->size);
    print_json_flag("read_only", flags & NBD_FLAG_READ_ONLY);
    print_json_flag("flush", flags & NBD_FLAG_SEND_FLUSH);
    print_json_flag("fua", flags & NBD_FLAG_SEND_FUA);
    print_json_flag("trim", flags & NBD_FLAG_SEND_TRIM);
    print_json_flag("write_zeroes", flags & NBD_FLAG_SEND_WRITE_ZEROES);
    print_json_flag("multi_conn", flags & NBD_FLAG_CAN_MULTI_CONN);
    print_json_flag("rotational", flags & NBD_FLAG_ROTATIONAL);
    printf(", \"minimum_block\": %u, \"preferred_block\": %u, \"maximum_payload\": %u", server_export->minimum_block,
           server_export->preferred_block, server_export->maximum_payload);
    print_json_words("contexts", handshake->contexts);
    putchar('}');
}

static void print_json_of_problem(const char *name, const char *problem)
{
    printf("  {\"name\": ");
    print_json_text(name);
    printf(", \"problem\": ");
    print_json_text(problem);
    putchar('}');
}

/* ---- All of them, or one ---- */

/* nbd-server up to 3.24 at least answers NBD_OPT_INFO with a size of 0 bytes, and tells the true one to who uses the
 * export. */
static void ask_size_again(const NBD_CONNECTION_PROPERTIES *server, const char *name, struct nbd_export *server_export)
{
    static struct nbd_handshake session;
    char problem[TALK_PROBLEM_SIZE];

    nbd_handshake_init(&session, name, strlen(name));
    if (talk(server, &session, NULL, NULL, problem) == ERROR_SUCCESS)
        server_export->size = session.server_export.size;
}

/* One more connection: the export is asked what it is, and not used. */
static DWORD ask(const NBD_CONNECTION_PROPERTIES *server, const char *name, struct nbd_handshake *handshake,
                 char problem[TALK_PROBLEM_SIZE])
{
    DWORD error;

    nbd_handshake_init_query(handshake, name, strlen(name));
    error = talk(server, handshake, NULL, NULL, problem);
    if (error == ERROR_SUCCESS && handshake->server_export.size == 0)
        ask_size_again(server, name, &handshake->server_export);
    return error;
}

static void print_begin(bool json)
{
    if (json)
        printf("[");
    else
        printf("%-12s  %-8s  %-8s  %s\n", "Size", "ReadOnly", "MinBlock", "Name");
}

static void print_end(bool json)
{
    if (json)
        printf("\n]\n");
}

/* An export that does not answer is told in its row: the others are worth knowing. */
static int print_all(const NBD_CONNECTION_PROPERTIES *server, const struct names *names, bool json)
{
    static struct nbd_handshake handshake;
    char problem[TALK_PROBLEM_SIZE];

    print_begin(json);
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->list[i];
        bool answered = ask(server, name, &handshake, problem) == ERROR_SUCCESS;

        if (json)
            printf(i != 0 ? ",\n" : "\n");
        if (answered)
            (json ? print_json : print_row)(name, &handshake);
        else
            (json ? print_json_of_problem : print_row_of_problem)(name, problem);
    }
    print_end(json);
    return ERROR_SUCCESS;
}

static int print_one(const NBD_CONNECTION_PROPERTIES *server, bool json)
{
    static struct nbd_handshake handshake;
    char problem[TALK_PROBLEM_SIZE];
    DWORD error = ask(server, server->ExportName, &handshake, problem);

    if (error != ERROR_SUCCESS)
        return report_problem(server, error, problem);
    print_begin(json);
    if (json)
        printf("\n");
    (json ? print_json : print_row)(server->ExportName, &handshake);
    print_end(json);
    return ERROR_SUCCESS;
}

static int list_and_print(const NBD_CONNECTION_PROPERTIES *server, bool json)
{
    struct names names = {0};
    int code = read_names(server, &names);

    if (code == ERROR_SUCCESS)
        code = print_all(server, &names, json);
    free(names.list);
    return code;
}

static int read_format(const struct arguments *arguments, bool *json)
{
    const char *format = argument_text(arguments, "format", "text");

    *json = strcmp(format, "json") == 0;
    if (*json || strcmp(format, "text") == 0)
        return ERROR_SUCCESS;
    return report_misuse("format is '%s', but must be text or json", format);
}

int command_exports(const struct arguments *arguments)
{
    NBD_CONNECTION_PROPERTIES server = {0};
    bool json;
    int code = read_format(arguments, &json);

    if (code == ERROR_SUCCESS)
        code = server_read(arguments, "", &server);
    if (code != ERROR_SUCCESS)
        return code;
    return server.ExportName[0] ? print_one(&server, json) : list_and_print(&server, json);
}
