/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/senders.h"

#include <stdlib.h>

static struct sender *make(WNBD_CONNECTION_ID connection)
{
    struct sender *sender = calloc(1, sizeof(*sender));

    if (sender && enter_open(&sender->enter, connection) != ERROR_SUCCESS) {
        free(sender);
        return NULL;
    }
    return sender;
}

struct sender *senders_take(struct served *served)
{
    struct sender *sender;

    AcquireSRWLockExclusive(&served->lock);
    sender = served->senders;
    if (sender)
        served->senders = sender->next;
    ReleaseSRWLockExclusive(&served->lock);
    return sender ? sender : make(served->disk.ConnectionInfo.ConnectionId);
}

void senders_put(struct served *served, struct sender *sender)
{
    AcquireSRWLockExclusive(&served->lock);
    sender->next = served->senders;
    served->senders = sender;
    ReleaseSRWLockExclusive(&served->lock);
}

void senders_close(struct served *served)
{
    struct sender *sender;

    while ((sender = served->senders) != NULL) {
        served->senders = sender->next;
        enter_close(&sender->enter);
        free(sender);
    }
}
