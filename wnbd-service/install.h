/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling Windows about the service. */
#ifndef WNBD_SERVICE_INSTALL_H
#define WNBD_SERVICE_INSTALL_H

#include <windows.h>

/* Installs this program as the service and starts it; one that is installed already gets this program's path. A failure
 * has been said on stderr. */
DWORD install_service(void);

/* Stops the service and removes it. It need not be installed. A failure has been said on stderr. */
DWORD uninstall_service(void);

/* Stops the service, which stays installed. It need not be. A failure has been said on stderr. */
DWORD stop_service(void);

#endif
