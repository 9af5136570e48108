/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream of replies gives the same events whole, byte by byte, and cut in any pieces, some of them received straight
 * into the read's memory; nothing is written outside of a read, and all of it when it ends without error
 * (reply_client.h). The first byte of the input chooses the cuts, the rest is the stream. One program for each form of
 * the replies: REPLY_FORM.
 */
#include "tests/unit/reply_client.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Each piece is memory of its own, so that AddressSanitizer sees a byte read behind it. */
static void feed_piece(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length == 0 ? 1 : length);

    require(copy != NULL);
    memcpy(copy, bytes, length);
    require(client_feed(client, copy, length));
    free(copy);
}

static void feed_in_pieces(struct reply_client *client, uint32_t seed, const uint8_t *bytes, size_t length)
{
    while (length != 0) {
        size_t count;

        seed = seed * 1664525 + 1013904223;
        count = 1 + (seed >> 16) % ((seed >> 8) % 4 == 0 ? 600 : 24);
        count = count < length ? count : length;
        if ((seed >> 12) % 2 == 0 && nbd_reader_payload(&client->reader) != 0) {
            count = client_receive_straight(client, bytes, count);
            require(count != 0);
        } else {
            feed_piece(client, bytes, count);
        }
        bytes += count;
        length -= count;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    static struct reply_client whole;
    static struct reply_client client;

    if (length == 0 || length > CLIENT_STREAM_MAX) {
        return 0;
    }
    client_init(&whole, REPLY_FORM);
    feed_piece(&whole, input + 1, length - 1);
    client_init(&client, REPLY_FORM);
    for (size_t i = 1; i < length; i++) {
        feed_piece(&client, input + i, 1);
    }
    require(client_equal(&client, &whole));
    client_init(&client, REPLY_FORM);
    feed_in_pieces(&client, input[0], input + 1, length - 1);
    require(client_equal(&client, &whole));
    return 0;
}
