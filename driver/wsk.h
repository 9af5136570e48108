/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock Kernel, as a thread uses it: calls that are waited for with a limit and with a way to be interrupted. The
 * data path uses the socket's dispatch table directly (nbd_send.c, nbd_receive.c).
 */
#ifndef WNBD_DRIVER_WSK_H
#define WNBD_DRIVER_WSK_H

#include "driver/ddk.h"

#include <stdbool.h>

/* The driver as a client of WSK. */
struct wsk_client {
    WSK_CLIENT_DISPATCH dispatch;
    WSK_REGISTRATION registration;
};

/* PASSIVE_LEVEL, both. wsk_unregister waits until every wsk_capture has been released. */
NTSTATUS wsk_register(struct wsk_client *client);
void wsk_unregister(struct wsk_client *client);

/* How long a wait may last. */
struct wsk_limit {
    ULONGLONG deadline; /* interrupt time, 100 ns units */
    PKEVENT interrupt;  /* borrows: a wait ends when it is set; NULL: only the deadline counts */
};

/* A limit `milliseconds` from now. Any IRQL. */
struct wsk_limit wsk_limit_in(ULONG milliseconds, PKEVENT interrupt);

/* What is left of it, 0 when it has passed. */
ULONG wsk_limit_left_ms(const struct wsk_limit *limit);

/*
 * One call to WSK at a time. When a wait ended before the call (STATUS_IO_TIMEOUT, STATUS_CANCELLED), the call is still
 * out: it comes back after its socket has been closed, and wsk_call_recall waits for it.
 */
struct wsk_call {
    PIRP irp;
    KEVENT done;
    bool out;
    SOCKADDR_STORAGE address; /* what WSK may read until the call is back */
    ULONG option;
};

/* NULL memory: STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. */
NTSTATUS wsk_call_init(struct wsk_call *call);
void wsk_call_free(struct wsk_call *call);

/* Waits until a call that was given up is back. PASSIVE_LEVEL. Only after its socket was closed, or for wsk_resolve. */
void wsk_call_recall(struct wsk_call *call);

/* Waits for WSK to be there. STATUS_DEVICE_NOT_READY when it is not in time, STATUS_CANCELLED. Gives a reference to
 * return with wsk_release. PASSIVE_LEVEL. */
NTSTATUS wsk_capture(struct wsk_client *client, const struct wsk_limit *limit, WSK_PROVIDER_NPI *npi);
void wsk_release(struct wsk_client *client);

/*
 * All below: PASSIVE_LEVEL, and each answers what WSK answered, or STATUS_IO_TIMEOUT or STATUS_CANCELLED when the limit
 * ended the wait.
 */

/* Looks a name or an address up. `*list` is given back with wsk_free_addresses. It is called with a `call` of its own,
 * because a look-up cannot be made to end by closing a socket: when it is given up it is cancelled, and whoever frees
 * the call waits with wsk_call_recall, which then also frees what it found. */
struct wsk_lookup {
    struct wsk_call call;
    PADDRINFOEXW list;
    /* what WSK may read until the call is back */
    ADDRINFOEXW hints;
    UNICODE_STRING node;
    UNICODE_STRING service;
    WCHAR node_text[256];
    WCHAR service_text[8];
};
NTSTATUS wsk_resolve(const WSK_PROVIDER_NPI *npi, struct wsk_lookup *lookup, const char *host, size_t host_length,
                     USHORT port, const struct wsk_limit *limit);
void wsk_lookup_recall(const WSK_PROVIDER_NPI *npi, struct wsk_lookup *lookup);

/* A TCP socket, bound to any local address, ready to connect: no delay, keep-alive. `family` AF_INET or AF_INET6. */
NTSTATUS wsk_open(const WSK_PROVIDER_NPI *npi, struct wsk_call *call, ADDRESS_FAMILY family,
                  const struct wsk_limit *limit, PWSK_SOCKET *socket);

NTSTATUS wsk_connect(PWSK_SOCKET socket, struct wsk_call *call, const SOCKADDR_STORAGE *address,
                     const struct wsk_limit *limit);

/* Sends or receives all `length` bytes at `offset` of `mdl`. Receiving answers STATUS_CONNECTION_DISCONNECTED when the
 * peer closes before. */
NTSTATUS wsk_send_all(PWSK_SOCKET socket, struct wsk_call *call, PMDL mdl, ULONG offset, SIZE_T length,
                      const struct wsk_limit *limit);
NTSTATUS wsk_receive_all(PWSK_SOCKET socket, struct wsk_call *call, PMDL mdl, ULONG offset, SIZE_T length,
                         const struct wsk_limit *limit);

/* Says that nothing more will be sent (FIN behind what was sent). */
NTSTATUS wsk_shut_down(PWSK_SOCKET socket, struct wsk_call *call, const struct wsk_limit *limit);

/* Closes the socket: abortively unless both sides have ended. Every call on it comes back. No other call may be inside
 * one of the socket's functions meanwhile. `call` must not be out. Waits for WSK. */
void wsk_close(PWSK_SOCKET socket, struct wsk_call *call);

#endif
