/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's options: what they are called, what they may be, and how a value is written as text. Names and texts are
 * UTF-16 without a terminating NUL; every option is a number here, a boolean one 0 or 1.
 */
#ifndef WNBD_CORE_OPTIONS_OPTION_H
#define WNBD_CORE_OPTIONS_OPTION_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
    OPTION_LOG_LEVEL,
    OPTION_NEW_MAPPINGS_ALLOWED,
    OPTION_ETW_LOGGING_ENABLED,
    OPTION_WPP_LOGGING_ENABLED,
    OPTION_DBG_PRINT_ENABLED,
    OPTION_MAX_IO_REQ_PER_ADAPTER,
    OPTION_MAX_IO_REQ_PER_LUN,
    OPTION_REMOVE_STALE_CONNECTIONS,
    OPTION_STALE_REQ_TIMEOUT_MS,
    OPTION_STALE_CONN_TIMEOUT_MS,
    OPTION_CONNECT_TIMEOUT_MS,
    OPTION_RECONNECT_TIMEOUT_MS,
    OPTION_COUNT,
};

enum option_type {
    OPTION_BOOL,
    OPTION_INT64,
};

#define OPTION_NAME_SIZE 32 /* NUL included */

struct option {
    char name[OPTION_NAME_SIZE];
    enum option_type type;
    int64_t initial; /* the built-in default */
    int64_t minimum;
    int64_t maximum;
    bool zero_is_initial; /* 0 stands for the default */
};

/* The option of an id below OPTION_COUNT. */
const struct option *option_of(enum option_id id);

/* The option of that name, in any case of letters. NULL: there is none; else `*id` is set. */
const struct option *option_find(const uint16_t *name, size_t length, enum option_id *id);

/* Writes the option's name with a NUL. */
void option_write_name(const struct option *option, uint16_t name[OPTION_NAME_SIZE]);

/* Whether the option can have the value; a 0 that stands for the default is replaced by it. */
bool option_accept(const struct option *option, int64_t *value) MUST_CHECK;

/* What a text says: for a boolean option 1, t, true, y, yes or 0, f, false, n, no, in any case of letters; for a number
 * decimal digits, a minus before them or not, or 0x and hexadecimal ones. False: it says nothing of the kind, or a
 * number that 64 bits do not hold. Whether the option can have it, option_accept tells. */
bool option_parse(const struct option *option, const uint16_t *text, size_t length, int64_t *value) MUST_CHECK;

#endif
