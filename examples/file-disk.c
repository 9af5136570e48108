/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * file-disk NAME PATH: a file as a disk. Run it as administrator; Ctrl-C ends it.
 *
 * What a program that serves a disk does, in order:
 *
 *   main         describes the disk (WNBD_PROPERTIES), makes it (WnbdCreate), has it served (WnbdStartDispatcher)
 *                and waits for its end (WnbdWaitDispatcher)
 *   on_read ...  are called by the dispatcher's threads, several at once, and answer
 *   fail         says why something could not be done, as a disk does: with a sense key and an additional code
 *
 * Callbacks may answer before they return, as here, or later from any thread. Answers before the return are the
 * cheapest: they go to the driver many at a time.
 */
#include <stdio.h>
#include <wnbd.h>
#include <winioctl.h>

#define BLOCK_SIZE 512
#define THREADS    8 /* each waits for the file in its callback, so they are how much is done at once */

/* SPC-4, "Sense key and additional sense code definitions" */
#define SENSE_MEDIUM_ERROR    0x03
#define SENSE_DATA_PROTECT    0x07
#define ASC_WRITE_ERROR       0x0C
#define ASC_READ_ERROR        0x11
#define ASC_WRITE_PROTECTED   0x27
#define ASCQ_SPACE_ALLOCATION 0x07 /* with ASC_WRITE_PROTECTED: Windows tells programs that the disk is full */

#define NO_BLOCK (~0ull)

/* ---- The file ---- */

static HANDLE file;

/* Waits for the end of what was begun with `overlapped`. */
static DWORD finish(BOOL begun, OVERLAPPED *overlapped, DWORD *transferred)
{
    DWORD error = ERROR_SUCCESS;

    if (!begun && GetLastError() != ERROR_IO_PENDING)
        error = GetLastError();
    else if (!GetOverlappedResult(file, overlapped, transferred, TRUE))
        error = GetLastError();
    return error;
}

/* An OVERLAPPED handle and an event a request: with a plain handle Windows would let one thread at a time in. */
static DWORD open_request(OVERLAPPED *overlapped, UINT64 offset)
{
    *overlapped = (OVERLAPPED){.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    overlapped->hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    return overlapped->hEvent ? ERROR_SUCCESS : GetLastError();
}

static DWORD transfer(BOOL is_write, UINT64 offset, void *data, DWORD length)
{
    OVERLAPPED overlapped;
    DWORD done = 0;
    DWORD error = open_request(&overlapped, offset);

    if (error != ERROR_SUCCESS)
        return error;
    if (is_write)
        error = finish(WriteFile(file, data, length, NULL, &overlapped), &overlapped, &done);
    else
        error = finish(ReadFile(file, data, length, NULL, &overlapped), &overlapped, &done);
    CloseHandle(overlapped.hEvent);
    if (error == ERROR_SUCCESS && done != length) /* a part of a block is worth nothing */
        error = is_write ? ERROR_DISK_FULL : ERROR_HANDLE_EOF;
    return error;
}

/* In a sparse file zeroes take no room. */
static DWORD make_zero(UINT64 offset, UINT64 length)
{
    FILE_ZERO_DATA_INFORMATION zero = {.FileOffset.QuadPart = (LONGLONG)offset,
                                       .BeyondFinalZero.QuadPart = (LONGLONG)(offset + length)};
    OVERLAPPED overlapped;
    DWORD used;
    DWORD error = open_request(&overlapped, 0);

    if (error != ERROR_SUCCESS)
        return error;
    error = finish(DeviceIoControl(file, FSCTL_SET_ZERO_DATA, &zero, sizeof(zero), NULL, 0, NULL, &overlapped),
                   &overlapped, &used);
    CloseHandle(overlapped.hEvent);
    return error;
}

/* ---- Answers ---- */

/* Makes *status a failure. Windows reads it as it would that of a real disk. `block`: where, or NO_BLOCK. */
static void fail(WNBD_STATUS *status, DWORD error, UINT8 asc, UINT64 block)
{
    if (error == ERROR_DISK_FULL || error == ERROR_HANDLE_DISK_FULL) {
        WnbdSetSense(status, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
        status->ASCQ = ASCQ_SPACE_ALLOCATION; /* WnbdSetSense leaves it alone */
    } else if (block == NO_BLOCK) {
        WnbdSetSense(status, SENSE_MEDIUM_ERROR, asc);
    } else {
        WnbdSetSenseEx(status, SENSE_MEDIUM_ERROR, asc, block);
    }
}

/* Every request is answered exactly once. One that Windows has given up meanwhile finds 1168 here, and that is all. */
static void answer(PWNBD_DISK disk, WNBD_IO_RESPONSE *response, void *data, UINT32 size)
{
    WnbdSendResponse(disk, response, data, size);
}

/* ---- Callbacks. What is not on the disk, or not offered in the properties, does not get here. ---- */

static VOID on_read(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 first, UINT32 count, BOOLEAN fua)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = WnbdReqTypeRead};
    DWORD error = transfer(FALSE, first * BLOCK_SIZE, buffer, count * BLOCK_SIZE);

    (void)fua;
    if (error != ERROR_SUCCESS)
        fail(&response.Status, error, ASC_READ_ERROR, first);
    answer(disk, &response, buffer, count * BLOCK_SIZE); /* `buffer` itself: nothing is copied once more */
}

static VOID on_write(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 first, UINT32 count, BOOLEAN fua)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = WnbdReqTypeWrite};
    DWORD error = transfer(TRUE, first * BLOCK_SIZE, buffer, count * BLOCK_SIZE);

    (void)fua; /* without FUASupported the driver sends a flush after such a write */
    if (error != ERROR_SUCCESS)
        fail(&response.Status, error, ASC_WRITE_ERROR, first);
    answer(disk, &response, NULL, 0);
}

/* All that was answered before must be safe when this is answered: file systems count on it. */
static VOID on_flush(PWNBD_DISK disk, UINT64 handle, UINT64 first, UINT32 count)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = WnbdReqTypeFlush};

    (void)first, (void)count;
    if (!FlushFileBuffers(file))
        fail(&response.Status, GetLastError(), ASC_WRITE_ERROR, NO_BLOCK);
    answer(disk, &response, NULL, 0);
}

static VOID on_unmap(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR ranges, UINT32 count)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = WnbdReqTypeUnmap};
    DWORD error = ERROR_SUCCESS;

    for (UINT32 i = 0; i < count && error == ERROR_SUCCESS; i++)
        error = make_zero(ranges[i].BlockAddress * BLOCK_SIZE, (UINT64)ranges[i].BlockCount * BLOCK_SIZE);
    if (error != ERROR_SUCCESS)
        fail(&response.Status, error, ASC_WRITE_ERROR, NO_BLOCK);
    answer(disk, &response, NULL, 0);
}

static WNBD_INTERFACE callbacks = {.Read = on_read, .Write = on_write, .Flush = on_flush, .Unmap = on_unmap};

/* ---- The disk's life ---- */

static WNBD_PROPERTIES properties = {
    .Owner = "file-disk",
    .BlockSize = BLOCK_SIZE,
    .Flags.FlushSupported = 1, /* else no flush comes, and Windows believes that the disk has no cache */
};

static DWORD open_file(const char *path)
{
    LARGE_INTEGER size;
    BY_HANDLE_FILE_INFORMATION information;

    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED,
                       NULL);
    if (file == INVALID_HANDLE_VALUE || !GetFileSizeEx(file, &size) || !GetFileInformationByHandle(file, &information))
        return GetLastError();
    properties.BlockCount = (UINT64)size.QuadPart / BLOCK_SIZE;
    properties.Flags.UnmapSupported = (information.dwFileAttributes & FILE_ATTRIBUTE_SPARSE_FILE) != 0;
    return ERROR_SUCCESS;
}

/* The disk is named, not pointed to: main may close it meanwhile. Windows asks whoever uses the disk first; what is
 * still in use after these 3 s goes all the same. */
static BOOL WINAPI on_ctrl_c(DWORD event)
{
    WNBD_REMOVE_OPTIONS options = {
        .Flags.HardRemoveFallback = 1, .SoftRemoveTimeoutMs = 3000, .SoftRemoveRetryIntervalMs = 1000};

    (void)event;
    return WnbdRemoveEx(properties.InstanceName, &options) == ERROR_SUCCESS;
}

static DWORD serve(PWNBD_DISK disk)
{
    DWORD number;
    DWORD error = WnbdStartDispatcher(disk, THREADS); /* before that requests wait */

    if (error != ERROR_SUCCESS)
        return error;
    if (WnbdPollDiskNumber(properties.InstanceName, TRUE, TRUE, 30000, 100, &number) == ERROR_SUCCESS)
        printf("'%s' is \\\\.\\PhysicalDrive%lu\n", properties.InstanceName, number);
    fflush(stdout);
    return WnbdWaitDispatcher(disk); /* until the disk is removed, by Ctrl-C or by `wnbd-client unmap` */
}

int main(int argc, char **argv)
{
    PWNBD_DISK disk;
    DWORD error;

    if (argc != 3) {
        fprintf(stderr, "file-disk NAME PATH\n");
        return ERROR_INVALID_PARAMETER;
    }
    snprintf(properties.InstanceName, sizeof(properties.InstanceName), "%s", argv[1]);
    error = open_file(argv[2]);
    if (error != ERROR_SUCCESS) {
        fprintf(stderr, "file-disk: cannot open %s: Windows error %lu\n", argv[2], error);
        return (int)error;
    }
    error = WnbdCreate(&properties, &callbacks, NULL, &disk); /* why it failed is told on stderr by the library */
    if (error != ERROR_SUCCESS)
        return (int)error;
    SetConsoleCtrlHandler(on_ctrl_c, TRUE);
    error = serve(disk);
    WnbdClose(disk);
    if (!FlushFileBuffers(file) && error == ERROR_SUCCESS)
        error = GetLastError();
    CloseHandle(file);
    return (int)error;
}
