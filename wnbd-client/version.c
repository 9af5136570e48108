/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/commands.h"
#include "wnbd-client/report.h"

#include <stdio.h>

#include "version.h"

int command_version(const struct arguments *arguments)
{
    WNBD_VERSION version;
    DWORD error;

    (void)arguments;
    printf("wnbd-client.exe: %s\n", WNBD_VERSION_STR);
    WnbdGetLibVersion(&version);
    printf("libwnbd.dll: %s\n", version.Description);
    error = WnbdGetDriverVersion(&version);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot learn the driver's version");
    printf("wnbd.sys: %s\n", version.Description);
    return ERROR_SUCCESS;
}
