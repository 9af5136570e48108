/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of 2020, by those that took their place. */
#include "include/wnbd.h"

DWORD WnbdRaiseDrvLogLevel(USHORT LogLevel)
{
    WNBD_OPTION_VALUE value = {.Type = WnbdOptInt64, .Data.AsInt64 = LogLevel};

    return WnbdSetDrvOpt("LogLevel", &value, TRUE);
}

DWORD WnbdOpenAdapterCMDeviceInstance(PDEVINST DeviceInstance)
{
    return WnbdGetAdapterDevInst(DeviceInstance);
}

DWORD WnbdOpenAdapterEx(PHANDLE Handle, PDEVINST CMDeviceInstance)
{
    DWORD error = WnbdGetAdapterDevInst(CMDeviceInstance);

    return error == ERROR_SUCCESS ? WnbdOpenAdapter(Handle) : error;
}
