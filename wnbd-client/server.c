/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/server.h"

#include "wnbd-client/report.h"

#include "core/nbd/uri.h"

#include <stdio.h>
#include <string.h>

/* False: it does not fit. */
static bool copy(CHAR *to, size_t size, const char *from)
{
    return (size_t)snprintf(to, size, "%s", from) < size;
}

static int read_options(const struct arguments *arguments, const char *default_export,
                        NBD_CONNECTION_PROPERTIES *server)
{
    if (!copy(server->Hostname, sizeof(server->Hostname), argument_text(arguments, "hostname", "")))
        return report_misuse("hostname has more than %d bytes", WNBD_MAX_NAME_LENGTH - 1);
    copy(server->ExportName, sizeof(server->ExportName), argument_text(arguments, "export-name", default_export));
    server->PortNumber = (UINT32)argument_number(arguments, "port", NBD_DEFAULT_PORT);
    return ERROR_SUCCESS;
}

/* What is well formed and cannot be done. */
static int check_uri(const char *text, const struct nbd_uri *uri)
{
    if (uri->tls)
        return report_misuse("'%s' asks for TLS, which is not supported yet; nothing was sent", text);
    if (uri->unix_socket)
        return report_misuse("'%s' is about a Unix socket; a disk's server is reached by TCP only", text);
    if (uri->user)
        return report_misuse("'%s' has a user name, which only TLS has a use for", text);
    if (uri->export_length >= WNBD_MAX_NAME_LENGTH)
        return report_misuse("the export name in '%s' has more than %d bytes", text, WNBD_MAX_NAME_LENGTH - 1);
    return ERROR_SUCCESS;
}

static int read_uri(const char *text, const struct arguments *arguments, NBD_CONNECTION_PROPERTIES *server)
{
    static struct nbd_uri uri;
    enum nbd_uri_problem problem = nbd_uri_parse(text, &uri);
    int code;

    if (problem != NBD_URI_OK)
        return report_misuse("'%s' is not an NBD URI: %s", text, nbd_uri_problem_text(problem));
    if (argument_text(arguments, "export-name", NULL) || argument_number(arguments, "port", 0))
        return report_misuse("'%s' says which port and export; port and export-name say it twice", text);
    code = check_uri(text, &uri);
    if (code != ERROR_SUCCESS)
        return code;
    copy(server->Hostname, sizeof(server->Hostname), uri.host);
    copy(server->ExportName, sizeof(server->ExportName), uri.export_name);
    server->PortNumber = uri.port;
    return ERROR_SUCCESS;
}

int server_read(const struct arguments *arguments, const char *default_export, NBD_CONNECTION_PROPERTIES *server)
{
    const char *host = argument_text(arguments, "hostname", "");

    return nbd_uri_is_meant(host) ? read_uri(host, arguments, server) : read_options(arguments, default_export, server);
}
