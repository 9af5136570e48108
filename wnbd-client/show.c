/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* show: all that is known of a disk. */
#include "wnbd-client/commands.h"
#include "wnbd-client/disks.h"
#include "wnbd-client/json.h"
#include "wnbd-client/report.h"
#include "wnbd-client/show_print.h"

/* The disk may go while it is looked at: then there is less to tell. */
static DWORD look(const char *name, struct shown *shown)
{
    DWORD error = WnbdShow(name, &shown->info);

    if (error != ERROR_SUCCESS)
        return error;
    shown->has_server = WnbdGetServerStatus(name, &shown->server) == ERROR_SUCCESS;
    shown->has_stats = WnbdGetDiskStats(name, &shown->stats) == ERROR_SUCCESS;
    shown->has_limits = disk_read_limits(shown->info.DiskNumber, &shown->lun_limit, &shown->adapter_limit);
    return ERROR_SUCCESS;
}

int command_show(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "instance-name", "");
    static struct shown shown;
    bool json;
    int code = json_read_format(arguments, &json);
    DWORD error;

    if (code != ERROR_SUCCESS)
        return code;
    error = look(name, &shown);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot show '%s'", name);
    (json ? show_print_json : show_print_text)(&shown);
    return ERROR_SUCCESS;
}
