/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a handshake against a server that sends given bytes and then closes, whatever the client sends, and keeps what
 * the client sent. Checks on the way what the handshake promises of each step.
 */
#ifndef WNBD_TESTS_UNIT_HANDSHAKE_RUN_H
#define WNBD_TESTS_UNIT_HANDSHAKE_RUN_H

#include "core/nbd/handshake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define RUN_NAMES_MAX 1024 /* of a list: "name=description;" each, "!" before one that cannot be used */
#define RUN_SENT_MAX  1024 /* all that a handshake sends: three options with names, two without, and an abort */

struct run {
    enum nbd_handshake_step end;
    size_t received; /* bytes of the server's that were asked for and given */
    bool asked_for_more;
    size_t steps;
    size_t entries; /* of a list */
    char names[RUN_NAMES_MAX];
    size_t sent_length;
    uint8_t sent[RUN_SENT_MAX];
};

static inline size_t run_steps_max(const struct nbd_handshake *handshake)
{
    return handshake->purpose == NBD_FOR_SESSION ? NBD_HANDSHAKE_STEPS_MAX : NBD_LIST_STEPS_MAX;
}

static inline void run_note_entry(struct run *run, const struct nbd_handshake *handshake)
{
    size_t length = strlen(run->names);

    run->entries++;
    snprintf(run->names + length, RUN_NAMES_MAX - length, "%s%s=%s;", handshake->entry_usable ? "" : "!",
             handshake->entry_name, handshake->entry_description);
}

/* One step; false when it is the last. `*broken_promise` becomes true when the handshake did what it must not. */
static inline bool run_step(struct run *run, struct nbd_handshake *handshake, const uint8_t *server, size_t length,
                            bool *broken_promise)
{
    uint8_t *bytes;
    size_t count;

    run->end = nbd_handshake_step(handshake, &bytes, &count);
    run->steps++;
    if (run->end == NBD_HANDSHAKE_DONE || run->end == NBD_HANDSHAKE_FAILED) {
        return false;
    }
    if (run->end == NBD_HANDSHAKE_ENTRY) {
        run_note_entry(run, handshake);
        nbd_handshake_advance(handshake);
        return true;
    }
    if (bytes != handshake->buffer || count == 0 || count > NBD_HANDSHAKE_BUFFER ||
        run->steps > run_steps_max(handshake)) {
        *broken_promise = true;
        return false;
    }
    if (run->end == NBD_HANDSHAKE_SEND) {
        if (count > RUN_SENT_MAX - run->sent_length) {
            *broken_promise = true;
            return false;
        }
        memcpy(run->sent + run->sent_length, bytes, count);
        run->sent_length += count;
    } else if (count > length - run->received) {
        memcpy(bytes, server + run->received, length - run->received);
        run->received = length;
        run->asked_for_more = true;
        nbd_handshake_closed(handshake);
        return true;
    } else {
        memcpy(bytes, server + run->received, count);
        run->received += count;
    }
    nbd_handshake_advance(handshake);
    return true;
}

/* True when the handshake kept its promises. `handshake` has been initialised. */
static inline bool run_handshake(struct run *run, struct nbd_handshake *handshake, const uint8_t *server, size_t length)
{
    bool broken_promise = false;

    memset(run, 0, sizeof *run);
    while (run_step(run, handshake, server, length, &broken_promise)) {
    }
    return !broken_promise;
}

#endif
