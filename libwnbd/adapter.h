/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one WNBD adapter of the machine. */
#ifndef LIBWNBD_ADAPTER_H
#define LIBWNBD_ADAPTER_H

#include "include/wnbd.h"

/* The adapter's device instance id, without opening it; `length` in characters. Errors as RAW of wnbd.h. */
DWORD adapter_instance_id(WCHAR *id, DWORD length);

/* Is there one, whether or not it can be opened? */
BOOL adapter_is_there(void);

/* WnbdOpenAdapter for callers that promise OPEN: every failure is ERROR_OPEN_FAILED. */
DWORD adapter_open(HANDLE *adapter);

#endif
