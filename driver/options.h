/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an administrator sets under the service's registry key, in Parameters. */
#ifndef WNBD_DRIVER_OPTIONS_H
#define WNBD_DRIVER_OPTIONS_H

#include "driver/ddk.h"

struct options {
    ULONG
    connect_timeout_ms; /* ConnectTimeoutMs: from the name's look-up to the end of the handshake; 1 ms .. 1 hour */
};

#define OPTIONS_CONNECT_TIMEOUT_MS_DEFAULT 10000
#define OPTIONS_CONNECT_TIMEOUT_MS_MAX     3600000

/* Reads the DWORD values below `registry_path`\Parameters. A value that is missing, of another type or out of its range
 * leaves the default. PASSIVE_LEVEL. */
void options_read(const UNICODE_STRING *registry_path, struct options *options);

#endif
