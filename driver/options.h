/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's options (core/options/option.h, docs/options.md): what holds now, and what is stored.
 *
 *   built-in default  <  the service's Parameters key  <  the stored value        at the adapter's start
 *
 * Parameters is what an installation or an administrator has put there; the driver never writes it. What holds now
 * belongs to the driver, not to an adapter; it goes with the adapter, or when another starts.
 */
#ifndef WNBD_DRIVER_OPTIONS_H
#define WNBD_DRIVER_OPTIONS_H

#include "driver/ddk.h"

#include "core/options/option.h"

#include <stdbool.h>

/* What holds now, always within the option's range; a boolean is 0 or 1. Read without a lock at any IRQL. Changed by
 * the functions below alone. */
struct options {
    volatile LONG64 log_level; /* log.h */
    volatile LONG64 new_mappings_allowed;
    volatile LONG64 etw_logging_enabled;
    volatile LONG64 wpp_logging_enabled;
    volatile LONG64 dbg_print_enabled;
    volatile LONG64 max_io_req_per_adapter; /* these two at the adapter's start */
    volatile LONG64 max_io_req_per_lun;
    volatile LONG64 remove_stale_connections;
    volatile LONG64 stale_req_timeout_ms; /* 1 or more */
    volatile LONG64 stale_conn_timeout_ms;
    volatile LONG64 connect_timeout_ms;   /* from the name's look-up to the end of the handshake, 1 or more */
    volatile LONG64 reconnect_timeout_ms; /* how long requests wait for a lost server; 0: for ever */
};

extern struct options driver_options;

/* Makes the built-in defaults hold. PASSIVE_LEVEL, DriverEntry; `driver` is borrowed for as long as it is loaded. */
void options_init(PDRIVER_OBJECT driver);

/* What holds now. */
LONG64 options_get(enum option_id id);

/*
 * The rest: PASSIVE_LEVEL, on a system thread (IoOpenDriverRegistryKey wants one), one at a time.
 */

/* The stored value. STATUS_OBJECT_NAME_NOT_FOUND: there is none that the option can have. */
NTSTATUS options_get_stored(enum option_id id, LONG64 *value);

/* Makes a value hold and, `persistent`, stores it first; if that fails nothing changes. STATUS_INVALID_PARAMETER: the
 * option cannot have it. */
NTSTATUS options_set(enum option_id id, LONG64 value, bool persistent);

/* Makes the built-in default hold and, `persistent`, deletes the stored value first. STATUS_OBJECT_NAME_NOT_FOUND: none
 * was stored, and nothing changes. */
NTSTATUS options_reset(enum option_id id, bool persistent);

/* Loads all options. What cannot be read is logged. */
void options_load(void);

/* Loads those again that are stored or in Parameters; the others stay as they are. */
NTSTATUS options_reload(void);

#endif
