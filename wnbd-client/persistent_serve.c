/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map --user --persistent: the service is the NBD client, not this program. */
#include "wnbd-client/map_user.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/report.h"

#include "records/records.h"

#define APPEARS_MS       (30 * 1000)
#define POLL_INTERVAL_MS 100

static DWORD query(SC_HANDLE services, SERVICE_STATUS *status)
{
    SC_HANDLE service = OpenServiceW(services, RECORDS_SERVICE, SERVICE_QUERY_STATUS);
    DWORD error = ERROR_SUCCESS;

    if (!service)
        return GetLastError();
    if (!QueryServiceStatus(service, status))
        error = GetLastError();
    CloseServiceHandle(service);
    return error;
}

static bool service_runs(void)
{
    SC_HANDLE services = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SERVICE_STATUS status = {0};
    DWORD error;

    if (!services)
        return false;
    error = query(services, &status);
    CloseServiceHandle(services);
    return error == ERROR_SUCCESS && status.dwCurrentState == SERVICE_RUNNING;
}

static int check(const char *name)
{
    WNBD_CONNECTION_INFO info;

    if (!service_runs()) {
        report_sentence("cannot map '%s': the WNBD service, which is to serve it, does not run", name);
        return ERROR_SERVICE_NOT_ACTIVE;
    }
    if (WnbdShow(name, &info) == ERROR_SUCCESS)
        return report_failure(ERROR_ALREADY_EXISTS, "cannot map '%s'", name);
    return ERROR_SUCCESS;
}

/* The service sees the record by itself. */
static DWORD wait_for_service(const char *name, bool json)
{
    WNBD_CONNECTION_INFO info;
    DWORD number;
    DWORD error = WnbdPollDiskNumber(name, FALSE, TRUE, APPEARS_MS, POLL_INTERVAL_MS, &number);

    if (error == ERROR_SUCCESS)
        error = WnbdShow(name, &info);
    if (error == ERROR_SUCCESS)
        map_print_result(json, &info, number);
    return error;
}

int persistent_serve(const WNBD_PROPERTIES *properties, bool json)
{
    const char *name = properties->InstanceName;
    int code = check(name);
    DWORD error;

    if (code != ERROR_SUCCESS)
        return code;
    code = persistent_write(properties);
    if (code != ERROR_SUCCESS)
        return code;
    error = wait_for_service(name, json);
    if (error == ERROR_SUCCESS) {
        persistent_tell(name);
        return ERROR_SUCCESS;
    }
    record_delete(name);
    if (error != WAIT_TIMEOUT)
        return report_failure(error, "cannot map '%s'", name);
    report_sentence(
        "cannot map '%s': the WNBD service did not within %d s, and says why in the event log; the record was "
        "deleted again",
        name, APPEARS_MS / 1000);
    return (int)error;
}
