/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few words the bed's own driver tests need. */
#ifndef WNBD_BED_WINE_TEST_CHECK_H
#define WNBD_BED_WINE_TEST_CHECK_H

#include "driver/ddk.h"

extern LONG check_failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            check_failures++;                                                                                          \
            DbgPrint("wsktest: %s line %d: %s\n", __FILE__, __LINE__, #condition);                                     \
        }                                                                                                              \
    } while (0)

/* A UNICODE_STRING of a literal; the kit's own macro takes a WCHAR pointer that is not const. */
#define STRING(text) {sizeof(text) - sizeof(WCHAR), sizeof(text), (WCHAR *)(ULONG_PTR)(text)}

/* shims.c, sockets.c: PASSIVE_LEVEL */
void test_shims(void);
void test_sockets(ULONG port4, ULONG port6, ULONG port_full);

/* wrong.c: breaks a rule at a time, each of which the bed must name; the address is that of the echoing server. */
void wrong_shims(void);
void wrong_sockets(ULONG port4);

/* sockets.c, used by wrong.c too: a call in progress, and the means to wait for it */
struct call {
    IRP *irp;
    KEVENT done;
};

extern WSK_REGISTRATION registration;
extern WSK_PROVIDER_NPI npi;

IRP *begin(struct call *call);
NTSTATUS finish(struct call *call, ULONG_PTR *information);
WSK_SOCKET *open_bound(ADDRESS_FAMILY family);
NTSTATUS connect4(WSK_SOCKET *socket, ULONG port);
void close_socket(WSK_SOCKET *socket);
void network_begin(void);

static inline const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch(WSK_SOCKET *socket)
{
    return socket->Dispatch;
}

#endif
