/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request at a time, and what became of it: read, write, flush, hold. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#define HOLD_POLL_MS 20u

static int report(const char *what, uint64_t offset, uint32_t length, DWORD error, DWORD transferred)
{
    printf("%s offset %llu length %u: error %lu, %lu bytes\n", what, (unsigned long long)offset, length, error,
           transferred);
    return error == ERROR_SUCCESS && transferred == length ? 0 : EXIT_CODE_FAIL;
}

static void save(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        die(EXIT_CODE_FAIL, "cannot write %s", path);
}

int command_read(struct disk *disk, struct arguments *arguments)
{
    const char *out = arguments_text(arguments, "--out", NULL);
    uint64_t offset = arguments_word_number(arguments, "the offset");
    uint32_t length = (uint32_t)arguments_word_number(arguments, "the length");
    unsigned char *buffer = disk_allocate(length ? length : 1);
    DWORD transferred;
    DWORD error;

    arguments_check_all_used(arguments);
    error = disk_request(disk, false, offset, buffer, length, &transferred);
    if (out)
        save(out, buffer, transferred);
    disk_free(buffer);
    return report("read", offset, length, error, transferred);
}

int command_write(struct disk *disk, struct arguments *arguments)
{
    uint64_t offset = arguments_word_number(arguments, "the offset");
    uint32_t length = (uint32_t)arguments_word_number(arguments, "the length");
    int value = (int)arguments_word_number(arguments, "the byte");
    unsigned char *buffer = disk_allocate(length ? length : 1);
    DWORD transferred;
    DWORD error;

    arguments_check_all_used(arguments);
    memset(buffer, value, length);
    error = disk_request(disk, true, offset, buffer, length, &transferred);
    disk_free(buffer);
    return report("write", offset, length, error, transferred);
}

int command_flush(struct disk *disk, struct arguments *arguments)
{
    DWORD error;

    arguments_check_all_used(arguments);
    error = FlushFileBuffers(disk->handle) ? ERROR_SUCCESS : GetLastError();
    printf("flush: error %lu\n", error);
    return error == ERROR_SUCCESS ? 0 : EXIT_CODE_FAIL;
}

static bool file_exists(const char *path)
{
    return path && GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

/*
 * Keeps the disk open for --seconds, or until the file --until appears. Tells that it holds by a line and by making the
 * file --ready.
 */
int command_hold(struct disk *disk, struct arguments *arguments)
{
    uint64_t seconds = arguments_number(arguments, "--seconds", 10);
    const char *until = arguments_text(arguments, "--until", NULL);
    const char *ready = arguments_text(arguments, "--ready", NULL);
    ULONGLONG end = GetTickCount64() + seconds * 1000;

    (void)disk;
    arguments_check_all_used(arguments);
    puts("holding");
    fflush(stdout);
    if (ready)
        save(ready, "", 0);
    while (GetTickCount64() < end && !file_exists(until))
        Sleep(HOLD_POLL_MS);
    puts("released");
    return 0;
}
