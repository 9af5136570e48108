/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IOCTL_WNBD_ENTER: the buffers of one who sends it, and the sending. */
#ifndef LIBWNBD_ENTER_H
#define LIBWNBD_ENTER_H

#include "libwnbd/pace.h"

#include <stddef.h>

/* Large: fix them in place, one user at a time. */
struct enter {
    HANDLE event;
    OVERLAPPED overlapped;
    union {
        WNBD_IOCTL_ENTER_COMMAND command;
        BYTE command_space[offsetof(WNBD_IOCTL_ENTER_COMMAND, Answers) + WNBD_ENTER_MAX_ANSWERS * sizeof(WNBD_ANSWER)];
    };
    union {
        WNBD_ENTER_OUTPUT output;
        BYTE output_space[offsetof(WNBD_ENTER_OUTPUT, Requests) + PACE_BATCH_MAX * sizeof(WNBD_ARENA_REQUEST)];
    };
};

/* 14: no event. */
DWORD enter_open(struct enter *enter, WNBD_CONNECTION_ID connection);
void enter_close(struct enter *enter); /* also of one that is all zeroes */

/*
 * Sends enter->command, whose AnswerCount, Answers, MaxRequests (PACE_BATCH_MAX at most), Wait and Wake the caller has
 * set, and waits until it is done; enter->output has the answer then. May be cancelled over enter->overlapped.
 */
DWORD enter_send(HANDLE adapter, struct enter *enter);

/* Sends one answer and no wish. Overlapped: as a caller of WnbdSendResponseEx gives it; `output` must live until the
 * end. */
DWORD enter_send_answer(HANDLE adapter, WNBD_CONNECTION_ID connection, const WNBD_ANSWER *answer,
                        PWNBD_ENTER_OUTPUT output, LPOVERLAPPED overlapped);

#endif
