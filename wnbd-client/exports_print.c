/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/exports_print.h"

#include "wnbd-client/json.h"
#include "wnbd-client/values.h"

#include "core/base/text.h"
#include "core/nbd/wire.h"

#include <stdio.h>
#include <string.h>

static const struct {
    uint16_t flag;
    const char *word;
} abilities[] = {
    {NBD_FLAG_READ_ONLY, "read_only"},
    {NBD_FLAG_SEND_FLUSH, "flush"},
    {NBD_FLAG_SEND_FUA, "fua"},
    {NBD_FLAG_SEND_TRIM, "trim"},
    {NBD_FLAG_SEND_WRITE_ZEROES, "write_zeroes"},
    {NBD_FLAG_SEND_FAST_ZERO, "fast_zero"},
    {NBD_FLAG_SEND_CACHE, "cache"},
    {NBD_FLAG_SEND_DF, "df"},
    {NBD_FLAG_CAN_MULTI_CONN, "multi_conn"},
    {NBD_FLAG_ROTATIONAL, "rotational"},
};

#define ABILITIES (sizeof(abilities) / sizeof(abilities[0]))

/* ---- As text ---- */

static void print_printable(const char *text)
{
    char bytes[NBD_EXPORT_NAME_MAX + 1];
    struct text printable;

    text_init(&printable, bytes, sizeof(bytes));
    text_append(&printable, text);
    fputs(bytes, stdout);
}

static void print_abilities(uint16_t flags)
{
    const char *separator = "";

    for (size_t i = 0; i < ABILITIES; i++) {
        if (flags & abilities[i].flag) {
            printf("%s%s", separator, abilities[i].word);
            separator = ", ";
        }
    }
}

static void print_row(const char *name, const struct nbd_handshake *handshake)
{
    const struct nbd_export *server_export = &handshake->server_export;
    char blocks[3 * sizeof("4294967295")];
    char size[VALUE_SIZE_TEXT];

    snprintf(blocks, sizeof(blocks), "%u/%u/%u", server_export->minimum_block, server_export->preferred_block,
             server_export->maximum_payload);
    printf("%-12s  %-20s  ", value_format_size(server_export->size, size), blocks);
    print_printable(name);
    if (handshake->canonical_name[0] && strcmp(handshake->canonical_name, name) != 0)
        printf("  = %s", handshake->canonical_name);
    printf("%s%s  (", handshake->entry_description[0] ? "  - " : "", handshake->entry_description);
    print_abilities(server_export->flags);
    printf("%s%s)\n", handshake->contexts[0] ? "; " : "", handshake->contexts);
}

static void print_row_of_problem(const char *name, const char *problem)
{
    printf("%-12s  %-20s  ", "-", "-");
    print_printable(name);
    printf("  - %s\n", problem);
}

/* ---- As JSON ---- */

/* An array of the words of a text, which has one space between two. */
static void print_json_words(const char *name, const char *text)
{
    json_begin_array(name);
    while (*text) {
        size_t length = strcspn(text, " ");

        json_bytes(NULL, text, length);
        text += length + (text[length] == ' ');
    }
    json_end_array();
}

static void print_json(const char *name, const struct nbd_handshake *handshake)
{
    const struct nbd_export *server_export = &handshake->server_export;

    json_begin_object(NULL);
    json_text("name", name);
    json_text("canonical_name", handshake->canonical_name[0] ? handshake->canonical_name : name);
    json_text("description", handshake->entry_description);
    json_unsigned("size", server_export->size);
    for (size_t i = 0; i < ABILITIES; i++)
        json_boolean(abilities[i].word, server_export->flags & abilities[i].flag);
    json_unsigned("minimum_block", server_export->minimum_block);
    json_unsigned("preferred_block", server_export->preferred_block);
    json_unsigned("maximum_payload", server_export->maximum_payload);
    print_json_words("contexts", handshake->contexts);
    json_end_object();
}

static void print_json_of_problem(const char *name, const char *problem)
{
    json_begin_object(NULL);
    json_text("name", name);
    json_text("problem", problem);
    json_end_object();
}

/* ---- Either ---- */

void exports_print_begin(bool json)
{
    if (json)
        json_begin_array(NULL);
    else
        printf("%-12s  %-20s  %s\n", "Size", "Blocks", "Name");
}

void exports_print_end(bool json)
{
    if (json)
        json_end_array();
}

void exports_print(bool json, const char *name, const struct nbd_handshake *handshake)
{
    (json ? print_json : print_row)(name, handshake);
}

void exports_print_problem(bool json, const char *name, const char *problem)
{
    (json ? print_json_of_problem : print_row_of_problem)(name, problem);
}
