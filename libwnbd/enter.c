/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/enter.h"
#include "libwnbd/ioctl.h"

#include <string.h>

#define NO_MEMORY_TRIES    500
#define NO_MEMORY_PAUSE_MS 10

DWORD enter_open(struct enter *enter, WNBD_CONNECTION_ID connection)
{
    memset(enter, 0, sizeof(*enter));
    enter->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!enter->event)
        return ERROR_OUTOFMEMORY;
    enter->command.IoControlCode = IOCTL_WNBD_ENTER;
    enter->command.ConnectionId = connection;
    return ERROR_SUCCESS;
}

void enter_close(struct enter *enter)
{
    if (enter->event)
        CloseHandle(enter->event);
}

static DWORD command_size(const WNBD_IOCTL_ENTER_COMMAND *command)
{
    size_t used = offsetof(WNBD_IOCTL_ENTER_COMMAND, Answers) + command->AnswerCount * sizeof(WNBD_ANSWER);

    return (DWORD)(used > sizeof(*command) ? used : sizeof(*command));
}

static DWORD finish(HANDLE adapter, struct enter *enter, DWORD error, DWORD *used)
{
    if (error == ERROR_IO_PENDING)
        WaitForSingleObject(enter->event, INFINITE); /* the end of the disk ends it */
    else if (error != ERROR_SUCCESS)
        return error;
    return GetOverlappedResult(adapter, &enter->overlapped, used, FALSE) ? ERROR_SUCCESS : GetLastError();
}

static DWORD send_once(HANDLE adapter, struct enter *enter)
{
    const DWORD head = offsetof(WNBD_ENTER_OUTPUT, Requests);
    DWORD used = 0;
    DWORD error;

    memset(&enter->overlapped, 0, sizeof(enter->overlapped));
    /* The low bit keeps this call out of a completion port that the program may have bound to the handle. */
    enter->overlapped.hEvent = (HANDLE)((ULONG_PTR)enter->event | 1);
    error = ioctl_command(adapter, &enter->command, command_size(&enter->command), &enter->output,
                          sizeof(enter->output_space), &enter->overlapped);
    error = finish(adapter, enter, error, &used);
    if (error != ERROR_SUCCESS)
        return error;
    if (used < head || enter->output.RequestCount > PACE_BATCH_MAX ||
        used < head + enter->output.RequestCount * sizeof(WNBD_ARENA_REQUEST))
        return ERROR_INVALID_DATA;
    return ERROR_SUCCESS;
}

/* Memory may be short for a moment, which is no reason to lose a disk or an answer. TRUE: after a pause. */
static BOOL may_try_again(DWORD error, int *tries)
{
    if (error != ERROR_NO_SYSTEM_RESOURCES || ++*tries == NO_MEMORY_TRIES)
        return FALSE;
    Sleep(NO_MEMORY_PAUSE_MS);
    return TRUE;
}

/* Answers that were taken all the same are refused the second time, without harm. */
DWORD enter_send(HANDLE adapter, struct enter *enter)
{
    int tries = 0;
    DWORD error;

    do
        error = send_once(adapter, enter);
    while (may_try_again(error, &tries));
    return error;
}

DWORD enter_send_answer(HANDLE adapter, WNBD_CONNECTION_ID connection, const WNBD_ANSWER *answer,
                        PWNBD_ENTER_OUTPUT output, LPOVERLAPPED overlapped)
{
    WNBD_IOCTL_ENTER_COMMAND command = {
        .IoControlCode = IOCTL_WNBD_ENTER, .AnswerCount = 1, .ConnectionId = connection, .Answers = {*answer}};
    int tries = 0;
    DWORD error;

    do
        error = ioctl_command(adapter, &command, sizeof(command), output, sizeof(*output), overlapped);
    while (may_try_again(error, &tries));
    return error;
}
