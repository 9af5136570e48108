/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The NBD client of a disk: requests go out in batches, one WskSend each; replies come in through one WskReceive that
 * is always out on each connection.
 *
 *   waiting ---(pumped)---> in a send --(WSK: acknowledged)--+
 *                               |                            +--> finished, SRB completed
 *                               +------(server: reply)-------+
 *
 * A disk has one connection, or several if the server says that they see the same data (NBD_FLAG_CAN_MULTI_CONN): any
 * of them takes what waits. The queue holds a request from nbd_submit until it is finished, so a slot (and its header
 * in memory) is not used again while a send may still read it. When a connection is lost, or the disk is reset or
 * removed, nothing more is sent over it; the disk's thread closes the socket, and WSK gives back every IRP. What was
 * not answered then waits for another connection, which sends it again, or fails: at a reset, at its abort, at a
 * removal, and when there is no connection in time.
 */
#ifndef WNBD_DRIVER_NBD_H
#define WNBD_DRIVER_NBD_H

#include "driver/counters.h"
#include "driver/requests.h"
#include "core/base/compiler.h"

#include "core/nbd/encode.h"
#include "core/nbd/handshake.h"
#include "core/nbd/reader.h"

#define NBD_CONNECTIONS_MAX WNBD_MAX_CONNECTIONS
#define NBD_SENDS           16 /* of a connection out at a time; what comes meanwhile leaves together afterwards */
#define NBD_SEND_BYTES_MAX  (4 << 20) /* bytes of a connection out at a time; one request may exceed it */
#define NBD_BATCH_MAX       64        /* requests in one send */
#define NBD_RECEIVE_BUFFER  (64 << 10)
#define NBD_DIRECT_MIN      (16 << 10) /* payload that is worth a receive of its own, into the SRB's pages */
#define NBD_MIXED_MAX       (4 << 10)  /* received at once while larger payload may come: what of it has to be copied */

struct disk;

/* A read whose payload is still worth a receive of its own when the first bytes have come with the header. */
#define NBD_LARGE_MIN (NBD_DIRECT_MIN + NBD_MIXED_MAX)

static inline bool nbd_is_large_read(const struct io_request *request)
{
    return request->operation == IO_READ && request->length >= NBD_LARGE_MIN;
}

struct nbd_connection;

/* One WskSend and the requests in it. */
struct nbd_send {
    struct list_link link;             /* on nbd_connection.free_sends */
    struct nbd_connection *connection; /* borrows */
    PIRP irp;
    struct list_link records;
    uint32_t bytes;
};

/* A request's header in memory that WSK reads, and the MDL that describes it. */
struct nbd_header {
    union {
        MDL mdl;
        UCHAR storage[sizeof(MDL) + 2 * sizeof(PFN_NUMBER)];
    };
};

/*
 * A connection, from nothing to nothing again. All it needs is allocated once.
 *
 *   absent --(nbd_open)--> open --(nbd_lost_locked)--> lost --(nbd_suspend, nbd_close)--> absent
 */
enum nbd_connection_state {
    NBD_ABSENT, /* nothing of it is with WSK, unless the thread is making it */
    NBD_OPEN,   /* requests may be sent */
    NBD_LOST,   /* no more; the thread is to end it */
};

struct nbd_connection {
    /* fixed while the disk exists */
    struct disk *disk; /* borrows */
    struct nbd_send sends[NBD_SENDS];
    PIRP receive_irp;
    PMDL receive_mdl;
    uint8_t *receive_buffer;
    struct nbd_handshake *handshake; /* the thread's; also the memory DISC is sent from */
    PMDL handshake_mdl;
    struct wsk_call call; /* the thread's */
    struct wsk_call close_call;
    KEVENT settled; /* `calls` or `outstanding` has become 0 */
    struct work receive_work;

    /* fixed while the connection exists */
    PWSK_SOCKET socket;
    struct nbd_terms terms;
    LONG restarts; /* of the adapter, before it was made */

    /* the thread's, while it ends the connection */
    bool risky;        /* writes are unanswered: without the server's FIN they could still be carried out */
    bool taking_leave; /* NBD_CMD_DISC has been sent */

    /* guarded by disk->lock */
    enum nbd_connection_state state;
    struct list_link free_sends;
    uint32_t bytes_out;
    uint32_t large_reads; /* out, whose payload is worth a receive of its own */
    uint32_t calls;       /* threads inside WskSend or WskReceive */
    uint32_t outstanding; /* sends whose IRP is not back, and 1 while receiving goes on */
    bool answered;        /* a whole answer has come over this connection */
    bool listening;       /* replies may come in; still after NBD_OPEN, until the stream ends */
    bool peer_closed;     /* the server has ended its side: it carries nothing out any more */
    bool pumping;         /* somebody is inside WskSend with it, and takes what comes meanwhile */
    bool aborting;        /* it is being ended because of a request that was aborted: requests.aborting counts it */
    bool broken_off;      /* it was ended here, which says nothing of the server */
    bool shutting_down;   /* the server said so: it is told goodbye */
    uint64_t opened_at;   /* interrupt time */
    uint64_t lost_at;     /* the same */

    /* the receiver's: whoever processes the receive that has completed */
    struct nbd_reader reader;
    struct record *receiving; /* whose reply is in hand */
    bool was_large;           /* the last read that was answered */
    bool direct;              /* the receive that is out goes into its pages */
    volatile LONG receive_phase;
};

/* Part of struct disk. */
struct nbd_backend {
    /* fixed while the disk exists */
    WSK_PROVIDER_NPI npi;
    bool captured;                               /* npi is valid and to be released */
    UCHAR (*header_bytes)[NBD_REQUEST_SIZE_MAX]; /* one per slot */
    struct nbd_header *headers;                  /* the same number */
    struct wsk_lookup *lookup;
    struct work send_work;

    /* fixed before the disk is shown */
    struct nbd_connection *connections[NBD_CONNECTIONS_MAX];
    uint32_t count; /* of them */

    struct nbd_export export; /* the thread's: as the disk was made for it */
    uint32_t wanted;          /* the thread's: connections that there are to be, 1 .. count */

    KEVENT lost; /* a connection has ended; the thread waits for it */

    /* guarded by disk->lock */
    uint32_t next;      /* the connection whose turn it is to send */
    enum nbd_form form; /* of the connection that was made last */
    uint32_t open;      /* connections in that state */
    uint32_t present;   /* connections that are not NBD_ABSENT: 0: all that is in the queue waits */
    char reason[128];   /* why a connection was lost, or why the last try to make one failed */
    bool was_of_use;    /* a connection since the disk had none brought anybody further, see nbd_was_of_use */
    uint64_t lost_at;   /* interrupt time: since when none is open */
    uint64_t reconnects;
    uint64_t replayed; /* requests sent again over another connection */
    uint64_t unfenced; /* of the connections ended with writes unanswered: those whose server did not close */

    COUNTERS(counters)
};

/* Allocates what the disk and its first connection need, so that a later one needs nothing. NULL memory:
 * STATUS_INSUFFICIENT_RESOURCES, and nbd_free is still to be called. PASSIVE_LEVEL. */
NTSTATUS nbd_allocate(struct disk *disk);
void nbd_free(struct disk *disk);

/* The same for more connections, up to `count` altogether; as many as there is memory for. PASSIVE_LEVEL, the disk's
 * thread, before the disk is shown. */
void nbd_allocate_more(struct disk *disk, uint32_t count);

/*
 * Connects: resolves, connects, negotiates, fills in disk->device and the properties. On failure disk->message has one
 * clause for people, and the status is one of those IOCTL_WNBD_CREATE lists; the socket is closed. PASSIVE_LEVEL, the
 * disk's thread.
 */
NTSTATUS nbd_connect(struct disk *disk);

/* Waits for what nbd_connect may have left behind (a name look-up that was given up) and lets WSK go. PASSIVE_LEVEL,
 * the disk's thread, after the connections have been closed. */
void nbd_disconnected(struct disk *disk);

/* Begins to send and receive over a connection that was made. PASSIVE_LEVEL, the disk's thread. */
void nbd_open(struct nbd_connection *connection);

/*
 * Ends the connections because the disk is being removed: when nothing is out, with NBD_CMD_DISC and the server's FIN
 * (within a second); else at once. Returns when WSK has given everything back; every request has been completed.
 * PASSIVE_LEVEL, the disk's thread.
 */
void nbd_close(struct disk *disk);

/*
 * Ends the connections that are lost, so that others can take their place: with unanswered writes it waits for the
 * server's FIN (within two seconds), or they could be carried out after newer ones. Returns when WSK has given
 * everything back; what was not answered goes to the connections that are left, or waits, or, after a reset, has been
 * completed. PASSIVE_LEVEL, the disk's thread.
 */
void nbd_suspend(struct disk *disk);

/*
 * Makes a connection to the same export again, from the memory it had: the server's last address, then, if there is no
 * other connection, what its name leads to now. disk->message says why it failed; STATUS_CANCELLED: `interrupt` was
 * set. PASSIVE_LEVEL, the disk's thread; the connection is absent.
 */
NTSTATUS nbd_connect_again(struct nbd_connection *connection, ULONG timeout_ms, PKEVENT interrupt);

/* Tells a server that its export is not taken, after the handshake. PASSIVE_LEVEL, the disk's thread. */
void nbd_say_goodbye(struct nbd_connection *connection);

/* An absent connection that there is to be; NULL. The disk's thread. */
struct nbd_connection *nbd_missing(struct disk *disk);

/* Whether a connection that is lost, or was since the disk had none, was of use, or may have been: we have ended it
 * ourselves. The disk's thread. */
bool nbd_was_of_use(struct disk *disk);

/* What the connections were that are lost and not ended yet. The disk's thread. */
enum nbd_loss {
    NBD_LOSS_NONE,    /* there are none */
    NBD_LOSS_USEFUL,  /* each was of use */
    NBD_LOSS_USELESS, /* one was made and broke at once */
};
enum nbd_loss nbd_loss(struct disk *disk);

/* Whether there is a connection that requests are sent over. */
bool nbd_is_open(struct disk *disk);

/* Sends what waits, as far as sends are free. disk->lock is held, and let go while WSK is called. */
void nbd_pump_locked(struct disk *disk, KLOCK_QUEUE_HANDLE *handle);

/* The connection has ended, for this reason. disk->lock is held. */
void nbd_lost_locked(struct nbd_connection *connection, const char *reason);
void nbd_lost(struct nbd_connection *connection, const char *format, ...) PRINTF_LIKE(2, 3);

/* The connection is, or all of them are, to be ended for this reason, which is ours. disk->lock is held. */
void nbd_break_off_locked(struct nbd_connection *connection, const char *reason);
void nbd_break_off_all_locked(struct disk *disk, const char *reason);

/* ---- Between the backend's files ---- */

/* Notes why connecting failed, a clause for people, and answers `status`. The disk's thread. */
NTSTATUS nbd_fail(struct disk *disk, NTSTATUS status, const char *format, ...) PRINTF_LIKE(3, 4);
NTSTATUS nbd_fail_cancelled(struct disk *disk);
NTSTATUS nbd_fail_timeout(struct disk *disk, const char *what);

/* Over a fresh connection: the handshake, unless it is to be skipped. `*limit` bounds it. PASSIVE_LEVEL, the disk's
 * thread, as the two below. */
NTSTATUS nbd_negotiate(struct nbd_connection *connection, const struct wsk_limit *limit, struct nbd_export *export);

/* Makes the disk for the export. */
NTSTATUS nbd_adopt(struct disk *disk, const struct nbd_export *export);

/* Whether the disk's requests can go to the export. If it has grown the disk does, too. */
NTSTATUS nbd_recognize(struct disk *disk, const struct nbd_export *export);

/* Inside a call to WSK: no socket is closed meanwhile. */
void nbd_enter_locked(struct nbd_connection *connection);
void nbd_leave_locked(struct nbd_connection *connection);

/* Nothing of the connection is with WSK any more. disk->lock is held. */
void nbd_forget_locked(struct nbd_connection *connection);

/* Connections to be ended in the same way and the same time. */
struct nbd_farewell {
    struct nbd_connection *connections[NBD_CONNECTIONS_MAX];
    uint32_t count;
};

/* Tells their server goodbye and waits, `timeout_ms` at most, until it has ended its side of each. All are told before
 * the first is waited for; one that does not take it has its share of half of the time. Answers how many connections
 * with unanswered writes (`risky`) it did not end. PASSIVE_LEVEL, the disk's thread. */
uint32_t nbd_take_leave(const struct nbd_farewell *farewell, ULONG timeout_ms);

/* Closes the socket; WSK has given everything back then. PASSIVE_LEVEL, the disk's thread. */
void nbd_close_socket(struct nbd_connection *connection);

/* The stream has ended, for this reason: nothing more is received. */
void nbd_ended_locked(struct nbd_connection *connection, const char *reason);

/* One of `outstanding` is over. Nothing of the disk may be touched after the lock is let go, but with a reference. */
void nbd_settle_locked(struct nbd_connection *connection);
void nbd_settle(struct nbd_connection *connection);

void nbd_send_work(struct work *work);
void nbd_receive_work(struct work *work);

/* Starts the receiving; `outstanding` counts it already. */
void nbd_receive(struct nbd_connection *connection);

#endif
