/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/adapter.h"

#include <stdio.h>
#include <string.h>

#include "version.h"

DWORD WnbdGetLibVersion(PWNBD_VERSION Version)
{
    if (!Version)
        return ERROR_INVALID_PARAMETER;
    memset(Version, 0, sizeof(*Version));
    Version->Major = WNBD_VERSION_MAJOR;
    Version->Minor = WNBD_VERSION_MINOR;
    Version->Patch = WNBD_VERSION_PATCH;
    snprintf(Version->Description, sizeof(Version->Description), "%s", WNBD_VERSION_TEXT);
    return ERROR_SUCCESS;
}

DWORD WnbdGetDriverVersion(PWNBD_VERSION Version)
{
    HANDLE adapter;
    DWORD error = Version ? adapter_open(&adapter) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlVersion(adapter, Version, NULL);
    Version->Description[sizeof(Version->Description) - 1] = '\0';
    CloseHandle(adapter);
    return error;
}
