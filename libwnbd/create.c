/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the driver for a disk, and for the reason in words when it cannot be had. */
#include "libwnbd/ioctl.h"
#include "libwnbd/log.h"

#include <string.h>
#include <winternl.h>

static BOOL is_terminated(const CHAR *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

#define TERMINATED(array) is_terminated(array, sizeof(array))

static DWORD check(const WNBD_PROPERTIES *properties)
{
    const NBD_CONNECTION_PROPERTIES *nbd = &properties->NbdProperties;

    if (!TERMINATED(properties->InstanceName) || !TERMINATED(properties->SerialNumber) ||
        !TERMINATED(properties->Owner) || !TERMINATED(nbd->Hostname) || !TERMINATED(nbd->ExportName)) {
        log_message(MESSAGE_NOT_MAPPED, "cannot map '%.*s': a name in its properties is too long",
                    (int)sizeof(properties->InstanceName) - 1, properties->InstanceName);
        return ERROR_BUFFER_OVERFLOW;
    }
    return ERROR_SUCCESS;
}

/* A driver that knows only the short answer fills just that, and has failed the command itself if it failed. */
static DWORD read_answer(WNBD_IOCTL_CREATE_OUTPUT *output, DWORD used, const CHAR *name)
{
    if (used < sizeof(output->Info))
        return ERROR_INVALID_DATA;
    if (used < sizeof(*output))
        return ERROR_SUCCESS;
    output->Message[sizeof(output->Message) - 1] = '\0';
    if (output->Status >= 0) {
        if (output->Message[0])
            log_message(MESSAGE_MAPPED_WITH_NOTE, "'%s' is mapped: %s", name, output->Message);
        return ERROR_SUCCESS;
    }
    if (output->Message[0])
        log_message(MESSAGE_NOT_MAPPED, "cannot map '%s': %s", name, output->Message);
    return RtlNtStatusToDosError(output->Status);
}

static DWORD create_and_wait(HANDLE adapter, WNBD_IOCTL_CREATE_COMMAND *command, PWNBD_CONNECTION_INFO info)
{
    WNBD_IOCTL_CREATE_OUTPUT output = {0};
    DWORD used;
    DWORD error = ioctl_command_wait(adapter, command, sizeof(*command), &output, sizeof(output), &used);

    if (error == ERROR_SUCCESS)
        error = read_answer(&output, used, command->Properties.InstanceName);
    if (error == ERROR_SUCCESS)
        *info = output.Info;
    return error;
}

DWORD WnbdIoctlCreate(HANDLE Adapter, PWNBD_PROPERTIES Properties, PWNBD_CONNECTION_INFO ConnectionInfo,
                      LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_CREATE_COMMAND command = {.IoControlCode = IOCTL_WNBD_CREATE};
    DWORD error = Properties && ConnectionInfo ? check(Properties) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    command.Properties = *Properties;
    /* The long answer has no place in the caller's memory, so a command that may pend asks for the short one. */
    if (Overlapped)
        return ioctl_command(Adapter, &command, sizeof(command), ConnectionInfo, sizeof(*ConnectionInfo), Overlapped);
    return create_and_wait(Adapter, &command, ConnectionInfo);
}
