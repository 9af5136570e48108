/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk: its name and address, its life, its counters. The backend (nbd.h) carries out its requests.
 *
 *   connecting --> ready <--> reconnecting --> lost --> ready
 *        |           |             |            |
 *        +-----------+-------------+------------+--> removing --> (gone)
 *
 * connecting    the name and the address are taken, SCSI does not see it
 * ready         requests go to the server
 * reconnecting  the connection has ended: Storport is asked to pause, requests wait for the next connection
 * lost          that took longer than ReconnectTimeoutMs: requests fail with sense; the next connection is still tried
 * removing      its thread is taking it down: SCSI does not see it any more, the name is still taken
 *
 * One thread per disk does everything that waits: it connects, then sleeps until the connection is lost, which it makes
 * again, or the disk is to be removed, then takes it down. The disk's memory goes when the last reference does.
 */
#ifndef WNBD_DRIVER_DISK_H
#define WNBD_DRIVER_DISK_H

#include "driver/driver.h"
#include "driver/backend.h"
#include "driver/channel.h"
#include "driver/nbd.h"
#include "driver/pattern.h"
#include "driver/performance.h"
#include "driver/reconnect.h"
#include "driver/requests.h"

#include "core/io/stats.h"
#include "core/scsi/device.h"

enum disk_state {
    DISK_CONNECTING,
    DISK_READY,
    DISK_RECONNECTING,
    DISK_LOST,
    DISK_REMOVING,
};

/* Why a disk is taken down: what comes first. */
enum disk_end {
    DISK_STAYS,
    DISK_UNMAPPED,   /* by REMOVE */
    DISK_CLEARED,    /* the same, with all disks of the adapter */
    DISK_DESERTED,   /* whoever serves it, or was to get it, has gone or does not answer */
    DISK_LOST_PLACE, /* the adapter goes */
};

struct disk {
    /* fixed after creation */
    struct adapter *adapter; /* borrows */
    const struct backend *backend;
    uint64_t connection_id;
    uint8_t target;
    struct performance_name performance_name;
    PETHREAD thread;
    KEVENT started;   /* `thread` is known: the thread may go on */
    struct work reap; /* the thread has ended */

    /* written by the thread before the disk is ready, fixed after */
    WNBD_PROPERTIES properties;
    struct scsi_device device; /* its size may change: device_blocks */

    struct search search; /* the thread's */
    struct pattern pattern;

    /* guarded by adapter->lock */
    bool peer_known; /* from disk_claim_export on */
    SOCKADDR_STORAGE peer;
    PIRP create_irp;         /* pended until the disk is ready or has failed */
    LIST_ENTRY removal_irps; /* pended until the disk is gone */
    bool left;               /* gone from the table: nothing can wait for it any more */

    /* atomic */
    volatile LONG references;
    volatile LONG attentions; /* enum scsi_attention: to be reported */
    volatile LONG end;        /* enum disk_end; stays when it is set */

    KEVENT stop; /* the disk is to be removed; stays set */

    KSPIN_LOCK lock;
    /* guarded by lock */
    enum disk_state state;
    struct io_stats stats;
    struct requests requests;
    struct nbd_backend nbd; /* of one of these two */
    struct channel channel;

    char message[sizeof(((WNBD_IOCTL_CREATE_OUTPUT *)0)->Message)]; /* the thread's: why connecting failed */
};

/* Makes a disk that is connecting, not in any table, with one reference. NULL: no memory. PASSIVE_LEVEL. */
struct disk *disk_create(struct adapter *adapter, const WNBD_PROPERTIES *properties);

/* A disk's target from its connection id, so that no search is needed. */
static inline ULONG disk_target_of_id(WNBD_CONNECTION_ID id)
{
    return (ULONG)(id % ADAPTER_TARGETS);
}

void disk_reference(struct disk *disk);

/* False: the last reference is gone already. */
bool disk_try_reference(struct disk *disk);
void disk_release(struct disk *disk);

/* ---- The adapter's table (adapter->lock is taken inside) ---- */

/* Takes name and address for the disk; the table has a reference then. STATUS_OBJECT_NAME_COLLISION,
 * STATUS_TOO_MANY_ADDRESSES, or STATUS_DELETE_PENDING when the adapter is ending. */
NTSTATUS disk_enter(struct disk *disk);

/* Gives up name and address and the table's reference. */
void disk_leave(struct disk *disk);

/* Prepares the places in which SCSI sees disks. PASSIVE_LEVEL, before the first disk. */
void disk_places_init(struct adapter *adapter);

/* SCSI sees the disk from now on; no longer, once everybody who has pinned it has let go. PASSIVE_LEVEL, the disk's
 * thread. */
void disk_show(struct disk *disk);
void disk_hide(struct disk *disk);

/* The disk that SCSI sees at a target, NULL. It stays until disk_unpin, which must not wait for anything. */
struct disk *disk_pin(struct adapter *adapter, ULONG target);
void disk_unpin(struct disk *disk);

/* The disk in the table's place `target` whatever its state, with a reference; NULL. */
struct disk *disk_in_place(struct adapter *adapter, ULONG target);

/* The disk of that name whatever its state, with a reference; NULL. `name` is an array of WNBD_MAX_NAME_LENGTH. */
struct disk *disk_named(struct adapter *adapter, const char *name);

/* Records the server's address; whether the disk is read-only is known by now. False: another disk of this adapter has
 * the same export of the same server, and it is not that both are read-only or that Force was asked for; its name is
 * written to `other_name`, an array of WNBD_MAX_NAME_LENGTH. */
bool disk_claim_export(struct disk *disk, const SOCKADDR_STORAGE *peer, CHAR *other_name);

/* The server has another address than the one the export was claimed by. */
void disk_moved(struct disk *disk, const SOCKADDR_STORAGE *peer);

/* ---- Life ---- */

/* Starts the disk's thread, which has a reference of its own. PASSIVE_LEVEL. */
NTSTATUS disk_start(struct disk *disk);

/* The disk's IRP of a pended create, once; NULL when somebody else has taken it. adapter->lock is taken inside. */
PIRP disk_take_create_irp(struct disk *disk);

/* Lets `irp` wait until the disk is gone. False: it is too late for that, or the adapter is ending. adapter->lock is
 * taken inside. */
bool disk_await_removal(struct disk *disk, PIRP irp);

/* Completes with success the IRPs that wait for the disk's removal. adapter->lock is taken inside. */
void disk_complete_removal_irps(struct disk *disk);

/* Asks the thread to take the disk down, at once and in bounded time. */
void disk_stop(struct disk *disk, enum disk_end why);

/* disk->lock is taken inside. */
enum disk_state disk_state(struct disk *disk);
void disk_set_state(struct disk *disk, enum disk_state state);

/* Whether requests are taken in that state, to be sent now or over the next connection. */
static inline bool disk_takes_requests(enum disk_state state)
{
    return state == DISK_READY || state == DISK_RECONNECTING;
}

/*
 * Ends what the disk has with its server now if requests are out; they complete with `status` as WSK gives them back.
 * `reset` is the record of the SRB that asked for it, completed after them. NULL: nobody waits. The disk is pinned.
 */
void disk_reset(struct disk *disk, UCHAR status, struct record *reset);

/*
 * Aborts one request, if it is out: at once when it was not sent yet, else by ending what the disk has with its server,
 * since NBD cannot take a request back; the others are sent again. `abort` is the record of the SRB that asked for it,
 * completed after it. NULL: nobody waits. False: it is answered already, and `abort` is not taken. The disk is pinned.
 */
bool disk_abort(struct disk *disk, PSCSI_REQUEST_BLOCK srb, struct record *abort);

/* The connection is made again, because it may be dead without anybody having noticed. The disk is pinned. */
void disk_renew(struct disk *disk);

/* Gives the disk another size, and tells Storport and the class driver. PASSIVE_LEVEL. */
void disk_resize(struct disk *disk, uint64_t block_count);

/* One unit attention that is to be reported, an enum scsi_attention; it is not any more. 0: there is none. */
LONG disk_take_attention(struct disk *disk);

/* ---- Reports ---- */

/* Fills in what show, list and create answer. PASSIVE_LEVEL. */
void disk_describe(struct disk *disk, WNBD_CONNECTION_INFO *info);

/* A disk's state as reports have it. */
WnbdServerState disk_server_state(enum disk_state state);

void disk_describe_server(struct disk *disk, WNBD_SERVER_STATUS *status);

void disk_statistics(struct disk *disk, WNBD_DRV_STATS *statistics);

/* The same, and what was transferred. */
void disk_statistics_all(struct disk *disk, WNBD_IOCTL_STATS_OUTPUT *output);

#endif
