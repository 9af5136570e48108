/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever a server sends: the handshake ends within its bound of steps, stays within its buffer, asks for no more than
 * the protocol has, its terms are among those that were asked for, and its words are printable. The input is the
 * server's bytes; its last byte chooses the name and what is asked.
 */
#include "core/base/text.h"
#include "core/nbd/handshake.h"
#include "tests/unit/handshake_run.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void require_printable(const char *string, size_t size)
{
    size_t length = strnlen(string, size);
    const uint8_t *bytes = (const uint8_t *)string;

    require(length < size);
    while (length != 0) {
        uint32_t character = 0;
        size_t count = text_utf8_character(bytes, length, &character);

        require(count != 0 && text_is_printable(character));
        bytes += count;
        length -= count;
    }
}

static void check_words(const struct nbd_handshake *handshake, size_t room)
{
    char *text = malloc(room);

    require(text != NULL);
    nbd_handshake_describe(handshake, text, room);
    require_printable(text, room);
    free(text);
}

static void check_terms(const struct nbd_handshake *handshake)
{
    const struct nbd_terms *terms = &handshake->terms;

    require(terms->form <= handshake->form_max);
    require(terms->form != NBD_SIMPLE || !terms->block_status);
    require(terms->block_status || terms->allocation_id == 0);
    require(handshake->purpose == NBD_FOR_SESSION || !terms->block_status);
    require(handshake->purpose == NBD_FOR_QUERY || handshake->contexts[0] == '\0');
}

static void check_end(const struct run *run, const struct nbd_handshake *handshake)
{
    struct nbd_geometry geometry;

    if (run->end == NBD_HANDSHAKE_FAILED) {
        require(handshake->failure != NBD_HANDSHAKE_NO_FAILURE);
        require((handshake->failure == NBD_HANDSHAKE_BROKEN) == (handshake->broken != NULL));
        return;
    }
    require(run->end == NBD_HANDSHAKE_DONE && handshake->failure == NBD_HANDSHAKE_NO_FAILURE);
    check_terms(handshake);
    for (uint32_t block_size = 512; block_size <= 4096; block_size *= 8) {
        if (nbd_export_geometry(&handshake->server_export, block_size, &geometry) == NBD_GEOMETRY_OK) {
            require(geometry.block_count >= 1 && geometry.block_count <= INT64_MAX / block_size);
            require(geometry.maximum_length >= block_size && geometry.maximum_length % block_size == 0);
            require(block_size % handshake->server_export.minimum_block == 0);
        }
    }
}

static void begin(struct nbd_handshake *handshake, uint8_t choice)
{
    static const char name[NBD_EXPORT_NAME_MAX] = "disk1\x1B\xC3\xBC";
    static const enum nbd_form forms[] = {NBD_SIMPLE, NBD_STRUCTURED, NBD_EXTENDED, NBD_EXTENDED};
    size_t length = choice % 8 == 7 ? choice : choice % 8;

    switch (choice >> 6) {
    case 2:
        nbd_handshake_init_query(handshake, name, length);
        break;
    case 3:
        nbd_handshake_init_list(handshake);
        break;
    default:
        nbd_handshake_init(handshake, name, length);
        break;
    }
    handshake->form_max = forms[choice / 8 % 4];
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    struct nbd_handshake *handshake = malloc(sizeof *handshake);
    static struct run run;
    uint8_t choice = length == 0 ? 0 : input[length - 1];

    require(handshake != NULL);
    begin(handshake, choice);
    require(run_handshake(&run, handshake, input, length));
    check_end(&run, handshake);
    require_printable(handshake->server_text, sizeof handshake->server_text);
    require_printable(handshake->entry_description, sizeof handshake->entry_description);
    require_printable(handshake->contexts, sizeof handshake->contexts);
    require_printable(handshake->canonical_name, sizeof handshake->canonical_name);
    require(strnlen(handshake->entry_name, sizeof handshake->entry_name) < sizeof handshake->entry_name);
    check_words(handshake, 1 + choice);
    check_words(handshake, 1024);
    free(handshake);
    return 0;
}
