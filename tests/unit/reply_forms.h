/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests that a table lists: one for each stream, in the structured and in the extended form. */
#ifndef WNBD_TESTS_UNIT_REPLY_FORMS_H
#define WNBD_TESTS_UNIT_REPLY_FORMS_H

#include "tests/unit/reply_check.h"

struct reply_case {
    void (*put)(struct stream *stream);
    void (*check)(const struct stream *stream, const uint8_t **entry); /* what is to be in the log */
    uint64_t cookie;                                                   /* of the stream's only reply */
    const char *broken;
};

static const enum nbd_form chunk_forms[] = {NBD_STRUCTURED, NBD_EXTENDED};

static inline void stream_is_right_in_every_way(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    const struct reply_case *reply = *state;

    for (size_t i = 0; i < GUARD_COUNT(chunk_forms); i++) {
        const uint8_t *entry = client.log;

        stream_init(&stream, chunk_forms[i]);
        reply->put(&stream);
        check_every_way(&stream, &client);
        reply->check(&stream, &entry);
        check_log_end(&client, entry);
    }
}

static inline void reply_is_open_until_the_last_byte(void **state)
{
    static struct stream stream;
    const struct reply_case *reply = *state;

    for (size_t i = 0; i < GUARD_COUNT(chunk_forms); i++) {
        stream_init(&stream, chunk_forms[i]);
        reply->put(&stream);
        check_open_until_the_last_byte(&stream, reply->cookie);
    }
}

static inline void misbehaviour_is_noticed(void **state)
{
    static struct stream stream;
    const struct reply_case *reply = *state;

    for (size_t i = 0; i < GUARD_COUNT(chunk_forms); i++) {
        stream_init(&stream, chunk_forms[i]);
        reply->put(&stream);
        check_broken(&stream, reply->broken);
    }
}

/* Tests by the name of what the server does. STREAM(x) has put_x and check_x. */
#define STREAM(name)                                                                                                   \
    {                                                                                                                  \
        "stream_of_" #name, stream_is_right_in_every_way, NULL, NULL, &(struct reply_case)                             \
        {                                                                                                              \
            .put = put_##name, .check = check_##name                                                                   \
        }                                                                                                              \
    }
#define REPLY(name, of)                                                                                                \
    {                                                                                                                  \
        #name "_is_open_until_the_last_byte", reply_is_open_until_the_last_byte, NULL, NULL, &(struct reply_case)      \
        {                                                                                                              \
            .put = name, .cookie = (of)                                                                                \
        }                                                                                                              \
    }
#define BROKEN(name, sentence)                                                                                         \
    {                                                                                                                  \
        #name, misbehaviour_is_noticed, NULL, NULL, &(struct reply_case)                                               \
        {                                                                                                              \
            .put = name, .broken = (sentence)                                                                          \
        }                                                                                                              \
    }

#endif
