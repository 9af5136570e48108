/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keep_service NAME READY UNTIL: has a service open, as a window that shows services has, from when the file READY is
 * there until the file UNTIL is, two minutes at most. */
#include <windows.h>

#include <stdio.h>

#define LOOK_EVERY_MS 50
#define LOOKS_MAX     (120 * 1000 / LOOK_EVERY_MS)

int main(int count, char **arguments)
{
    SC_HANDLE services = count == 4 ? OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT) : NULL;
    SC_HANDLE service = services ? OpenServiceA(services, arguments[1], SERVICE_QUERY_STATUS) : NULL;
    FILE *ready = service ? fopen(arguments[2], "w") : NULL;

    if (!ready) {
        fprintf(stderr, "keep_service: error %lu\n", GetLastError());
        return 1;
    }
    fclose(ready);
    for (int looks = 0; looks < LOOKS_MAX && GetFileAttributesA(arguments[3]) == INVALID_FILE_ATTRIBUTES; looks++)
        Sleep(LOOK_EVERY_MS);
    CloseServiceHandle(service);
    CloseServiceHandle(services);
    return 0;
}
