/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/options/option.h"

#include "core/options/words.h"

#define HOUR_MS 3600000

/* clang-format off */
/* In the order of enum option_id. */
static const struct option option_table[OPTION_COUNT] = {
    [OPTION_LOG_LEVEL]                = {"LogLevel",               OPTION_INT64,     1, INT64_MIN,  INT64_MAX, false},
    [OPTION_NEW_MAPPINGS_ALLOWED]     = {"NewMappingsAllowed",     OPTION_BOOL,      1, 0,                  1, false},
    [OPTION_ETW_LOGGING_ENABLED]      = {"EtwLoggingEnabled",      OPTION_BOOL,      1, 0,                  1, false},
    [OPTION_WPP_LOGGING_ENABLED]      = {"WppLoggingEnabled",      OPTION_BOOL,      0, 0,                  1, false},
    [OPTION_DBG_PRINT_ENABLED]        = {"DbgPrintEnabled",        OPTION_BOOL,      1, 0,                  1, false},
    [OPTION_MAX_IO_REQ_PER_ADAPTER]   = {"MaxIOReqPerAdapter",     OPTION_INT64,  1000, 1,             131072, false},
    [OPTION_MAX_IO_REQ_PER_LUN]       = {"MaxIOReqPerLun",         OPTION_INT64,   255, 1,               1024, false},
    [OPTION_REMOVE_STALE_CONNECTIONS] = {"RemoveStaleConnections", OPTION_BOOL,      1, 0,                  1, false},
    [OPTION_STALE_REQ_TIMEOUT_MS]     = {"StaleReqTimeoutMs",      OPTION_INT64, 15000, 0,         UINT32_MAX, true},
    [OPTION_STALE_CONN_TIMEOUT_MS]    = {"StaleConnTimeoutMs",     OPTION_INT64, 60000, 0,         UINT32_MAX, true},
    [OPTION_CONNECT_TIMEOUT_MS]       = {"ConnectTimeoutMs",       OPTION_INT64, 10000, 1,            HOUR_MS, false},
    [OPTION_RECONNECT_TIMEOUT_MS]     = {"ReconnectTimeoutMs",     OPTION_INT64, 120000, 0,           HOUR_MS, false},
};

const struct option *option_of(enum option_id id)
{
    return &option_table[id];
}
/* clang-format on */

const struct option *option_find(const uint16_t *name, size_t length, enum option_id *id)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (words_equal(name, length, option_table[i].name)) {
            *id = (enum option_id)i;
            return &option_table[i];
        }
    }
    return NULL;
}

void option_write_name(const struct option *option, uint16_t name[OPTION_NAME_SIZE])
{
    for (size_t i = 0; i < OPTION_NAME_SIZE; i++) {
        name[i] = (uint8_t)option->name[i];
    }
}

bool option_accept(const struct option *option, int64_t *value)
{
    if (*value < option->minimum || *value > option->maximum) {
        return false;
    }
    if (*value == 0 && option->zero_is_initial) {
        *value = option->initial;
    }
    return true;
}

bool option_parse(const struct option *option, const uint16_t *text, size_t length, int64_t *value)
{
    bool is_true;

    switch (option->type) {
    case OPTION_BOOL:
        if (!words_boolean(text, length, &is_true)) {
            return false;
        }
        *value = is_true;
        return true;
    case OPTION_INT64:
        return words_number(text, length, value);
    }
    return false;
}
