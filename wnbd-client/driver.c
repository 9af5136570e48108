/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/commands.h"
#include "wnbd-client/report.h"
#include "wnbd-client/service.h"

static void tell(BOOL is_reboot_required)
{
    if (is_reboot_required)
        report_note("Windows must be restarted to finish this");
}

int command_install_driver(const struct arguments *arguments)
{
    const char *file_name = argument_text(arguments, "filename", "");
    BOOL is_reboot_required = FALSE;
    DWORD error = WnbdInstallDriver(file_name, &is_reboot_required);

    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot install the driver of '%s'", file_name);
    tell(is_reboot_required);
    return service_install();
}

int command_uninstall_driver(const struct arguments *arguments)
{
    BOOL is_reboot_required = FALSE;
    DWORD error;
    /* First: it would try to map its disks again. */
    int code = argument_flag(arguments, "keep-service") ? service_stop() : service_uninstall();

    if (code != ERROR_SUCCESS)
        return code;
    error = WnbdUninstallDriver(&is_reboot_required);
    tell(is_reboot_required);
    return error == ERROR_SUCCESS ? (int)error : report_failure(error, "cannot uninstall the driver completely");
}
