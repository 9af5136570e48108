/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An NBD handshake from this program, over a socket of Windows'. */
#ifndef WNBD_CLIENT_TALK_H
#define WNBD_CLIENT_TALK_H

#include "core/nbd/handshake.h"

#include <wnbd.h>

/* Called for each entry of a list. */
typedef void talk_entry(const struct nbd_handshake *handshake, void *context);

/*
 * Connects to the server and has `handshake`, which has been begun, come to its end; `entry` may be NULL when it is no
 * list. Takes at most ten seconds. Not 0: a Win32 error, and `problem` is a clause in words.
 */
#define TALK_PROBLEM_SIZE 1024
DWORD talk(const NBD_CONNECTION_PROPERTIES *server, struct nbd_handshake *handshake, talk_entry *entry, void *context,
           char problem[TALK_PROBLEM_SIZE]);

#endif
