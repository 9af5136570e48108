/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The NBD client as a disk's backend. */
#include "driver/backend.h"

#include "driver/clock.h"
#include "driver/disk.h"

static void open(struct disk *disk)
{
    nbd_open(disk->nbd.connections[0]);
}

/* Until a connection is lost or to be made. False: the disk is to be removed. */
static bool wait_for_loss(struct disk *disk)
{
    PVOID events[] = {&disk->stop, &disk->nbd.lost};
    LARGE_INTEGER timeout;
    bool bounded = reconnect_wait_is_bounded(disk, &timeout);

    return KeWaitForMultipleObjects(ARRAYSIZE(events), events, WaitAny, Executive, KernelMode, FALSE,
                                    bounded ? &timeout : NULL, NULL) != STATUS_WAIT_0;
}

static void serve(struct disk *disk)
{
    while (wait_for_loss(disk)) {
        reconnect(disk);
    }
}

/* What the thread is doing for its connections ends early. */
static void wake(struct disk *disk)
{
    KeSetEvent(&disk->nbd.lost, IO_NO_INCREMENT, FALSE);
}

/* NBD cannot take a request back: the connections end. */
static void reset_locked(struct disk *disk, struct list_link *done)
{
    struct nbd_backend *nbd = &disk->nbd;

    if (nbd->present == 0) { /* nothing is with WSK */
        requests_drain_locked(disk, done);
        disk->requests.reset = false;
        return;
    }
    for (uint32_t i = 0; i < nbd->count; i++) {
        nbd_lost_locked(nbd->connections[i], "the disk was reset while requests were out");
    }
}

/* Ends the connection, unless that is being done for a reset and what was out over it waits for the others. */
static void abort_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    struct nbd_connection *connection = record->connection;

    UNREFERENCED_PARAMETER(done);
    if (connection->state != NBD_ABSENT && !connection->aborting) {
        connection->aborting = true;
        disk->requests.aborting++;
    }
    nbd_break_off_locked(connection, "a request was aborted while it was out");
}

static void renew_locked(struct disk *disk)
{
    nbd_break_off_all_locked(disk, "the adapter was restarted");
}

/* ---- Reports ---- */

static WnbdReplies replies_of(enum nbd_form form)
{
    switch (form) {
    case NBD_SIMPLE:
        break;
    case NBD_STRUCTURED:
        return WnbdRepliesStructured;
    case NBD_EXTENDED:
        return WnbdRepliesExtended;
    }
    return WnbdRepliesSimple;
}

static void describe_locked(struct disk *disk, WNBD_SERVER_STATUS *status)
{
    const struct nbd_backend *nbd = &disk->nbd;

    C_ASSERT(sizeof status->LastError == sizeof nbd->reason);
    status->State = disk_server_state(disk->state);
    status->Connections = nbd->open;
    status->Replies = replies_of(nbd->form);
    status->LostForMs = nbd->open != 0 ? 0 : (clock_now() - nbd->lost_at) / CLOCK_TICKS_PER_MS;
    status->Reconnects = nbd->reconnects;
    status->ReplayedRequests = nbd->replayed;
    status->UnfencedConnections = nbd->unfenced;
    RtlCopyMemory(status->LastError, nbd->reason, sizeof nbd->reason);
}

const struct backend nbd_backend = {
    .takes_pages = true,
    .allocate = nbd_allocate,
    .free = nbd_free,
    .connect = nbd_connect,
    .open = open,
    .serve = serve,
    .close = nbd_close,
    .gone = nbd_disconnected,
    .wake = wake,
    .pump_locked = nbd_pump_locked,
    .reset_locked = reset_locked,
    .abort_locked = abort_locked,
    .describe_locked = describe_locked,
    .renew_locked = renew_locked,
};
