/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/nbd_sharing.h"
#include "libwnbd/adapter.h"
#include "libwnbd/list.h"

#include <stdlib.h>
#include <string.h>

static BOOL is_same_export(const NBD_CONNECTION_PROPERTIES *one, const NBD_CONNECTION_PROPERTIES *other)
{
    return _stricmp(one->Hostname, other->Hostname) == 0 && one->PortNumber == other->PortNumber &&
           strcmp(one->ExportName, other->ExportName) == 0;
}

/* Who asks for a name that is in use is told that. */
static BOOL is_rival(const WNBD_PROPERTIES *mine, const WNBD_PROPERTIES *other)
{
    if (!other->Flags.UseKernelNbd && !other->Flags.UseUserspaceNbd)
        return FALSE;
    if (mine->Flags.ReadOnly && other->Flags.ReadOnly)
        return FALSE;
    return strcmp(mine->InstanceName, other->InstanceName) != 0 &&
           is_same_export(&mine->NbdProperties, &other->NbdProperties);
}

/* NULL: it cannot be had. For free(). */
static PWNBD_CONNECTION_LIST read_list(void)
{
    PWNBD_CONNECTION_LIST list = NULL;
    HANDLE adapter;

    if (adapter_open(&adapter) != ERROR_SUCCESS)
        return NULL;
    list_read(adapter, &list);
    CloseHandle(adapter);
    return list;
}

BOOL nbd_is_shared(const WNBD_PROPERTIES *properties, CHAR other[WNBD_MAX_NAME_LENGTH])
{
    PWNBD_CONNECTION_LIST list = read_list();
    BOOL is_shared = FALSE;

    for (UINT32 i = 0; list && i < list->Count && !is_shared; i++) {
        is_shared = is_rival(properties, &list->Connections[i].Properties);
        if (is_shared)
            memcpy(other, list->Connections[i].Properties.InstanceName, WNBD_MAX_NAME_LENGTH);
    }
    free(list);
    return is_shared;
}
