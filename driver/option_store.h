/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options in the registry: a value of the option's name, REG_QWORD. PASSIVE_LEVEL, on a system thread. */
#ifndef WNBD_DRIVER_OPTION_STORE_H
#define WNBD_DRIVER_OPTION_STORE_H

#include "driver/ddk.h"

#include "core/options/option.h"

/* Before all others; `driver` is borrowed for as long as it is loaded. */
void option_store_init(PDRIVER_OBJECT driver);

/* Opens what the installation has set (DriverRegKeyParameters) or what the driver has stored
 * (DriverRegKeyPersistentState); for ZwClose. */
NTSTATUS option_store_open(DRIVER_REGKEY_TYPE type, ACCESS_MASK access, HANDLE *key);

/* Reads a value: a REG_QWORD, or a REG_DWORD as INF files write it. STATUS_OBJECT_NAME_NOT_FOUND: there is none, or one
 * of another type, which is logged. */
NTSTATUS option_store_read(HANDLE key, const struct option *option, LONG64 *value);

NTSTATUS option_store_write(HANDLE key, const struct option *option, LONG64 value);

/* STATUS_OBJECT_NAME_NOT_FOUND: there was none. */
NTSTATUS option_store_delete(HANDLE key, const struct option *option);

#endif
