/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/ioctl.h"

#include <string.h>
#include <winioctl.h>

/* From ntddscsi.h of the WDK; mingw-w64's copy lacks it. */
#define IOCTL_MINIPORT_PROCESS_SERVICE_IRP                                                                             \
    CTL_CODE(FILE_DEVICE_CONTROLLER, 0x040e, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
static_assert(IOCTL_MINIPORT_PROCESS_SERVICE_IRP == 0x0004D038, "the one code of the adapter");

DWORD ioctl_call(HANDLE device, DWORD code, void *input, DWORD input_size, void *output, DWORD output_size, DWORD *used)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    OVERLAPPED overlapped = {0};
    DWORD bytes = 0;
    DWORD error = ERROR_SUCCESS;

    if (!event)
        return GetLastError();
    /* The low bit keeps this call out of a completion port that the caller may have bound to the handle. */
    overlapped.hEvent = (HANDLE)((ULONG_PTR)event | 1);
    if (!DeviceIoControl(device, code, input, input_size, output, output_size, &bytes, &overlapped)) {
        error = GetLastError();
        if (error == ERROR_IO_PENDING) {
            WaitForSingleObject(event, INFINITE); /* the driver bounds how long a command takes */
            error = GetOverlappedResult(device, &overlapped, &bytes, FALSE) ? ERROR_SUCCESS : GetLastError();
        }
    }
    CloseHandle(event);
    if (used)
        *used = bytes;
    return error;
}

static DWORD start(HANDLE adapter, void *command, DWORD command_size, void *output, DWORD output_size,
                   LPOVERLAPPED overlapped)
{
    /* Buffered method: the command is copied before DeviceIoControl returns, so it may be on the caller's stack. */
    if (DeviceIoControl(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, command, command_size, output, output_size, NULL,
                        overlapped))
        return ERROR_SUCCESS;
    return GetLastError();
}

DWORD ioctl_command_wait(HANDLE adapter, void *command, DWORD command_size, void *output, DWORD output_size,
                         DWORD *used)
{
    return ioctl_call(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, command, command_size, output, output_size, used);
}

/* An answer shorter than its structure would leave the caller with memory nobody wrote. */
static DWORD wait_for_all(HANDLE adapter, void *command, DWORD command_size, void *output, DWORD output_size)
{
    DWORD used;
    DWORD error = ioctl_command_wait(adapter, command, command_size, output, output_size, &used);

    return error == ERROR_SUCCESS && used < output_size ? ERROR_INVALID_DATA : error;
}

DWORD ioctl_command(HANDLE adapter, void *command, DWORD command_size, void *output, DWORD output_size,
                    LPOVERLAPPED overlapped)
{
    if (overlapped)
        return start(adapter, command, command_size, output, output_size, overlapped);
    return wait_for_all(adapter, command, command_size, output, output_size);
}

void ioctl_mark_done(LPOVERLAPPED overlapped, DWORD used)
{
    if (!overlapped)
        return;
    overlapped->Internal = 0; /* STATUS_SUCCESS */
    overlapped->InternalHigh = used;
    if (overlapped->hEvent)
        SetEvent(overlapped->hEvent);
}

DWORD ioctl_copy_name(CHAR destination[WNBD_MAX_NAME_LENGTH], const char *name)
{
    size_t length = name ? strlen(name) : 0;

    if (length == 0)
        return ERROR_INVALID_PARAMETER;
    if (length >= WNBD_MAX_NAME_LENGTH)
        return ERROR_BUFFER_OVERFLOW;
    memcpy(destination, name, length + 1);
    return ERROR_SUCCESS;
}
