/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a lost connection to the next. While others are there it is made again beside them; when the last one is lost:
 *
 *   lost --> Storport paused --> suspended --> try --> try --> ... --> open, resumed
 *                                               |
 *                                               +-- ReconnectTimeoutMs over: requests fail, resumed; try on
 *
 * Requests of a paused disk do not age in Storport (docs/verification.md). A pause has an end of its own, so that it is
 * renewed before each try.
 */
#include "driver/disk.h"

#include "driver/clock.h"
#include "driver/log.h"
#include "driver/text.h"

#define FIRST_PAUSE_MS 100 /* doubled after each try */
#define LAST_PAUSE_MS  5000
#define TRY_MS_MIN     1000  /* a try at the end of ReconnectTimeoutMs still gets this */
#define MEND_TRY_MS    2000  /* for one connection more, while others serve */
#define MEND_PAUSE_MS  30000 /* the longest pause between such tries */
#define MARGIN_S       10    /* that a pause of Storport's outlives a try by */

static void begin(struct disk *disk)
{
    struct search *search = &disk->search;

    if (search->begun && !nbd_was_of_use(disk)) {
        return;
    }
    search->begun = true;
    search->begun_at = clock_awake();
    search->pause_ms = 0;
    search->given_up = false;
}

/* What is left of the time that requests wait; a large number when that has no end. */
static ULONG left_ms(const struct disk *disk)
{
    ULONG timeout_ms = (ULONG)driver_options.reconnect_timeout_ms;
    ULONGLONG waited_ms = (clock_awake() - disk->search.begun_at) / CLOCK_TICKS_PER_MS;

    if (timeout_ms == 0) {
        return MAXULONG;
    }
    return waited_ms < timeout_ms ? (ULONG)(timeout_ms - waited_ms) : 0;
}

static void hold_back(struct disk *disk)
{
    ULONG seconds = ((ULONG)driver_options.connect_timeout_ms + LAST_PAUSE_MS) / 1000 + MARGIN_S;

    if (!StorPortPauseDevice(disk->adapter, 0, disk->target, 0, seconds)) {
        log_disk(NOT_PAUSED, disk);
    }
}

static void let_come(struct disk *disk)
{
    StorPortResumeDevice(disk->adapter, 0, disk->target, 0);
}

/* False: the disk is to be removed. */
static bool sleep(struct disk *disk, ULONG milliseconds)
{
    LARGE_INTEGER timeout = {.QuadPart = -(LONGLONG)(milliseconds * CLOCK_TICKS_PER_MS)};

    return KeWaitForSingleObject(&disk->stop, Executive, KernelMode, FALSE, &timeout) != STATUS_SUCCESS;
}

/* A try must not begin later than the requests may wait. */
static void next_pause(struct disk *disk)
{
    struct search *search = &disk->search;

    search->pause_ms = search->pause_ms == 0 ? FIRST_PAUSE_MS : min(2 * search->pause_ms, LAST_PAUSE_MS);
    if (!search->given_up) {
        search->pause_ms = min(search->pause_ms, max(left_ms(disk), FIRST_PAUSE_MS));
    }
}

/* The last sentence about it, for reports. */
static void note(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    text_format(disk->nbd.reason, sizeof disk->nbd.reason, "%s", disk->message);
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void give_up(struct disk *disk)
{
    log_disk(GIVEN_UP, disk, (ULONG)driver_options.reconnect_timeout_ms, disk->nbd.reason);
    disk->search.given_up = true;
    requests_fail_waiting(disk);
    let_come(disk);
}

static bool try(struct disk *disk, struct nbd_connection *connection)
{
    const struct search *search = &disk->search;
    ULONG timeout_ms = (ULONG)driver_options.connect_timeout_ms;
    NTSTATUS status;

    if (!search->given_up) {
        hold_back(disk);
        timeout_ms = min(timeout_ms, max(left_ms(disk), TRY_MS_MIN));
    }
    status = nbd_connect_again(connection, timeout_ms, &disk->stop);
    if (!NT_SUCCESS(status)) {
        note(disk);
    }
    return NT_SUCCESS(status);
}

/* A connection was made that had been lost. */
static void count(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    uint64_t reconnects;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    reconnects = ++disk->nbd.reconnects;
    KeReleaseInStackQueuedSpinLock(&handle);
    log_disk(CONNECTED_AGAIN, disk, reconnects);
}

static void go_on(struct disk *disk, struct nbd_connection *connection)
{
    count(disk);
    nbd_open(connection);
    let_come(disk);
}

/* The connections end. What was not answered waits, or, if others have waited too long already, fails. */
static void end_connections(struct disk *disk)
{
    if (!disk->search.given_up) {
        hold_back(disk);
    }
    nbd_suspend(disk);
    if (disk->search.given_up) {
        requests_fail_waiting(disk);
    } else if (left_ms(disk) == 0) {
        give_up(disk);
    }
}

/* There is no connection: until there is one, or the disk is to be removed. */
static void search_on(struct disk *disk)
{
    struct search *search = &disk->search;

    begin(disk);
    log_disk(CONNECTION_LOST, disk, disk->nbd.reason);
    end_connections(disk);
    while (sleep(disk, search->pause_ms)) {
        struct nbd_connection *connection = nbd_missing(disk);

        next_pause(disk);
        if (try(disk, connection)) {
            go_on(disk, connection);
            return;
        }
        if (!search->given_up && left_ms(disk) == 0) {
            give_up(disk);
        }
    }
}

/* ---- One of several ---- */

static void mended(struct disk *disk, struct nbd_connection *connection)
{
    if (connection->opened_at != 0) {
        count(disk);
    }
    nbd_open(connection);
}

static void pause_longer(struct search *search)
{
    search->mend_pause_ms = search->mend_pause_ms == 0 ? FIRST_PAUSE_MS : min(2 * search->mend_pause_ms, MEND_PAUSE_MS);
}

static void not_mended(struct disk *disk)
{
    if (disk->search.mend_pause_ms == 0) { /* said once */
        log_disk(CONNECTIONS_MISSING, disk, disk->nbd.wanted, disk->message);
    }
    pause_longer(&disk->search);
}

/* Makes one of the connections that are missing beside those that serve, if it is time to. */
static void mend(struct disk *disk)
{
    struct search *search = &disk->search;
    struct nbd_connection *connection = nbd_missing(disk);
    NTSTATUS status;

    if (connection == NULL || clock_awake() < search->mend_at || !sleep(disk, 0)) {
        return;
    }
    status = nbd_connect_again(connection, MEND_TRY_MS, &disk->nbd.lost);
    if (NT_SUCCESS(status)) {
        mended(disk, connection);
    } else if (status != STATUS_CANCELLED) { /* what was lost meanwhile comes first */
        not_mended(disk);
    }
    search->mend_at = clock_awake() + search->mend_pause_ms * CLOCK_TICKS_PER_MS;
}

bool reconnect_wait_is_bounded(struct disk *disk, LARGE_INTEGER *timeout)
{
    ULONGLONG now = clock_awake();
    ULONGLONG at = disk->search.mend_at;

    timeout->QuadPart = at > now ? -(LONGLONG)(at - now) : 0;
    return nbd_missing(disk) != NULL;
}

/* Connections have been lost while others are there. A server that takes one and ends it at once takes no more: it is
 * not to be asked again and again. */
static void end_some(struct disk *disk)
{
    struct search *search = &disk->search;

    switch (nbd_loss(disk)) {
    case NBD_LOSS_NONE:
        break;
    case NBD_LOSS_USEFUL:
        search->mend_pause_ms = 0;
        search->mend_at = 0;
        break;
    case NBD_LOSS_USELESS:
        pause_longer(search);
        search->mend_at = clock_awake() + search->mend_pause_ms * CLOCK_TICKS_PER_MS;
        break;
    }
    nbd_suspend(disk);
}

void reconnect(struct disk *disk)
{
    if (nbd_is_open(disk)) {
        end_some(disk);
    }
    if (nbd_is_open(disk)) {
        mend(disk);
    } else {
        search_on(disk);
    }
}
