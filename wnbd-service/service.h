/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service as the service control manager sees it. */
#ifndef WNBD_SERVICE_SERVICE_H
#define WNBD_SERVICE_SERVICE_H

#include "records/records.h"

#define SERVICE_NAME RECORDS_SERVICE

/* Hands the process over to the service control manager, until the service has stopped.
 * 1063 ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: nobody has started it as a service. */
DWORD service_serve(void);

/* The same work without a service control manager, until Ctrl-C. */
DWORD service_serve_in_foreground(void);

#endif
