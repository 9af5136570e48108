/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/list.h"

#include <stdlib.h>

/* Returns when no mapping is under way any more. A driver of before there were options knows no way to do this. */
static DWORD forbid_mappings(HANDLE adapter)
{
    WNBD_OPTION_VALUE forbidden = {.Type = WnbdOptBool, .Data.AsBool = FALSE};
    DWORD error = WnbdIoctlSetDrvOpt(adapter, "NewMappingsAllowed", &forbidden, FALSE, NULL);

    return error == ERROR_INVALID_FUNCTION ? ERROR_SUCCESS : error;
}

/* Somebody else may be faster. */
static DWORD remove_one(HANDLE adapter, const char *name)
{
    WNBD_REMOVE_COMMAND_OPTIONS options = {.Flags.WithAllDisks = 1};
    DWORD error = WnbdIoctlRemove(adapter, name, &options, NULL);

    return error == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : error;
}

DWORD WnbdRemoveAllDisks(HANDLE AdapterHandle)
{
    DWORD error = forbid_mappings(AdapterHandle);
    PWNBD_CONNECTION_LIST list = NULL;

    if (error == ERROR_SUCCESS)
        error = list_read(AdapterHandle, &list);
    if (error != ERROR_SUCCESS)
        return error;
    for (UINT32 i = 0; i < list->Count && error == ERROR_SUCCESS; i++)
        error = remove_one(AdapterHandle, list->Connections[i].Properties.InstanceName);
    free(list);
    return error;
}
