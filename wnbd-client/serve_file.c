/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file as a disk, once it is open (serve_file_open.c). */
#include "wnbd-client/serve_file.h"

#include <stdlib.h>
#include <winioctl.h>

static struct file *file_of(struct medium *medium)
{
    return (struct file *)medium;
}

/* The handle is an overlapped one because Windows lets a single request at a time through any other. Each of the
 * dispatcher's threads waits for its own, with an event that it keeps until the process ends. */
static HANDLE event_of_thread(const struct file *file)
{
    HANDLE event = TlsGetValue(file->events);

    if (!event) {
        event = CreateEventW(NULL, TRUE, FALSE, NULL);
        TlsSetValue(file->events, event);
    }
    return event;
}

static DWORD begin(const struct file *file, uint64_t offset, OVERLAPPED *overlapped)
{
    *overlapped =
        (OVERLAPPED){.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32), .hEvent = event_of_thread(file)};
    return overlapped->hEvent ? ERROR_SUCCESS : ERROR_NO_SYSTEM_RESOURCES;
}

static DWORD finish(const struct file *file, BOOL begun, OVERLAPPED *overlapped, DWORD *transferred)
{
    if (!begun && GetLastError() != ERROR_IO_PENDING)
        return GetLastError();
    return GetOverlappedResult(file->handle, overlapped, transferred, TRUE) ? ERROR_SUCCESS : GetLastError();
}

static DWORD read_bytes(struct medium *medium, uint64_t offset, void *data, uint32_t length)
{
    struct file *file = file_of(medium);
    BYTE *to = data;

    while (length > 0) {
        OVERLAPPED overlapped;
        DWORD done = 0;
        DWORD error = begin(file, offset, &overlapped);

        if (error == ERROR_SUCCESS)
            error = finish(file, ReadFile(file->handle, to, length, NULL, &overlapped), &overlapped, &done);
        if (error != ERROR_SUCCESS)
            return error;
        if (done == 0)
            return ERROR_HANDLE_EOF;
        to += done;
        offset += done;
        length -= done;
    }
    return ERROR_SUCCESS;
}

/* Of what has no room a part may be written; the rest then says why. */
static DWORD write_bytes(struct medium *medium, uint64_t offset, const void *data, uint32_t length)
{
    struct file *file = file_of(medium);
    const BYTE *from = data;

    while (length > 0) {
        OVERLAPPED overlapped;
        DWORD done = 0;
        DWORD error = begin(file, offset, &overlapped);

        if (error == ERROR_SUCCESS)
            error = finish(file, WriteFile(file->handle, from, length, NULL, &overlapped), &overlapped, &done);
        if (error != ERROR_SUCCESS)
            return error;
        if (done == 0)
            return ERROR_DISK_FULL;
        from += done;
        offset += done;
        length -= done;
    }
    return ERROR_SUCCESS;
}

static DWORD flush_file(struct medium *medium)
{
    struct file *file = file_of(medium);

    if (file->read_only) /* Windows would deny it */
        return ERROR_SUCCESS;
    return FlushFileBuffers(file->handle) ? ERROR_SUCCESS : GetLastError();
}

static DWORD unmap_bytes(struct medium *medium, uint64_t offset, uint64_t length)
{
    struct file *file = file_of(medium);
    FILE_ZERO_DATA_INFORMATION zero = {.FileOffset.QuadPart = (LONGLONG)offset,
                                       .BeyondFinalZero.QuadPart = (LONGLONG)(offset + length)};
    OVERLAPPED overlapped;
    DWORD used = 0;
    DWORD error = begin(file, 0, &overlapped);

    if (error != ERROR_SUCCESS)
        return error;
    return finish(file,
                  DeviceIoControl(file->handle, FSCTL_SET_ZERO_DATA, &zero, sizeof(zero), NULL, 0, NULL, &overlapped),
                  &overlapped, &used);
}

static void close_file(struct medium *medium)
{
    struct file *file = file_of(medium);

    if (file->handle != INVALID_HANDLE_VALUE)
        CloseHandle(file->handle);
    if (file->events != TLS_OUT_OF_INDEXES)
        TlsFree(file->events);
    free(file->path);
    free(file);
}

static void undo_file(struct medium *medium)
{
    struct file *file = file_of(medium);
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = (LONGLONG)file->size_before};

    if (file->made) {
        CloseHandle(file->handle); /* nobody may delete it while it is open */
        file->handle = INVALID_HANDLE_VALUE;
        DeleteFileW(file->path);
    } else if (file->size_before < medium->size) {
        SetFileInformationByHandle(file->handle, FileEndOfFileInfo, &end, sizeof(end));
    }
}

const struct medium_functions serve_file_functions = {.read = read_bytes,
                                                      .write = write_bytes,
                                                      .flush = flush_file,
                                                      .unmap = unmap_bytes,
                                                      .undo = undo_file,
                                                      .close = close_file};
