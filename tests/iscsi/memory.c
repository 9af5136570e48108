/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/iscsi/memory.h"

#include <stdlib.h>
#include <string.h>

/* What trimmed blocks read as: nothing was promised (LBPRZ 0), so that whoever takes it for zeroes is found out. */
#define TRIMMED 0xDB

bool memory_init(struct memory *memory, uint64_t size, uint32_t block_size)
{
    memory->size = size;
    memory->block_size = block_size;
    memory->bytes = calloc(1, size);
    memory->allocated = calloc(size / block_size, sizeof *memory->allocated);
    return memory->bytes != NULL && memory->allocated != NULL;
}

static void set_allocated(struct memory *memory, const struct io_request *request, bool is_allocated)
{
    memset(memory->allocated + request->offset / memory->block_size, is_allocated,
           request->length / memory->block_size);
}

static void fill(struct memory *memory, const struct io_request *request, uint8_t byte, bool is_allocated)
{
    memset(memory->bytes + request->offset, byte, request->length);
    set_allocated(memory, request, is_allocated);
}

/* Extents of one block each: the core joins those that are alike. */
static void tell_status(const struct memory *memory, struct storage_command *storage)
{
    uint64_t first = storage->request.offset / memory->block_size;
    uint64_t blocks = storage->request.length / memory->block_size;

    for (uint64_t block = first; block < first + blocks; block++) {
        storage_extent(storage, memory->block_size, memory->allocated[block]);
    }
}

static bool is_whole(const struct memory *memory, const struct io_request *request)
{
    return request->length != 0 && request->offset % memory->block_size == 0 &&
           request->length % memory->block_size == 0 && request->offset <= memory->size &&
           request->length <= memory->size - request->offset;
}

void memory_carry_out(struct memory *memory, struct storage_command *storage, uint8_t *data)
{
    const struct io_request *request = &storage->request;

    if (request->operation != IO_FLUSH && !is_whole(memory, request)) {
        abort();
    }
    switch (request->operation) {
    case IO_READ:
        memcpy(data, memory->bytes + request->offset, request->length);
        break;
    case IO_WRITE:
        memcpy(memory->bytes + request->offset, data, request->length);
        set_allocated(memory, request, true);
        break;
    case IO_TRIM:
        fill(memory, request, TRIMMED, false);
        break;
    case IO_WRITE_ZEROES:
        fill(memory, request, 0, (request->flags & IO_NO_HOLE) != 0);
        break;
    case IO_BLOCK_STATUS:
        tell_status(memory, storage);
        break;
    case IO_FLUSH:
    case IO_CACHE:
        break;
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT: /* a disk that has none does not ask for them */
        abort();
    }
}
