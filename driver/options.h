/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an administrator sets under the service's registry key, in Parameters. */
#ifndef WNBD_DRIVER_OPTIONS_H
#define WNBD_DRIVER_OPTIONS_H

#include "driver/ddk.h"

struct options {
    ULONG connect_timeout_ms;   /* ConnectTimeoutMs: from the name's look-up to the end of the handshake, 1 or more */
    ULONG reconnect_timeout_ms; /* ReconnectTimeoutMs: how long requests wait for a lost server; 0: for ever */
};

#define OPTIONS_CONNECT_TIMEOUT_MS_DEFAULT   10000
#define OPTIONS_RECONNECT_TIMEOUT_MS_DEFAULT 120000
#define OPTIONS_TIMEOUT_MS_MAX               3600000 /* of both: an hour */

/* Reads the DWORD values below `registry_path`\Parameters. A value that is missing, of another type or out of its range
 * leaves the default. PASSIVE_LEVEL. */
void options_read(const UNICODE_STRING *registry_path, struct options *options);

#endif
