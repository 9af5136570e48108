/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CM_MapCrToWin32Err. */
#include "bed/wine/cfgmgr32/control.h"
#include "bed/wine/cfgmgr32/exports.h"

static const struct {
    CONFIGRET result;
    DWORD error;
} map[] = {
    {CR_SUCCESS, ERROR_SUCCESS},
    {CR_OUT_OF_MEMORY, ERROR_NOT_ENOUGH_MEMORY},
    {CR_INVALID_POINTER, ERROR_INVALID_USER_BUFFER},
    {CR_INVALID_FLAG, ERROR_INVALID_FLAGS},
    {CR_INVALID_DATA, ERROR_INVALID_DATA},
    {CR_INVALID_DEVICE_ID, ERROR_INVALID_DATA},
    {CR_NO_SUCH_DEVNODE, ERROR_NOT_FOUND},
    {CR_NO_SUCH_VALUE, ERROR_NOT_FOUND},
    {CR_NO_SUCH_REGISTRY_KEY, ERROR_NOT_FOUND},
    {CR_NO_SUCH_DEVICE_INTERFACE, ERROR_NOT_FOUND},
    {CR_BUFFER_SMALL, ERROR_INSUFFICIENT_BUFFER},
    {CR_ACCESS_DENIED, ERROR_ACCESS_DENIED},
    {CR_CALL_NOT_IMPLEMENTED, ERROR_CALL_NOT_IMPLEMENTED},
};

DWORD WINAPI map_cr_to_win32_err(CONFIGRET result, DWORD fallback)
{
    for (unsigned i = 0; i < ARRAYSIZE(map); i++) {
        if (map[i].result == result) {
            return map[i].error;
        }
    }
    return fallback;
}
