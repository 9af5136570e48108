/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/nbd_timeouts.h"

#define PARAMETERS           L"SYSTEM\\CurrentControlSet\\Services\\wnbd\\Parameters"
#define CONNECT_MS_DEFAULT   10000
#define RECONNECT_MS_DEFAULT 120000
#define MAXIMUM_MS           3600000

static DWORD read(const WCHAR *name, DWORD minimum, DWORD otherwise)
{
    DWORD size = sizeof(DWORD);
    DWORD value;

    if (RegGetValueW(HKEY_LOCAL_MACHINE, PARAMETERS, name, RRF_RT_REG_DWORD, NULL, &value, &size) != ERROR_SUCCESS)
        return otherwise;
    return value >= minimum && value <= MAXIMUM_MS ? value : otherwise;
}

struct nbd_timeouts nbd_timeouts_read(void)
{
    struct nbd_timeouts timeouts = {
        .connect_ms = read(L"ConnectTimeoutMs", 1, CONNECT_MS_DEFAULT),
        .reconnect_ms = read(L"ReconnectTimeoutMs", 0, RECONNECT_MS_DEFAULT),
    };

    return timeouts;
}
