/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/commands.h"
#include "wnbd-client/json.h"
#include "wnbd-client/report.h"

#include <stdio.h>

#include "version.h"

/* `driver` NULL: it does not answer. */
static void print_text(const char *library, const char *driver)
{
    printf("wnbd-client.exe: %s\n", WNBD_VERSION_TEXT);
    printf("libwnbd.dll: %s\n", library);
    if (driver)
        printf("wnbd.sys: %s\n", driver);
}

static void print_json(const char *library, const char *driver)
{
    json_begin_object(NULL);
    json_text("client", WNBD_VERSION_TEXT);
    json_text("library", library);
    if (driver)
        json_text("driver", driver);
    else
        json_null("driver");
    json_end_object();
}

int command_version(const struct arguments *arguments)
{
    WNBD_VERSION library;
    WNBD_VERSION driver;
    bool json;
    int code = json_read_format(arguments, &json);
    DWORD error;

    if (code != ERROR_SUCCESS)
        return code;
    WnbdGetLibVersion(&library);
    error = WnbdGetDriverVersion(&driver);
    (json ? print_json : print_text)(library.Description, error == ERROR_SUCCESS ? driver.Description : NULL);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot learn the driver's version");
}
