/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winioctl.h>

static DWORD access_of(const char *name)
{
    if (strcmp(name, "read") == 0)
        return GENERIC_READ;
    if (strcmp(name, "write") == 0)
        return GENERIC_WRITE;
    if (strcmp(name, "both") == 0)
        return GENERIC_READ | GENERIC_WRITE;
    if (strcmp(name, "none") == 0)
        return 0;
    die(EXIT_CODE_USE, "--access is read, write, both or none, not '%s'", name);
}

static void path_of(const char *name, char *path, size_t size, uint32_t *number)
{
    bool is_number = name[0] != '\0' && name[strspn(name, "0123456789")] == '\0';

    *number = is_number ? (uint32_t)strtoul(name, NULL, 10) : 0;
    snprintf(path, size, "%s%s", is_number ? "\\\\.\\PhysicalDrive" : name[0] == '\\' ? "" : "\\\\.\\", name);
}

void disk_measure(struct disk *disk)
{
    GET_LENGTH_INFORMATION length;
    DISK_GEOMETRY geometry;
    DWORD error = disk_control(disk, IOCTL_DISK_GET_LENGTH_INFO, NULL, 0, &length, sizeof(length), NULL);

    if (error != ERROR_SUCCESS)
        die(EXIT_CODE_FAIL, "cannot learn the disk's length: error %lu", error);
    error = disk_control(disk, IOCTL_DISK_GET_DRIVE_GEOMETRY, NULL, 0, &geometry, sizeof(geometry), NULL);
    if (error != ERROR_SUCCESS)
        die(EXIT_CODE_FAIL, "cannot learn the disk's geometry: error %lu", error);
    disk->bytes = (uint64_t)length.Length.QuadPart;
    disk->block_bytes = geometry.BytesPerSector;
}

void disk_open(struct disk *disk, struct arguments *arguments)
{
    DWORD flags = FILE_FLAG_OVERLAPPED;
    DWORD access = access_of(arguments_text(arguments, "--access", "both"));
    char path[MAX_PATH];

    if (arguments_flag(arguments, "--through"))
        flags |= FILE_FLAG_WRITE_THROUGH | FILE_FLAG_NO_BUFFERING;
    path_of(arguments_word(arguments, "the disk"), path, sizeof(path), &disk->number);
    disk->handle = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, flags, NULL);
    if (disk->handle == INVALID_HANDLE_VALUE)
        die(EXIT_CODE_FAIL, "cannot open %s: error %lu", path, GetLastError());
    disk->bytes = 0;
    disk->block_bytes = 0;
}

void disk_close(struct disk *disk)
{
    CloseHandle(disk->handle);
}

void *disk_allocate(size_t length)
{
    /* VirtualAlloc aligns to pages, which covers every block size up to DISK_BLOCK_MAX. */
    void *buffer = VirtualAlloc(NULL, length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (!buffer)
        die(EXIT_CODE_FAIL, "no memory for %llu bytes", (unsigned long long)length);
    return buffer;
}

void disk_free(void *buffer)
{
    VirtualFree(buffer, 0, MEM_RELEASE);
}

void transfer_make(struct transfer *transfer)
{
    memset(transfer, 0, sizeof(*transfer));
    transfer->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!transfer->event)
        die(EXIT_CODE_FAIL, "cannot make an event: error %lu", GetLastError());
}

void transfer_end(struct transfer *transfer)
{
    CloseHandle(transfer->event);
}

static void prepare(struct transfer *transfer, uint64_t offset)
{
    memset(&transfer->overlapped, 0, sizeof(transfer->overlapped));
    transfer->overlapped.Offset = (DWORD)offset;
    transfer->overlapped.OffsetHigh = (DWORD)(offset >> 32);
    transfer->overlapped.hEvent = transfer->event;
    ResetEvent(transfer->event);
}

static void started(struct transfer *transfer, BOOL is_done)
{
    DWORD error = is_done ? ERROR_SUCCESS : GetLastError();

    transfer->start_error = error == ERROR_IO_PENDING ? ERROR_SUCCESS : error;
}

void disk_start(struct disk *disk, struct transfer *transfer, bool is_write, uint64_t offset, void *buffer,
                uint32_t length)
{
    prepare(transfer, offset);
    if (is_write)
        started(transfer, WriteFile(disk->handle, buffer, length, NULL, &transfer->overlapped));
    else
        started(transfer, ReadFile(disk->handle, buffer, length, NULL, &transfer->overlapped));
}

DWORD disk_wait(struct disk *disk, struct transfer *transfer, DWORD *transferred)
{
    *transferred = 0;
    if (transfer->start_error != ERROR_SUCCESS)
        return transfer->start_error;
    if (WaitForSingleObject(transfer->event, DISK_WAIT_MS) != WAIT_OBJECT_0)
        die(EXIT_CODE_FAIL, "a request did not end within %u ms", DISK_WAIT_MS);
    if (!GetOverlappedResult(disk->handle, &transfer->overlapped, transferred, FALSE))
        return GetLastError();
    return ERROR_SUCCESS;
}

DWORD disk_request(struct disk *disk, bool is_write, uint64_t offset, void *buffer, uint32_t length, DWORD *transferred)
{
    struct transfer transfer;
    DWORD error;

    transfer_make(&transfer);
    disk_start(disk, &transfer, is_write, offset, buffer, length);
    error = disk_wait(disk, &transfer, transferred);
    transfer_end(&transfer);
    return error;
}

void disk_must(struct disk *disk, bool is_write, uint64_t offset, void *buffer, uint32_t length)
{
    DWORD transferred;
    DWORD error = disk_request(disk, is_write, offset, buffer, length, &transferred);

    if (error != ERROR_SUCCESS || transferred != length)
        die(EXIT_CODE_FAIL, "%s offset %llu length %u: error %lu, %lu bytes", is_write ? "write" : "read",
            (unsigned long long)offset, length, error, transferred);
}

DWORD disk_control(struct disk *disk, DWORD code, const void *input, DWORD input_length, void *output,
                   DWORD output_length, DWORD *returned)
{
    struct transfer transfer;
    DWORD transferred;
    DWORD error;
    union {
        const void *from;
        void *to; /* DeviceIoControl takes its input without const */
    } in = {.from = input};

    transfer_make(&transfer);
    prepare(&transfer, 0);
    started(&transfer, DeviceIoControl(disk->handle, code, in.to, input_length, output, output_length, NULL,
                                       &transfer.overlapped));
    error = disk_wait(disk, &transfer, &transferred);
    transfer_end(&transfer);
    if (returned)
        *returned = transferred;
    return error;
}
