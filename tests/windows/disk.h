/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_WINDOWS_DISK_H
#define TESTS_WINDOWS_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include <windows.h>

#include "arguments.h"

#define DISK_WAIT_MS   120000u /* no request may take longer; the driver's own time-outs are far shorter */
#define DISK_BLOCK_MAX 4096u   /* buffers are aligned to it */

/*
 * An open \\.\PhysicalDriveN. Every request is overlapped and carries its offset, also the ones that are waited for:
 * that is how programs that keep several requests in flight use a disk, and Wine's device handles know no file pointer.
 */
struct disk {
    HANDLE handle;
    uint32_t number;      /* N; 0 when the disk was named by a path */
    uint64_t bytes;       /* once it has been measured */
    uint32_t block_bytes; /* the same */
};

/* One request in flight. `event` is its own; the buffer is the caller's and must stay until disk_wait() returned. */
struct transfer {
    OVERLAPPED overlapped;
    HANDLE event;
    DWORD start_error;
};

/*
 * Takes the options --through (FILE_FLAG_WRITE_THROUGH and FILE_FLAG_NO_BUFFERING) and --access read|write|both|none,
 * then the word that names the disk: N, PhysicalDriveN or a whole path. Ends the program when it cannot be opened.
 */
void disk_open(struct disk *disk, struct arguments *arguments);
void disk_close(struct disk *disk);

/* Asks Windows for its size, and Windows the disk, which may have something else to tell first. Ends the program when
 * it cannot. */
void disk_measure(struct disk *disk);

/* A buffer that unbuffered handles accept; zeroed. Freed by disk_free(). Ends the program when there is no memory. */
void *disk_allocate(size_t length);
void disk_free(void *buffer);

void transfer_make(struct transfer *transfer);
void transfer_end(struct transfer *transfer);

/* Starts a read or a write. What goes wrong at once is kept for disk_wait(). */
void disk_start(struct disk *disk, struct transfer *transfer, bool is_write, uint64_t offset, void *buffer,
                uint32_t length);

/*
 * Waits for a started request, gives its Win32 error and the bytes transferred. A request that does not end within
 * DISK_WAIT_MS is a hang: it ends the program.
 */
DWORD disk_wait(struct disk *disk, struct transfer *transfer, DWORD *transferred);

/* Both steps for one request. */
DWORD disk_request(struct disk *disk, bool is_write, uint64_t offset, void *buffer, uint32_t length,
                   DWORD *transferred);

/* The same, and ends the program with a sentence unless all bytes were transferred. */
void disk_must(struct disk *disk, bool is_write, uint64_t offset, void *buffer, uint32_t length);

/* An overlapped DeviceIoControl that is waited for; the Win32 error. `returned` may be NULL. */
DWORD disk_control(struct disk *disk, DWORD code, const void *input, DWORD input_length, void *output,
                   DWORD output_length, DWORD *returned);

#endif
