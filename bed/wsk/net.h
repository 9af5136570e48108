/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TCP sockets of the machine below Wine, never blocking. Going through winsock would cost several wineserver round
 * trips an operation, and a blocked winsock call of this Wine does not always end when its socket is shut down or
 * closed. So these are the Linux system calls themselves (x86-64), which Wine lets a process make. Addresses are in the
 * form of Windows (AF_INET6 is 23). Functions that can fail answer an NTSTATUS. Any thread.
 */
#ifndef BED_WSK_NET_H
#define BED_WSK_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/ddk.h"

struct net_part {
    void *address;
    size_t length;
};

/* Nothing can be done without blocking: net_wait tells when. */
#define NET_AGAIN STATUS_DEVICE_BUSY

NTSTATUS net_open(ADDRESS_FAMILY family, int *fd);
void net_close(int fd);

NTSTATUS net_bind(int fd, const SOCKADDR *address);

/*
 * NET_AGAIN: under way. When net_wait returns, net_connected tells whether it has failed, and net_connect once more
 * whether it has worked or is still under way.
 */
NTSTATUS net_connect(int fd, const SOCKADDR *address);
NTSTATUS net_connected(int fd);

/* Sends or receives what is possible now. *done = 0 with STATUS_SUCCESS from net_receive: the peer has sent its last.
 */
NTSTATUS net_send(int fd, const struct net_part *parts, size_t count, size_t *done);
NTSTATUS net_receive(int fd, const struct net_part *parts, size_t count, size_t *done);

NTSTATUS net_shutdown_send(int fd);

/* Resets the connection at once; whoever waits on it wakes up. */
void net_abort(int fd);

/* The address of our end or the peer's, up to sizeof(SOCKADDR_IN6). */
NTSTATUS net_address(int fd, bool remote, SOCKADDR *address);

/* Sets an option given in Windows' numbers; STATUS_NOT_SUPPORTED for one that is not known here. */
NTSTATUS net_set_option(int fd, ULONG level, ULONG option, int value);

/* An end that one thread sleeps on (net_wait) and another rings. Negative when there is none. */
int net_bell(void);
void net_ring(int bell);

/* Sleeps until the socket can be read from (or written to), has failed, or the bell rings; the bell is silenced. */
void net_wait(int fd, bool write, int bell);

#endif
