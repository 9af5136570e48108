/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, making and extending a file that is to be a disk, or a sentence that says why not. */
#include "wnbd-client/report.h"
#include "wnbd-client/serve_file.h"
#include "wnbd-client/values.h"

#include <stdlib.h>
#include <winioctl.h>

static WCHAR *to_wide(const char *text)
{
    int size = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    WCHAR *wide = size > 0 ? malloc((size_t)size * sizeof(*wide)) : NULL;

    if (wide)
        MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, size);
    return wide;
}

/* ---- Sentences ---- */

/* CreateFile has one code for all that it denies. */
static void report_denied(const struct medium_wish *wish, const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path);

    if (attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY)
        report_sentence("cannot map '%s': '%s' is a folder, and a disk needs a file", wish->disk, wish->path);
    else if (attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_READONLY && !wish->read_only)
        report_sentence("cannot map '%s': '%s' may only be read; --read-only maps it so", wish->disk, wish->path);
    else
        report_sentence("cannot map '%s': access to '%s' was denied", wish->disk, wish->path);
}

static int report_open(const struct medium_wish *wish, const WCHAR *path, DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
        report_sentence("cannot map '%s': there is no file '%s', and without --size none is made", wish->disk,
                        wish->path);
        break;
    case ERROR_PATH_NOT_FOUND:
        report_sentence("cannot map '%s': there is no folder for '%s'", wish->disk, wish->path);
        break;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
        report_sentence("cannot map '%s': '%s' is in use by another program", wish->disk, wish->path);
        break;
    case ERROR_ACCESS_DENIED:
        report_denied(wish, path);
        break;
    default:
        report_windows(error, "cannot map '%s': '%s' cannot be opened", wish->disk, wish->path);
    }
    return (int)error;
}

static int report_shorter(const struct medium_wish *wish, uint64_t file_size)
{
    return report_misuse("cannot map '%s': '%s' has %llu bytes, more than the size asked for, %llu, and is not cut",
                         wish->disk, wish->path, (unsigned long long)file_size, (unsigned long long)wish->size);
}

/* ---- The file ---- */

static HANDLE open_path(const struct medium_wish *wish, const WCHAR *path, DWORD disposition)
{
    DWORD access = wish->read_only ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;

    return CreateFileW(path, access, FILE_SHARE_READ, NULL, disposition, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OVERLAPPED,
                       NULL);
}

static int open_or_make(struct file *file, const struct medium_wish *wish)
{
    file->handle = open_path(wish, file->path, OPEN_EXISTING);
    if (file->handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_NOT_FOUND && wish->size > 0) {
        file->handle = open_path(wish, file->path, CREATE_NEW);
        file->made = file->handle != INVALID_HANDLE_VALUE;
    }
    return file->handle == INVALID_HANDLE_VALUE ? report_open(wish, file->path, GetLastError()) : ERROR_SUCCESS;
}

/* A volume that knows no sparse files has to give all the room at once. */
static void make_sparse(const struct file *file)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD used;

    if (!overlapped.hEvent)
        return;
    if (DeviceIoControl(file->handle, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, NULL, &overlapped) ||
        GetLastError() == ERROR_IO_PENDING)
        GetOverlappedResult(file->handle, &overlapped, &used, TRUE);
    CloseHandle(overlapped.hEvent);
}

static int extend(struct file *file, const struct medium_wish *wish)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = (LONGLONG)wish->size};
    char size[VALUE_SIZE_TEXT];

    make_sparse(file);
    file->medium.size = wish->size;
    if (SetFileInformationByHandle(file->handle, FileEndOfFileInfo, &end, sizeof(end)))
        return ERROR_SUCCESS;
    return report_windows(GetLastError(), "cannot map '%s': '%s' cannot be made %s long", wish->disk, wish->path,
                          value_format_size(wish->size, size));
}

static int round_down(struct file *file, const struct medium_wish *wish)
{
    uint64_t rest = file->size_before % wish->block_size;

    file->medium.size = file->size_before - rest;
    if (file->size_before == 0)
        return report_misuse("cannot map '%s': '%s' is empty; --size says how large it is to be", wish->disk,
                             wish->path);
    if (file->medium.size == 0)
        return report_misuse("cannot map '%s': '%s' has %llu bytes, less than a block of %u", wish->disk, wish->path,
                             (unsigned long long)file->size_before, wish->block_size);
    if (rest != 0)
        report_note("the last %u bytes of '%s' are not on the disk: they are no whole block", (unsigned)rest,
                    wish->path);
    return ERROR_SUCCESS;
}

static int set_size(struct file *file, const struct medium_wish *wish)
{
    LARGE_INTEGER size;

    if (!GetFileSizeEx(file->handle, &size))
        return report_windows(GetLastError(), "cannot map '%s': '%s' does not tell its size", wish->disk, wish->path);
    file->size_before = (uint64_t)size.QuadPart;
    file->medium.size = file->size_before;
    if (wish->size == 0)
        return round_down(file, wish);
    if (wish->size < file->size_before)
        return report_shorter(wish, file->size_before);
    return wish->size > file->size_before ? extend(file, wish) : ERROR_SUCCESS;
}

/* In a file that is not sparse zeroes would be written, which gives no room back and takes long. */
static bool is_sparse(HANDLE handle)
{
    BY_HANDLE_FILE_INFORMATION information;

    return GetFileInformationByHandle(handle, &information) &&
           (information.dwFileAttributes & FILE_ATTRIBUTE_SPARSE_FILE) != 0;
}

static int open_file(struct file *file, const struct medium_wish *wish)
{
    int code;

    if (!file->path || file->events == TLS_OUT_OF_INDEXES)
        return report_failure(ERROR_NOT_ENOUGH_MEMORY, "cannot map '%s'", wish->disk);
    code = open_or_make(file, wish);
    if (code != ERROR_SUCCESS)
        return code;
    code = set_size(file, wish);
    if (code != ERROR_SUCCESS)
        serve_file_functions.undo(&file->medium);
    file->medium.can_unmap = code == ERROR_SUCCESS && is_sparse(file->handle);
    return code;
}

int serve_file_open(const struct medium_wish *wish, struct medium **medium)
{
    struct file *file = calloc(1, sizeof(*file));
    int code;

    if (!file)
        return report_failure(ERROR_NOT_ENOUGH_MEMORY, "cannot map '%s'", wish->disk);
    file->medium.functions = &serve_file_functions;
    file->handle = INVALID_HANDLE_VALUE;
    file->read_only = wish->read_only;
    file->events = TlsAlloc();
    file->path = to_wide(wish->path);
    code = open_file(file, wish);
    if (code == ERROR_SUCCESS)
        *medium = &file->medium;
    else
        serve_file_functions.close(&file->medium);
    return code;
}
