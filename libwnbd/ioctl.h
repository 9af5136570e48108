/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DeviceIoControl on a handle that was opened for overlapped use, and the adapter's commands on top of it. */
#ifndef LIBWNBD_IOCTL_H
#define LIBWNBD_IOCTL_H

#include "include/wnbd.h"

/* Sends and waits. *used, which may be NULL, receives the number of bytes written to `output`. */
DWORD ioctl_call(HANDLE device, DWORD code, void *input, DWORD input_size, void *output, DWORD output_size,
                 DWORD *used);

/* An adapter command: waits if `overlapped` is NULL, otherwise may return ERROR_IO_PENDING, see wnbd.h. */
DWORD ioctl_command(HANDLE adapter, void *command, DWORD command_size, void *output, DWORD output_size,
                    LPOVERLAPPED overlapped);

/* The same, always waiting. */
DWORD ioctl_command_wait(HANDLE adapter, void *command, DWORD command_size, void *output, DWORD output_size,
                         DWORD *used);

/* For work that was done without pending: makes `overlapped`, which may be NULL, look completed and signals its event.
 */
void ioctl_mark_done(LPOVERLAPPED overlapped, DWORD used);

/* Copies an instance name into a command. 87 NULL or empty, 111 too long. */
DWORD ioctl_copy_name(CHAR destination[WNBD_MAX_NAME_LENGTH], const char *name);

#endif
