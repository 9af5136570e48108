/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "include/wnbd.h"

#include <stdlib.h>

/* Gives a list for free(), or NULL with *error. */
static PWNBD_CONNECTION_LIST read_list(HANDLE adapter, DWORD *error)
{
    PWNBD_CONNECTION_LIST list = NULL;
    DWORD size = 0;
    DWORD given;

    do {
        given = size;
        free(list);
        list = given ? malloc(given) : NULL;
        *error = given && !list ? ERROR_NOT_ENOUGH_MEMORY : WnbdIoctlList(adapter, list, &size, NULL);
    } while (*error == ERROR_SUCCESS && size > given);
    if (*error != ERROR_SUCCESS) {
        free(list);
        return NULL;
    }
    return list;
}

/* Returns when no mapping is under way any more. A driver of before there were options knows no way to do this. */
static DWORD forbid_mappings(HANDLE adapter)
{
    WNBD_OPTION_VALUE forbidden = {.Type = WnbdOptBool, .Data.AsBool = FALSE};
    DWORD error = WnbdIoctlSetDrvOpt(adapter, "NewMappingsAllowed", &forbidden, FALSE, NULL);

    return error == ERROR_INVALID_FUNCTION ? ERROR_SUCCESS : error;
}

DWORD WnbdRemoveAllDisks(HANDLE AdapterHandle)
{
    DWORD error = forbid_mappings(AdapterHandle);
    PWNBD_CONNECTION_LIST list = error == ERROR_SUCCESS ? read_list(AdapterHandle, &error) : NULL;

    if (!list)
        return error;
    for (UINT32 i = 0; i < list->Count && error == ERROR_SUCCESS; i++) {
        error = WnbdIoctlRemove(AdapterHandle, list->Connections[i].Properties.InstanceName, NULL, NULL);
        if (error == ERROR_FILE_NOT_FOUND) /* somebody else was faster */
            error = ERROR_SUCCESS;
    }
    free(list);
    return error;
}
