/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection's life: it opens, is entered and left, is lost, and is forgotten once nothing of it is with WSK. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/text.h"

#define LIVED_MS 10000 /* a connection that lasted so long was good */

/* ---- It opens ---- */

static void reset_connection_locked(struct nbd_connection *connection)
{
    connection->state = NBD_OPEN;
    connection->large_reads = 0;
    connection->answered = false;
    connection->listening = true;
    connection->peer_closed = false;
    connection->aborting = false;
    connection->broken_off = false;
    connection->shutting_down = false;
    connection->opened_at = clock_now();
    connection->outstanding = 1; /* the receiving */
}

/* What happened while the connection was being made may be a reason to make it anew. */
static void check_new_locked(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;

    if (connection->restarts != disk->adapter->restarts) {
        nbd_break_off_locked(connection, "the adapter was restarted");
    } else if (disk->requests.reset) {
        nbd_break_off_locked(connection, "the disk was reset");
    }
}

void nbd_open(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;
    KLOCK_QUEUE_HANDLE handle;

    nbd_reader_init(&connection->reader, &connection->terms);
    connection->receiving = NULL;
    connection->was_large = false;
    connection->risky = false;
    connection->taking_leave = false;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    reset_connection_locked(connection);
    disk->nbd.was_of_use &= disk->nbd.open != 0;
    disk->nbd.form = connection->terms.form;
    disk->nbd.open++;
    disk->nbd.present++;
    disk->state = DISK_READY;
    check_new_locked(connection);
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_receive(connection);
}

/* ---- Inside ---- */

void nbd_enter_locked(struct nbd_connection *connection)
{
    connection->calls++;
}

void nbd_leave_locked(struct nbd_connection *connection)
{
    if (--connection->calls == 0) {
        KeSetEvent(&connection->settled, IO_NO_INCREMENT, FALSE);
    }
}

void nbd_settle_locked(struct nbd_connection *connection)
{
    if (--connection->outstanding == 0) {
        KeSetEvent(&connection->settled, IO_NO_INCREMENT, FALSE);
    }
}

void nbd_settle(struct nbd_connection *connection)
{
    KSPIN_LOCK *lock = &connection->disk->lock;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(lock, &handle);
    nbd_settle_locked(connection);
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* ---- It is lost ---- */

void nbd_lost_locked(struct nbd_connection *connection, const char *reason)
{
    struct disk *disk = connection->disk;
    struct nbd_backend *nbd = &disk->nbd;

    if (connection->state != NBD_OPEN) {
        return; /* the first reason is the true one */
    }
    connection->state = NBD_LOST;
    connection->lost_at = clock_now();
    if (--nbd->open == 0) {
        nbd->lost_at = connection->lost_at;
        if (disk->state == DISK_READY) {
            disk->state = DISK_RECONNECTING;
        }
    }
    text_format(nbd->reason, sizeof nbd->reason, "%s", reason);
    KeSetEvent(&nbd->lost, IO_NO_INCREMENT, FALSE);
}

bool nbd_is_open(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    bool open;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    open = disk->nbd.open != 0;
    KeReleaseInStackQueuedSpinLock(&handle);
    return open;
}

void nbd_break_off_locked(struct nbd_connection *connection, const char *reason)
{
    connection->broken_off |= connection->state == NBD_OPEN;
    nbd_lost_locked(connection, reason);
}

void nbd_break_off_all_locked(struct disk *disk, const char *reason)
{
    for (uint32_t i = 0; i < disk->nbd.count; i++) {
        nbd_break_off_locked(disk->nbd.connections[i], reason);
    }
}

void nbd_ended_locked(struct nbd_connection *connection, const char *reason)
{
    connection->listening = false;
    nbd_lost_locked(connection, reason);
}

void nbd_lost(struct nbd_connection *connection, const char *format, ...)
{
    struct disk *disk = connection->disk;
    char reason[sizeof disk->nbd.reason];
    KLOCK_QUEUE_HANDLE handle;
    va_list arguments;

    va_start(arguments, format);
    text_format_list(reason, sizeof reason, format, arguments);
    va_end(arguments);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_lost_locked(connection, reason);
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* ---- Whether it was worth it ---- */

/* One that was made and broke at once, again and again, brings nobody further. One that lasted was good, even if nobody
 * asked for anything. */
static bool was_of_use_locked(const struct nbd_connection *connection)
{
    return connection->answered || connection->broken_off ||
           connection->lost_at - connection->opened_at >= LIVED_MS * CLOCK_TICKS_PER_MS;
}

bool nbd_was_of_use(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    bool of_use;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    of_use = nbd->was_of_use;
    for (uint32_t i = 0; i < nbd->count; i++) {
        of_use |= nbd->connections[i]->state == NBD_LOST && was_of_use_locked(nbd->connections[i]);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return of_use;
}

static enum nbd_loss loss_of_locked(const struct nbd_connection *connection)
{
    if (connection->state != NBD_LOST) {
        return NBD_LOSS_NONE;
    }
    return was_of_use_locked(connection) ? NBD_LOSS_USEFUL : NBD_LOSS_USELESS;
}

enum nbd_loss nbd_loss(struct disk *disk)
{
    enum nbd_loss worst = NBD_LOSS_NONE;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < disk->nbd.count; i++) {
        worst = max(worst, loss_of_locked(disk->nbd.connections[i]));
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return worst;
}

/* Nothing of the connection is with WSK any more. */
void nbd_forget_locked(struct nbd_connection *connection)
{
    struct nbd_backend *nbd = &connection->disk->nbd;

    connection->state = NBD_ABSENT;
    nbd->was_of_use |= was_of_use_locked(connection);
    nbd->present--;
    connection->disk->requests.aborting -= connection->aborting;
    connection->aborting = false;
}
