/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bed's own Winsock Kernel: connection-oriented TCP sockets over net.h, and name resolution.
 *
 * A socket has two threads from WskConnect until it is closed. The receiver connects and fills receive requests in
 * order; the sender finishes what WskSend could not send at once and completes all sends. Each completes its own
 * requests, so a completion of a send and one of a receive run at the same time as they do on Windows, and a reply may
 * come before the completion of the send that caused it: every fourth send is held back until data has arrived, 10 ms
 * at most.
 *
 * A request (struct wsk_op) ends exactly once: by the thread that owns its list, or, if IoCancelIrp came in between, by
 * the cancel routine. Lock order: nothing is called with socket->lock held, neither IoCompleteRequest nor the client.
 */
#ifndef BED_WSK_WSK_H
#define BED_WSK_WSK_H

#include "bed/wsk/net.h"
#include "bed/wsk/env.h"
#include "core/base/list.h"

#define WSK_STAGING_BYTES 65536

/* A registration: WskRegister until WskDeregister. */
struct wsk_client {
    void *owner;        /* for bed_count_network, bed_count_socket */
    void *volatile all; /* struct wsk_socket, closed ones too, by `next` */
    volatile LONG captures;
    volatile LONG sockets;
    volatile LONG names; /* answers of WskGetAddressInfo not freed yet */
};

enum wsk_kind { WSK_OP_SIMPLE, WSK_OP_CONNECT, WSK_OP_SEND, WSK_OP_RECEIVE, WSK_OP_DISCONNECT, WSK_OP_CLOSE };

struct wsk_socket;

struct wsk_op {
    struct list_link link; /* guarded by socket->lock */
    /* fixed after init */
    struct wsk_socket *socket;
    IRP *irp;
    enum wsk_kind kind;
    ULONG flags;
    size_t length;
    SOCKADDR_IN6 address; /* of WSK_OP_CONNECT */
    /* guarded by socket->lock */
    bool cancelled;   /* asked for by IoCancelIrp */
    bool cancel_seen; /* the cancel routine has been here */
    bool ended;       /* ended while the cancel routine was on its way: that one completes */
    NTSTATUS status;  /* what it ended with */
    /* the owning thread's */
    size_t done;
    LONG deliveries; /* of the socket when the send was accepted, for one that is held back */
    bool held;
    LONGLONG due; /* bed_now_ms() from which it may complete, with port_ack_ms */
    size_t part_count;
    struct net_part parts[];
};

struct wsk_socket {
    WSK_SOCKET face; /* first: what the client has a pointer to */
    uint64_t mark;
    /* fixed after init */
    struct wsk_socket *next;
    struct wsk_client *client;
    ADDRESS_FAMILY family;
    int fd;
    int receive_bell;
    int send_bell;
    UCHAR *staging; /* data received beyond what was asked for */
    /* guarded by lock */
    struct bed_mutex lock;
    struct list_link connects;
    struct list_link receives;
    struct list_link sends;    /* WSK_OP_SEND and graceful WSK_OP_DISCONNECT, in order */
    struct list_link accepted; /* done, to be completed by the sender */
    struct wsk_op *close;
    bool bound;
    bool connected;
    bool threads_started;
    bool disconnected; /* our side said good-bye */
    /* the same, and read without it by the threads, after the words they sleep on: so the compiler may not move them */
    volatile bool sending; /* somebody is in net_send, without the lock */
    volatile bool closing;
    volatile NTSTATUS broken; /* what every transfer fails with, STATUS_SUCCESS while all is well */
    ULONG send_counter;
    /* the receiver's */
    size_t staged_from;
    size_t staged_to;
    ULONG_PTR receiver; /* its thread id */
    /* atomic */
    volatile LONG receive_work; /* words to sleep on */
    volatile LONG send_work;
    volatile LONG deliveries; /* receives completed with data */
    volatile LONG threads;
    volatile LONG calls; /* of the client, in progress */
};

extern const WSK_PROVIDER_CONNECTION_DISPATCH wsk_connection_dispatch;

/* wsk.c: what WskRegister and its like are; `owner` stands for the driver that registers */
NTSTATUS wsk_client_register(PWSK_CLIENT_NPI npi, PWSK_REGISTRATION registration, void *owner);
void wsk_client_deregister(PWSK_REGISTRATION registration);
NTSTATUS wsk_client_capture(PWSK_REGISTRATION registration, ULONG timeout, PWSK_PROVIDER_NPI npi);
void wsk_client_release(PWSK_REGISTRATION registration);
NTSTATUS wsk_client_characteristics(USHORT range[2]);

/* wsk_op.c */

/*
 * Makes a request of an IRP, whose stack location it takes. NULL when there is no memory or the IRP is unusable; then
 * the IRP has been completed with *status, or, without a stack location, reported only.
 */
struct wsk_op *wsk_op_begin(struct wsk_socket *socket, IRP *irp, enum wsk_kind kind, const WSK_BUF *buffer,
                            const char *routine, NTSTATUS *status);

/* Puts it on a list; from then on IoCancelIrp works on it. Called with the lock held. */
void wsk_op_queue(struct wsk_op *op, struct list_link *list);

/* Completes it, or leaves that to the cancel routine. It is off every list; called without the lock. */
void wsk_op_end(struct wsk_op *op, NTSTATUS status, size_t information);

/* Completes an IRP that never became a request. */
NTSTATUS wsk_irp_end(IRP *irp, NTSTATUS status, ULONG_PTR information);

/* The parts of the request behind what is done, at most `room`; answers how many. */
size_t wsk_op_rest(const struct wsk_op *op, struct net_part *parts, size_t room);

/* Takes cancelled requests off the list and ends them. Called without the lock; answers whether there was one. */
bool wsk_end_cancelled(struct wsk_socket *socket, struct list_link *list);

/* Ends all requests of a list. */
void wsk_end_all(struct wsk_socket *socket, struct list_link *list, NTSTATUS status);

/* wsk_socket.c */
struct wsk_socket *wsk_socket_create(struct wsk_client *client, ADDRESS_FAMILY family, NTSTATUS *status);
void wsk_thread_leaves(struct wsk_socket *socket);
void wsk_wake_receiver(struct wsk_socket *socket);
void wsk_wake_sender(struct wsk_socket *socket);

/* Marks the connection as broken, once, and wakes both threads. Called with the lock held. */
void wsk_break_locked(struct wsk_socket *socket, NTSTATUS status);

/* Enters a call of the client; NULL, with the IRP completed, when the socket is not one or is closed. */
struct wsk_socket *wsk_enter(WSK_SOCKET *face, IRP *irp, const char *routine);
void wsk_leave(struct wsk_socket *socket);

/* wsk_receive.c, wsk_send.c: the two threads and their calls */
void wsk_receiver(void *socket);
void wsk_sender(void *socket);
NTSTATUS WSKAPI wsk_receive(PWSK_SOCKET face, PWSK_BUF buffer, ULONG flags, PIRP irp);
NTSTATUS WSKAPI wsk_send(PWSK_SOCKET face, PWSK_BUF buffer, ULONG flags, PIRP irp);
NTSTATUS WSKAPI wsk_disconnect(PWSK_SOCKET face, PWSK_BUF buffer, ULONG flags, PIRP irp);

/* wsk_control.c */
NTSTATUS WSKAPI wsk_control_socket(PWSK_SOCKET face, WSK_CONTROL_SOCKET_TYPE type, ULONG code, ULONG level,
                                   SIZE_T input_size, PVOID input, SIZE_T output_size, PVOID output,
                                   SIZE_T *output_returned, PIRP irp);

/* wsk_names.c */
NTSTATUS WSKAPI wsk_get_address_info(PWSK_CLIENT client, PUNICODE_STRING node, PUNICODE_STRING service,
                                     ULONG name_space, GUID *provider, PADDRINFOEXW hints, PADDRINFOEXW *result,
                                     PEPROCESS process, PETHREAD thread, PIRP irp);
VOID WSKAPI wsk_free_address_info(PWSK_CLIENT client, PADDRINFOEXW info);
NTSTATUS WSKAPI wsk_get_name_info(PWSK_CLIENT client, PSOCKADDR address, ULONG length, PUNICODE_STRING node,
                                  PUNICODE_STRING service, ULONG flags, PEPROCESS process, PETHREAD thread, PIRP irp);

#endif
