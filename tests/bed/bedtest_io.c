/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing, and what must fail. */
#include "tests/bed/bedtest.h"

void fill(BYTE *data, DWORD length, DWORD seed)
{
    for (DWORD i = 0; i < length; i += 4) {
        seed = seed * 1664525u + 1013904223u;
        memcpy(data + i, &seed, 4);
    }
}

static void write_and_compare(HANDLE disk, ULONGLONG offset, DWORD length, DWORD seed)
{
    BYTE *out = VirtualAlloc(NULL, length, MEM_COMMIT, PAGE_READWRITE);
    BYTE *in = VirtualAlloc(NULL, length, MEM_COMMIT, PAGE_READWRITE);
    DWORD error;

    fill(out, length, seed);
    error = transfer(disk, TRUE, offset, out, length);
    if (error != 0) {
        SetLastError(error);
        fail("write");
    }
    error = transfer(disk, FALSE, offset, in, length);
    if (error != 0) {
        SetLastError(error);
        fail("read");
    }
    if (memcmp(in, out, length) != 0) {
        printf("FAILED: %lu bytes at %llu differ\n", length, offset);
        failures++;
    }
    VirtualFree(out, 0, MEM_RELEASE);
    VirtualFree(in, 0, MEM_RELEASE);
}

void command_rw(const char *number)
{
    static const DWORD lengths[] = {512, 1024, 4096, 65536, 65536 + 512, 1 << 20, (1 << 20) + 512, 4 << 20, 8 << 20};

    for (int through = 0; through < 2; through++) {
        HANDLE disk = open_disk(number, through ? FILE_FLAG_WRITE_THROUGH | FILE_FLAG_NO_BUFFERING : 0);

        for (DWORD i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            write_and_compare(disk, 0, lengths[i], i + 1);
            write_and_compare(disk, 512 * 7919, lengths[i], i + 100);
        }
        for (DWORD i = 0; i < 200; i++) {
            write_and_compare(disk, 4096ull * (i * 37 % 4000), 4096, i);
        }
        if (!FlushFileBuffers(disk)) {
            fail("flush");
        }
        CloseHandle(disk);
    }
}

#define THREADS  4
#define DEPTH    16
#define IO_BYTES 8192

static const char *queue_disk;

struct slot {
    OVERLAPPED at;
    BYTE out[IO_BYTES];
    BYTE in[IO_BYTES];
};

static void start(HANDLE disk, struct slot *slot, BOOL write, ULONGLONG offset)
{
    HANDLE event = slot->at.hEvent;
    BOOL done;

    memset(&slot->at, 0, sizeof(slot->at));
    slot->at.hEvent = event;
    slot->at.Offset = (DWORD)offset;
    done = write ? WriteFile(disk, slot->out, IO_BYTES, NULL, &slot->at)
                 : ReadFile(disk, slot->in, IO_BYTES, NULL, &slot->at);
    if (!done && GetLastError() != ERROR_IO_PENDING) {
        fail(write ? "queued write" : "queued read");
    }
}

static void finish(HANDLE disk, struct slot *slot)
{
    DWORD moved;

    if (!GetOverlappedResult(disk, &slot->at, &moved, TRUE) || moved != IO_BYTES) {
        fail("queued transfer");
    }
}

static DWORD WINAPI queue_thread(void *argument)
{
    DWORD thread = (DWORD)(ULONG_PTR)argument;
    HANDLE disk = open_disk(queue_disk, FILE_FLAG_OVERLAPPED);
    struct slot *slots = calloc(DEPTH, sizeof(*slots));

    for (DWORD i = 0; i < DEPTH; i++) {
        slots[i].at.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    }
    for (DWORD round = 0; round < 20; round++) {
        ULONGLONG base = ((ULONGLONG)thread << 23) + round * DEPTH * IO_BYTES;

        for (DWORD i = 0; i < DEPTH; i++) {
            fill(slots[i].out, IO_BYTES, thread * 10000 + round * 100 + i);
            start(disk, &slots[i], TRUE, base + i * IO_BYTES);
        }
        for (DWORD i = 0; i < DEPTH; i++) {
            finish(disk, &slots[i]);
            start(disk, &slots[i], FALSE, base + i * IO_BYTES);
        }
        for (DWORD i = 0; i < DEPTH; i++) {
            finish(disk, &slots[i]);
            if (memcmp(slots[i].in, slots[i].out, IO_BYTES) != 0) {
                fail("queued data");
            }
        }
    }
    CloseHandle(disk);
    return 0;
}

void command_queue(const char *number)
{
    HANDLE threads[THREADS];

    queue_disk = number;
    for (ULONG_PTR i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, queue_thread, (void *)i, 0, NULL);
    }
    WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
}

void command_one(const char *number, BOOL write, const char *offset, const char *length)
{
    HANDLE disk = open_disk(number, 0);
    DWORD bytes = strtoul(length, NULL, 0);
    BYTE *data = VirtualAlloc(NULL, bytes + 1, MEM_COMMIT, PAGE_READWRITE);
    DWORD started;
    DWORD error;

    memset(data, 0x5A, bytes);
    started = GetTickCount();
    error = transfer(disk, write, strtoull(offset, NULL, 0), data, bytes);
    printf("error %lu\nafter %lu ms\n", error, GetTickCount() - started);
    failures += error != 0;
    CloseHandle(disk);
}

void command_flush(const char *number)
{
    HANDLE disk = open_disk(number, 0);
    BOOL done = FlushFileBuffers(disk);

    printf("error %lu\n", done ? 0 : GetLastError());
    failures += !done;
    CloseHandle(disk);
}

static void expect(const char *what, DWORD error, DWORD wanted)
{
    if (error != wanted) {
        printf("FAILED: %s: error %lu, not %lu\n", what, error, wanted);
        failures++;
    }
}

void command_edges(const char *number)
{
    HANDLE disk = open_disk(number, 0);
    GET_LENGTH_INFORMATION length;
    static BYTE data[4096];
    DWORD got;

    control(disk, IOCTL_DISK_GET_LENGTH_INFO, NULL, 0, &length, sizeof(length), &got);
    expect("last sector", transfer(disk, FALSE, length.Length.QuadPart - SECTOR, data, SECTOR), 0);
    expect("at the end", transfer(disk, FALSE, length.Length.QuadPart, data, SECTOR), ERROR_SECTOR_NOT_FOUND);
    expect("over the end", transfer(disk, FALSE, length.Length.QuadPart - SECTOR, data, 2 * SECTOR),
           ERROR_SECTOR_NOT_FOUND);
    expect("write over the end", transfer(disk, TRUE, length.Length.QuadPart - SECTOR, data, 2 * SECTOR),
           ERROR_SECTOR_NOT_FOUND);
    expect("beyond the end", transfer(disk, FALSE, length.Length.QuadPart + SECTOR, data, SECTOR),
           ERROR_INVALID_PARAMETER);
    expect("half a sector", transfer(disk, FALSE, 0, data, 100), ERROR_INVALID_PARAMETER);
    expect("odd offset", transfer(disk, FALSE, 100, data, SECTOR), ERROR_INVALID_PARAMETER);
    expect("unknown control", control(disk, CTL_CODE(IOCTL_DISK_BASE, 0x7FF, 0, 0), NULL, 0, NULL, 0, &got),
           ERROR_INVALID_FUNCTION);
    expect("small buffer", control(disk, IOCTL_DISK_GET_LENGTH_INFO, NULL, 0, data, 4, &got),
           ERROR_INSUFFICIENT_BUFFER);
    CloseHandle(disk);
}
