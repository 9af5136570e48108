/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service that maps recorded disks: its program stands beside this one, or it is not wanted. */
#ifndef WNBD_CLIENT_SERVICE_H
#define WNBD_CLIENT_SERVICE_H

/* Exit codes; a failure has been said on stderr. 0 if there is no such program. */
int service_install(void);
int service_uninstall(void);
int service_stop(void);

#endif
