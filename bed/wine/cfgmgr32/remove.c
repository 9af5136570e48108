/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking devices to go, or to stop and start again. */
#include "bed/wine/cfgmgr32/control.h"
#include "bed/wine/cfgmgr32/exports.h"

#include <wchar.h>

static CONFIGRET result_of(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS:
        return CR_SUCCESS;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_DEV_NOT_EXIST:
        return CR_NO_SUCH_DEVNODE;
    case ERROR_ACCESS_DENIED:
        return CR_ACCESS_DENIED;
    default:
        return CR_FAILURE;
    }
}

static CONFIGRET ask(DEVINST node, DWORD code, struct bed_verdict *verdict)
{
    wchar_t instance[BED_INSTANCE_LENGTH];
    CONFIGRET result;

    if (!node_instance(node, instance)) {
        return CR_INVALID_DEVNODE;
    }
    result = result_of(control_ask(code, instance, verdict));
    return result == CR_SUCCESS && verdict->vetoed ? CR_REMOVE_VETOED : result;
}

CONFIGRET WINAPI query_and_remove_subtree_w(DEVINST node, PPNP_VETO_TYPE type, WCHAR *name, ULONG length, ULONG flags)
{
    struct bed_verdict verdict;
    CONFIGRET result;

    if (flags & ~(ULONG)CM_REMOVE_BITS) {
        return CR_INVALID_FLAG;
    }
    if (name && !length) {
        return CR_INVALID_DATA;
    }
    result = ask(node, BED_CONTROL_QUERY_REMOVE, &verdict);
    if (type) {
        *type = result == CR_REMOVE_VETOED ? (PNP_VETO_TYPE)verdict.veto_type : PNP_VetoTypeUnknown;
    }
    if (name) {
        wcsncpy(name, verdict.veto_name, length - 1);
        name[length - 1] = 0;
    }
    return result;
}

CONFIGRET WINAPI query_and_remove_subtree_a(DEVINST node, PPNP_VETO_TYPE type, CHAR *name, ULONG length, ULONG flags)
{
    wchar_t wide[BED_INSTANCE_LENGTH] = {0};
    CONFIGRET result = query_and_remove_subtree_w(node, type, wide, BED_INSTANCE_LENGTH, flags);

    if (name && length) {
        WideCharToMultiByte(CP_ACP, 0, wide, -1, name, (int)length, NULL, NULL);
        name[length - 1] = 0;
    }
    return result;
}

CONFIGRET WINAPI disable_devnode(DEVINST node, ULONG flags)
{
    struct bed_verdict verdict;
    CONFIGRET result;

    (void)flags;
    result = ask(node, BED_CONTROL_DISABLE, &verdict);
    return result == CR_REMOVE_VETOED ? CR_NOT_DISABLEABLE : result;
}

CONFIGRET WINAPI enable_devnode(DEVINST node, ULONG flags)
{
    struct bed_verdict verdict;

    (void)flags;
    return ask(node, BED_CONTROL_ENABLE, &verdict);
}
