/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/options.h"

#include "driver/log.h"
#include "driver/option_store.h"

struct options driver_options;

/* The option's member of driver_options. */
static volatile LONG64 *current(enum option_id id)
{
    switch (id) {
    case OPTION_LOG_LEVEL:
        return &driver_options.log_level;
    case OPTION_NEW_MAPPINGS_ALLOWED:
        return &driver_options.new_mappings_allowed;
    case OPTION_ETW_LOGGING_ENABLED:
        return &driver_options.etw_logging_enabled;
    case OPTION_WPP_LOGGING_ENABLED:
        return &driver_options.wpp_logging_enabled;
    case OPTION_DBG_PRINT_ENABLED:
        return &driver_options.dbg_print_enabled;
    case OPTION_MAX_IO_REQ_PER_ADAPTER:
        return &driver_options.max_io_req_per_adapter;
    case OPTION_MAX_IO_REQ_PER_LUN:
        return &driver_options.max_io_req_per_lun;
    case OPTION_REMOVE_STALE_CONNECTIONS:
        return &driver_options.remove_stale_connections;
    case OPTION_STALE_REQ_TIMEOUT_MS:
        return &driver_options.stale_req_timeout_ms;
    case OPTION_STALE_CONN_TIMEOUT_MS:
        return &driver_options.stale_conn_timeout_ms;
    case OPTION_CONNECT_TIMEOUT_MS:
        return &driver_options.connect_timeout_ms;
    case OPTION_RECONNECT_TIMEOUT_MS:
        return &driver_options.reconnect_timeout_ms;
    case OPTION_COUNT:
        break;
    }
    NT_ASSERT(false);
    return NULL;
}

LONG64 options_get(enum option_id id)
{
    return *current(id);
}

/* A value of a key, if there is one and the option can have it. */
static NTSTATUS read_accepted(HANDLE key, enum option_id id, LONG64 *value)
{
    const struct option *option = option_of(id);
    NTSTATUS status = option_store_read(key, option, value);

    if (NT_SUCCESS(status) && !option_accept(option, value)) {
        log_adapter(OPTION_RANGE, option->name, *value, option->minimum, option->maximum);
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    return status;
}

/* Makes what a key holds hold. A key that cannot be opened holds nothing. */
static NTSTATUS load(DRIVER_REGKEY_TYPE type)
{
    HANDLE key;
    NTSTATUS status = option_store_open(type, KEY_READ, &key);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        LONG64 value;

        if (NT_SUCCESS(read_accepted(key, (enum option_id)i, &value))) {
            *current((enum option_id)i) = value;
        }
    }
    ZwClose(key);
    return STATUS_SUCCESS;
}

NTSTATUS options_reload(void)
{
    (void)load(DriverRegKeyParameters); /* an installation may have none */
    return load(DriverRegKeyPersistentState);
}

static void set_initial(void)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        *current((enum option_id)i) = option_of(i)->initial;
    }
}

void options_init(PDRIVER_OBJECT driver)
{
    set_initial();
    option_store_init(driver);
}

void options_load(void)
{
    NTSTATUS status;

    set_initial();
    status = options_reload();
    if (!NT_SUCCESS(status)) {
        log_adapter(OPTIONS_UNREADABLE, status);
    }
}

NTSTATUS options_get_stored(enum option_id id, LONG64 *value)
{
    HANDLE key;
    NTSTATUS status = option_store_open(DriverRegKeyPersistentState, KEY_READ, &key);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = read_accepted(key, id, value);
    ZwClose(key);
    return status;
}

/* Writes the option's stored value; NULL: deletes it. */
static NTSTATUS store(enum option_id id, const LONG64 *value)
{
    HANDLE key;
    NTSTATUS status = option_store_open(DriverRegKeyPersistentState, KEY_WRITE, &key);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (value != NULL) {
        status = option_store_write(key, option_of(id), *value);
    } else {
        status = option_store_delete(key, option_of(id));
    }
    ZwClose(key);
    return status;
}

NTSTATUS options_set(enum option_id id, LONG64 value, bool persistent)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (!option_accept(option_of(id), &value)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (persistent) {
        status = store(id, &value);
    }
    if (NT_SUCCESS(status)) {
        *current(id) = value;
    }
    return status;
}

NTSTATUS options_reset(enum option_id id, bool persistent)
{
    NTSTATUS status = persistent ? store(id, NULL) : STATUS_SUCCESS;

    if (NT_SUCCESS(status)) {
        *current(id) = option_of(id)->initial;
    }
    return status;
}
