/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk in memory. Its addresses are reserved at once; a chunk takes memory when it is first written to, and gives it
 * back when it is unmapped. */
#include "wnbd-client/report.h"
#include "wnbd-client/serve_medium.h"
#include "wnbd-client/values.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((uint64_t)1 << 20)

struct memory {
    struct medium medium;
    BYTE *base; /* fixed after it is opened */

    SRWLOCK lock;  /* shared: chunks stay what they are; exclusive: they may change */
    bool *present; /* guarded by lock: of each chunk, whether there is memory */
};

/* A part of a request that lies in one chunk. */
struct piece {
    uint64_t chunk;
    uint64_t offset; /* of the medium */
    size_t length;
};

static struct memory *memory_of(struct medium *medium)
{
    return (struct memory *)medium;
}

static struct piece piece_at(uint64_t offset, uint64_t length)
{
    uint64_t room = CHUNK_BYTES - offset % CHUNK_BYTES;

    return (struct piece){offset / CHUNK_BYTES, offset, (size_t)(length < room ? length : room)};
}

static DWORD read_bytes(struct medium *medium, uint64_t offset, void *data, uint32_t length)
{
    struct memory *memory = memory_of(medium);
    BYTE *to = data;

    AcquireSRWLockShared(&memory->lock);
    while (length > 0) {
        struct piece piece = piece_at(offset, length);

        if (memory->present[piece.chunk])
            memcpy(to, memory->base + piece.offset, piece.length);
        else
            memset(to, 0, piece.length);
        to += piece.length;
        offset += piece.length;
        length -= (uint32_t)piece.length;
    }
    ReleaseSRWLockShared(&memory->lock);
    return ERROR_SUCCESS;
}

static bool is_present(const struct memory *memory, uint64_t offset, uint32_t length)
{
    for (uint64_t chunk = offset / CHUNK_BYTES; chunk <= (offset + length - 1) / CHUNK_BYTES; chunk++) {
        if (!memory->present[chunk])
            return false;
    }
    return true;
}

/* Under the lock, exclusive. Of what is written all gets memory, or the write fails before a byte of it is there. */
static DWORD make_present(struct memory *memory, uint64_t offset, uint32_t length)
{
    for (uint64_t chunk = offset / CHUNK_BYTES; chunk <= (offset + length - 1) / CHUNK_BYTES; chunk++) {
        if (!memory->present[chunk] &&
            !VirtualAlloc(memory->base + chunk * CHUNK_BYTES, CHUNK_BYTES, MEM_COMMIT, PAGE_READWRITE))
            return GetLastError();
        memory->present[chunk] = true;
    }
    return ERROR_SUCCESS;
}

static DWORD write_new(struct memory *memory, uint64_t offset, const void *data, uint32_t length)
{
    DWORD error;

    AcquireSRWLockExclusive(&memory->lock);
    error = make_present(memory, offset, length);
    if (error == ERROR_SUCCESS)
        memcpy(memory->base + offset, data, length);
    ReleaseSRWLockExclusive(&memory->lock);
    return error;
}

static DWORD write_bytes(struct medium *medium, uint64_t offset, const void *data, uint32_t length)
{
    struct memory *memory = memory_of(medium);
    bool present;

    if (length == 0)
        return ERROR_SUCCESS;
    AcquireSRWLockShared(&memory->lock);
    present = is_present(memory, offset, length);
    if (present)
        memcpy(memory->base + offset, data, length);
    ReleaseSRWLockShared(&memory->lock);
    return present ? ERROR_SUCCESS : write_new(memory, offset, data, length);
}

static DWORD flush_memory(struct medium *medium)
{
    (void)medium;
    return ERROR_SUCCESS;
}

/* Under the lock, exclusive. */
static DWORD unmap_piece(struct memory *memory, const struct piece *piece)
{
    BYTE *at = memory->base + piece->offset;

    if (!memory->present[piece->chunk])
        return ERROR_SUCCESS;
    if (piece->length < CHUNK_BYTES) {
        memset(at, 0, piece->length);
        return ERROR_SUCCESS;
    }
    if (!VirtualFree(at, CHUNK_BYTES, MEM_DECOMMIT))
        return GetLastError();
    memory->present[piece->chunk] = false;
    return ERROR_SUCCESS;
}

static DWORD unmap_bytes(struct medium *medium, uint64_t offset, uint64_t length)
{
    struct memory *memory = memory_of(medium);
    DWORD error = ERROR_SUCCESS;

    AcquireSRWLockExclusive(&memory->lock);
    while (length > 0 && error == ERROR_SUCCESS) {
        struct piece piece = piece_at(offset, length);

        error = unmap_piece(memory, &piece);
        offset += piece.length;
        length -= piece.length;
    }
    ReleaseSRWLockExclusive(&memory->lock);
    return error;
}

static void undo_nothing(struct medium *medium)
{
    (void)medium;
}

static void close_memory(struct medium *medium)
{
    struct memory *memory = memory_of(medium);

    if (memory->base)
        VirtualFree(memory->base, 0, MEM_RELEASE);
    free(memory->present);
    free(memory);
}

static const struct medium_functions functions = {.read = read_bytes,
                                                  .write = write_bytes,
                                                  .flush = flush_memory,
                                                  .unmap = unmap_bytes,
                                                  .undo = undo_nothing,
                                                  .close = close_memory};

/* Nothing is left after a failure. */
static struct memory *reserve(uint64_t size)
{
    uint64_t chunks = size / CHUNK_BYTES + (size % CHUNK_BYTES != 0);
    struct memory *memory = calloc(1, sizeof(*memory));

    if (!memory)
        return NULL;
    memory->medium = (struct medium){.functions = &functions, .size = size, .can_unmap = true};
    InitializeSRWLock(&memory->lock);
    memory->present = calloc(chunks, sizeof(*memory->present));
    memory->base = memory->present ? VirtualAlloc(NULL, chunks * CHUNK_BYTES, MEM_RESERVE, PAGE_NOACCESS) : NULL;
    if (memory->base)
        return memory;
    close_memory(&memory->medium);
    return NULL;
}

/* Of the disk what is written to takes memory, so that this is no failure. */
static void note_shortage(uint64_t size)
{
    MEMORYSTATUSEX status = {.dwLength = sizeof(status)};
    char free_text[VALUE_SIZE_TEXT];

    if (GlobalMemoryStatusEx(&status) && status.ullAvailPageFile < size)
        report_note("this machine has only %s of memory left: when they are used up writing fails",
                    value_format_size(status.ullAvailPageFile, free_text));
}

int serve_memory_open(const struct medium_wish *wish, struct medium **medium)
{
    struct memory *memory = reserve(wish->size);
    char size[VALUE_SIZE_TEXT];

    if (!memory) {
        report_sentence("cannot map '%s': %s are more than a program's memory can be", wish->disk,
                        value_format_size(wish->size, size));
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    note_shortage(wish->size);
    *medium = &memory->medium;
    return ERROR_SUCCESS;
}
