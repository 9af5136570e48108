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

DWORD WnbdRemoveAllDisks(HANDLE AdapterHandle)
{
    DWORD error;
    PWNBD_CONNECTION_LIST list = read_list(AdapterHandle, &error);

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
