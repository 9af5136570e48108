/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's side of the fixed newstyle handshake (doc/proto.md, "Handshake"), sans I/O: it says which bytes to send
 * or to receive next and never asks for one byte more than the protocol has, so that transmission begins with an empty
 * buffer.
 *
 *   magic --> style --> client flags and an option --> reply ... --> ACK or refused
 *     |         |              ^                                        |
 *     |         |              +---- the next option -------------------+-- ACK of GO ---------------------> done
 *     |         |                                                       +-- GO unsupported: EXPORT_NAME ---> done
 *     |         |                                                       +-- refused for good: ABORT sent --> failed
 *     |         +-- not fixed: client flags and EXPORT_NAME -----------------------------------------------> done
 *     +---------+-- not NBD, old style, protocol broken, closed -------------------------------------------> failed
 *
 * The options are those that settle the terms (core/nbd/terms.h): extended headers or, refused, structured replies;
 * with either of them the context "base:allocation"; then GO. Which follows which: handshake_option.c. A server may
 * refuse any but the last; one that is shutting down or requires TLS is left at once. A caller that cannot speak every
 * form sets handshake.form_max after nbd_handshake_init: what is above it is not asked for.
 *
 *     for (;;) {
 *         switch (nbd_handshake_step(&handshake, &bytes, &length)) {
 *         case NBD_HANDSHAKE_SEND:    send all `length` bytes; break;
 *         case NBD_HANDSHAKE_RECEIVE: receive exactly `length` bytes to `bytes`; break;
 *         case NBD_HANDSHAKE_DONE:    handshake.server_export and handshake.terms are filled; return;
 *         case NBD_HANDSHAKE_FAILED:  handshake.failure and nbd_handshake_describe say why; return;
 *         }
 *         nbd_handshake_advance(&handshake);
 *     }
 *
 * The number of steps is bounded whatever the server sends (NBD_HANDSHAKE_STEPS_MAX). Their duration is the caller's to
 * bound. A caller that does not want to wait for the last send (NBD_OPT_ABORT, when handshake.failure is set already)
 * may close at once.
 *
 * Two more questions end without a session (nbd_handshake_init_query, nbd_handshake_init_list): what an export is, by
 * NBD_OPT_INFO after NBD_OPT_LIST_META_CONTEXT, and which exports there are, by NBD_OPT_LIST, each of which is a step
 * of its own:
 *
 *         case NBD_HANDSHAKE_ENTRY:   look at handshake.entry_name and entry_description; break;
 *
 * Both leave with NBD_OPT_ABORT; after NBD_HANDSHAKE_DONE the connection is to be closed.
 *
 * After NBD_HANDSHAKE_DONE of the first kind the connection is in transmission: it is given up with
 * nbd_encode_disconnect. With the handshake skipped none of this is used: core/nbd/export.h, nbd_export_assumed.
 */
#ifndef WNBD_CORE_NBD_HANDSHAKE_H
#define WNBD_CORE_NBD_HANDSHAKE_H

#include "core/base/compiler.h"
#include "core/nbd/export.h"
#include "core/nbd/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NBD_HANDSHAKE_BUFFER 1024 /* longer replies are read in parts and dropped */
#define NBD_EXPORT_NAME_MAX  255
#define NBD_SERVER_TEXT_MAX  256
#define NBD_REPLIES_MAX      64    /* replies to one option before a server counts as broken */
#define NBD_REPLY_LENGTH_MAX 65536 /* bytes of one reply before a server counts as broken */
#define NBD_ENTRIES_MAX      10000 /* entries of a list, or contexts, before a server counts as broken */

/* A reply's header and its parts. */
#define NBD_REPLY_STEPS_MAX (1 + NBD_REPLY_LENGTH_MAX / NBD_HANDSHAKE_BUFFER)

/* No handshake for a session takes more steps: 11 fixed ones (2 of the greeting, 5 sent options, EXPORT_NAME's 2
 * replies, ABORT, the end), the replies to NBD_OPT_GO and 4 to the others: each has one, and one context is asked for.
 */
#define NBD_HANDSHAKE_STEPS_MAX (11 + (NBD_REPLIES_MAX + 4) * NBD_REPLY_STEPS_MAX)

/* Nor a list: of each entry the header, the parts and the entry itself. Nor a query, which has a list of contexts: its
 * other replies are the 64 to NBD_OPT_INFO and one to NBD_OPT_STRUCTURED_REPLY. */
#define NBD_LIST_STEPS_MAX                                                                                             \
    (11 + NBD_ENTRIES_MAX * (1 + NBD_REPLY_STEPS_MAX) + (NBD_REPLIES_MAX + 2) * NBD_REPLY_STEPS_MAX)

enum nbd_handshake_step {
    NBD_HANDSHAKE_SEND,
    NBD_HANDSHAKE_RECEIVE,
    NBD_HANDSHAKE_ENTRY,
    NBD_HANDSHAKE_DONE,
    NBD_HANDSHAKE_FAILED,
};

enum nbd_handshake_failure {
    NBD_HANDSHAKE_NO_FAILURE,
    NBD_HANDSHAKE_NOT_NBD,             /* the greeting is not an NBD server's */
    NBD_HANDSHAKE_OLDSTYLE,            /* an old-style server: it has no export names */
    NBD_HANDSHAKE_NOT_FIXED,           /* a server that answers nothing but EXPORT_NAME was asked something else */
    NBD_HANDSHAKE_UNKNOWN_EXPORT,      /* NBD_REP_ERR_UNKNOWN, or closed on EXPORT_NAME */
    NBD_HANDSHAKE_TLS_REQUIRED,        /* NBD_REP_ERR_TLS_REQD */
    NBD_HANDSHAKE_POLICY,              /* NBD_REP_ERR_POLICY */
    NBD_HANDSHAKE_SHUTDOWN,            /* NBD_REP_ERR_SHUTDOWN */
    NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED, /* NBD_REP_ERR_BLOCK_SIZE_REQD */
    NBD_HANDSHAKE_REFUSED,             /* any other error reply: handshake.reply_type has it */
    NBD_HANDSHAKE_BROKEN,              /* the server broke the protocol: handshake.broken says how */
    NBD_HANDSHAKE_CLOSED,              /* the connection ended: nbd_handshake_closed was called */
};

enum nbd_handshake_purpose {
    NBD_FOR_SESSION,
    NBD_FOR_QUERY,
    NBD_FOR_LIST,
};

enum nbd_handshake_state {
    NBD_RECEIVE_MAGIC,      /* receives the first 8 bytes */
    NBD_RECEIVE_STYLE,      /* receives the second magic number and the handshake flags */
    NBD_SEND_OPTION,        /* sends the next option, after client flags if it is the first */
    NBD_RECEIVE_REPLY,      /* receives the header of a reply to it */
    NBD_RECEIVE_INFO,       /* receives the first part of an NBD_REP_INFO */
    NBD_RECEIVE_ENTRY,      /* receives the first part of an NBD_REP_SERVER */
    NBD_RECEIVE_CONTEXT,    /* receives the first part of an NBD_REP_META_CONTEXT */
    NBD_ENTRY,              /* has an entry for the caller */
    NBD_RECEIVE_ERROR_TEXT, /* receives the first part of an error reply's text */
    NBD_RECEIVE_REST,       /* receives what is left of a reply */
    NBD_SEND_EXPORT_NAME,   /* sends NBD_OPT_EXPORT_NAME, after client flags if nothing was sent before */
    NBD_RECEIVE_EXPORT,     /* receives size and flags */
    NBD_RECEIVE_ZEROES,     /* receives the reserved bytes behind them */
    NBD_SEND_ABORT,
    NBD_DONE,
    NBD_FAILED,
};

struct nbd_option; /* handshake_option.c's */

/* About 2 KiB; the caller's memory. Fields are read only for the caller, but for the first. */
struct nbd_handshake {
    enum nbd_form form_max; /* the best form to ask for: NBD_EXTENDED, unless set between init and the first step */
    struct nbd_export server_export; /* valid after NBD_HANDSHAKE_DONE */
    struct nbd_terms terms;          /* the same, for a session */
    enum nbd_handshake_failure failure;
    uint32_t reply_type;                   /* the error reply that led to the failure, 0 if none did */
    const char *broken;                    /* NBD_HANDSHAKE_BROKEN: what the server did, a static clause */
    char server_text[NBD_SERVER_TEXT_MAX]; /* what the server said with its refusal: printable UTF-8, ended with NUL */

    /* With NBD_HANDSHAKE_ENTRY; the description also after a query's NBD_HANDSHAKE_DONE. */
    char entry_name[NBD_EXPORT_NAME_MAX + 1];    /* as the server has it, ended with NUL */
    bool entry_usable;                           /* false: the name is too long, or has a NUL, and is cut there */
    char entry_description[NBD_SERVER_TEXT_MAX]; /* printable UTF-8, ended with NUL */

    /* After a query: what the server calls the export, printable UTF-8, ended with NUL; empty: it did not say. */
    char canonical_name[NBD_SERVER_TEXT_MAX];

    /* With a query's NBD_HANDSHAKE_DONE: the names of the metadata contexts, as words with a space between them that
     * are printable UTF-8, ended with NUL. Names that do not fit are left out; empty when the server told none. */
    char contexts[NBD_SERVER_TEXT_MAX];

    /* the machine's own */
    enum nbd_handshake_purpose purpose;
    enum nbd_handshake_state state;
    uint16_t server_flags;
    uint32_t option;                /* sent last; 0 before the first */
    const struct nbd_option *asked; /* sent last of those with replies; NULL before the first */
    uint32_t replies;
    uint32_t type; /* the reply in hand */
    uint32_t left; /* its bytes that have not been asked for */
    bool got_export;
    uint32_t contexts_length;
    uint32_t name_length;
    uint32_t length; /* bytes wanted or to be sent, from the start of `buffer` */
    uint8_t name[NBD_EXPORT_NAME_MAX];
    uint8_t buffer[NBD_HANDSHAKE_BUFFER];
};

/* Begins. `name_length` is at most NBD_EXPORT_NAME_MAX; the name is copied. An empty name is the server's default. */
void nbd_handshake_init(struct nbd_handshake *handshake, const char *name, size_t name_length);

/* Begins to ask what an export is: server_export, canonical_name, entry_description and contexts, without using it. */
void nbd_handshake_init_query(struct nbd_handshake *handshake, const char *name, size_t name_length);

/* Begins to ask which exports there are. */
void nbd_handshake_init_list(struct nbd_handshake *handshake);

/* What to do next; the same answer until nbd_handshake_advance. `*bytes` borrows the handshake's buffer. */
MUST_CHECK enum nbd_handshake_step nbd_handshake_step(struct nbd_handshake *handshake, uint8_t **bytes, size_t *length);

/* The bytes of the last step have been sent or received, all of them. */
void nbd_handshake_advance(struct nbd_handshake *handshake);

/* The peer closed or reset the connection in the middle: the next step is NBD_HANDSHAKE_FAILED (unknown export when it
 * closed in answer to EXPORT_NAME, which is how that option refuses; the earlier failure when ABORT was being sent). */
void nbd_handshake_closed(struct nbd_handshake *handshake);

/* Writes one clause for a person to `text`, ended with NUL, at most `size` bytes (1 or more), e.g.
 * "the server has no export named 'disk1' (No such file)". Empty when nothing failed. */
void nbd_handshake_describe(const struct nbd_handshake *handshake, char *text, size_t size);

#endif
