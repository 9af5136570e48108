/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which export of which server is meant: by options, or by an NBD URI in the server's place. */
#ifndef WNBD_CLIENT_SERVER_H
#define WNBD_CLIENT_SERVER_H

#include "wnbd-client/arguments.h"

#include <wnbd.h>

/* Fills in host, port and export. Without an export's name among the arguments it is `default_export`. Not 0: the exit
 * code, said on stderr. */
int server_read(const struct arguments *arguments, const char *default_export, NBD_CONNECTION_PROPERTIES *server);

#endif
