/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/ready.h"
#include "wnbd-client/interrupt.h"
#include "wnbd-client/report.h"

#define DISK_APPEARS_MS  (30 * 1000)
#define POLL_SLICE_MS    500 /* how soon an interruption is noticed */
#define POLL_INTERVAL_MS 50

DWORD ready_wait(const char *name, DWORD *disk_number)
{
    ULONGLONG end_ms = GetTickCount64() + DISK_APPEARS_MS;
    DWORD error;

    do {
        if (interrupt_happened())
            return ERROR_OPERATION_ABORTED;
        error = WnbdPollDiskNumber(name, TRUE, TRUE, POLL_SLICE_MS, POLL_INTERVAL_MS, disk_number);
    } while (error == WAIT_TIMEOUT && GetTickCount64() < end_ms);
    return interrupt_happened() ? ERROR_OPERATION_ABORTED : error;
}

int ready_report(const char *name, DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
        report_sentence("cannot map '%s': it was unmapped before the disk appeared", name);
        return ERROR_OPERATION_ABORTED;
    case WAIT_TIMEOUT:
        report_sentence("cannot map '%s': Windows did not show the disk within %d s, so it was unmapped again", name,
                        DISK_APPEARS_MS / 1000);
        return (int)error;
    default:
        return report_failure(error, "cannot map '%s', so it was unmapped again", name);
    }
}
