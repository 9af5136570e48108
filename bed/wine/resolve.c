/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name resolution for the WSK provider: winsock's GetAddrInfoW. */
#include "bed/wsk/env.h"

#define WINSOCK_VERSION 0x202
#define WSANO_RECOVERY  11003
#define WSADATA_BYTES   1024
#define STATUS_NO_SUCH  ((NTSTATUS)0xC0000225) /* STATUS_NOT_FOUND */

struct addrinfo_w {
    int flags;
    int family;
    int type;
    int protocol;
    size_t address_length;
    wchar_t *canonical_name;
    SOCKADDR *address;
    struct addrinfo_w *next;
};

__declspec(dllimport) int __stdcall WSAStartup(unsigned short version, void *data);
__declspec(dllimport) int __stdcall GetAddrInfoW(const wchar_t *node, const wchar_t *service,
                                                 const struct addrinfo_w *hints, struct addrinfo_w **result);
__declspec(dllimport) void __stdcall FreeAddrInfoW(struct addrinfo_w *list);

struct entry {
    ADDRINFOEXW info;
    SOCKADDR_IN6 address;
};

static ADDRINFOEXW *copy_list(const struct addrinfo_w *list)
{
    struct entry *entries;
    size_t count = 0;

    for (const struct addrinfo_w *at = list; at != NULL; at = at->next) {
        count++;
    }
    entries = bed_allocate(count * sizeof(*entries));
    if (entries == NULL || count == 0) {
        bed_free(entries);
        return NULL;
    }
    for (struct entry *to = entries; list != NULL; list = list->next, to++) {
        size_t length = list->address_length < sizeof(to->address) ? list->address_length : sizeof(to->address);

        memcpy(&to->address, list->address, length);
        to->info.ai_family = list->family;
        to->info.ai_socktype = list->type;
        to->info.ai_protocol = list->protocol;
        to->info.ai_addrlen = length;
        to->info.ai_addr = (SOCKADDR *)&to->address;
        to->info.ai_next = list->next != NULL ? &to[1].info : NULL;
    }
    return &entries->info;
}

NTSTATUS bed_resolve(const WCHAR *node, const WCHAR *service, const ADDRINFOEXW *hints, ADDRINFOEXW **answer)
{
    struct addrinfo_w asked = {
        .flags = hints->ai_flags,
        .family = hints->ai_family,
        .type = hints->ai_socktype,
        .protocol = hints->ai_protocol,
    };
    struct addrinfo_w *list = NULL;
    UCHAR data[WSADATA_BYTES];
    int error = WSAStartup(WINSOCK_VERSION, data);

    if (error == 0) {
        error = GetAddrInfoW(node, service, &asked, &list);
    }
    if (error != 0) {
        return error == WSANO_RECOVERY ? STATUS_UNSUCCESSFUL : STATUS_NO_SUCH;
    }
    *answer = copy_list(list);
    FreeAddrInfoW(list);
    return *answer != NULL ? STATUS_SUCCESS : STATUS_NO_SUCH;
}
