/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/pool.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdlib.h>

#define FRESH_BYTE 0xCB
#define BLOCK_MARK 0x6c6f6f706b636f6cULL

/* What follows is aligned as pool is. */
struct block {
    struct list_link link; /* guarded by lock */
    ULONGLONG mark;
    SIZE_T length;
    ULONG tag;
    bool paged;
    bool of_driver;
    const void *caller;
} __attribute__((aligned(16)));

static struct bed_lock lock;
static struct list_link blocks = {&blocks, &blocks};

static PVOID allocate(SIZE_T length, ULONG tag, bool paged, const void *caller)
{
    struct block *block;
    bool of_driver = bed_in_image(caller);

    bed_irql_at_most(paged ? APC_LEVEL : DISPATCH_LEVEL, paged ? "allocating paged pool" : "allocating pool");
    if (tag == 0 || length == 0) {
        port_violation("pool: %zu bytes with tag 0x%x are asked for", length, tag);
    }
    if (of_driver && bed_fault(BED_FAULT_POOL)) {
        return NULL;
    }
    block = malloc(sizeof(*block) + length); /* the exact length: what follows is out of bounds */
    if (block == NULL) {
        return NULL;
    }
    *block = (struct block){.mark = BLOCK_MARK, .length = length, .tag = tag, .paged = paged, .of_driver = of_driver};
    block->caller = caller;
    bed_lock_unseen(&lock);
    list_append(&blocks, &block->link);
    bed_unlock_unseen(&lock);
    return block + 1;
}

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    PVOID memory = allocate(NumberOfBytes, Tag, PoolType == PagedPool, __builtin_return_address(0));

    if (PoolType == NonPagedPool) {
        port_violation("pool: executable pool is asked for");
    }
    if (memory != NULL) {
        RtlFillMemory(memory, NumberOfBytes, FRESH_BYTE);
    }
    return memory;
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    PVOID memory = allocate(NumberOfBytes, Tag, (Flags & POOL_FLAG_PAGED) != 0, __builtin_return_address(0));

    if (memory != NULL) {
        RtlZeroMemory(memory, NumberOfBytes);
    }
    return memory;
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    struct block *block = (struct block *)P - 1;

    if (block->mark != BLOCK_MARK) {
        port_violation("pool: %p is freed and is no block of pool", P);
        abort();
    }
    bed_irql_at_most(block->paged ? APC_LEVEL : DISPATCH_LEVEL, block->paged ? "freeing paged pool" : "freeing pool");
    if (Tag != 0 && Tag != block->tag) {
        port_violation("pool: a block of tag 0x%x is freed with tag 0x%x", block->tag, Tag);
    }
    bed_lock_unseen(&lock);
    list_remove(&block->link);
    bed_unlock_unseen(&lock);
    block->mark = 0;
    free(block);
}

VOID ExFreePool(PVOID P)
{
    ExFreePoolWithTag(P, 0);
}

ULONG bed_pool_check(bool of_driver)
{
    ULONG count = 0;

    bed_lock_unseen(&lock);
    for (struct list_link *link = blocks.next; link != &blocks; link = link->next) {
        const struct block *block = list_member(link, struct block, link);
        char where[BED_PLACE_LENGTH];

        if (block->of_driver || !of_driver) {
            port_violation("pool-leak: %zu bytes of tag 0x%x, made at %s", block->length, block->tag,
                           bed_place(block->caller, where));
            count++;
        }
    }
    bed_unlock_unseen(&lock);
    return count;
}

void bed_pool_count(ULONG64 *nonpaged_bytes, ULONG64 *paged_bytes, ULONG *count)
{
    bed_lock_unseen(&lock);
    for (struct list_link *link = blocks.next; link != &blocks; link = link->next) {
        const struct block *block = list_member(link, struct block, link);

        if (block->of_driver) {
            *(block->paged ? paged_bytes : nonpaged_bytes) += block->length;
            (*count)++;
        }
    }
    bed_unlock_unseen(&lock);
}

bool bed_pool_holds(const void *address, SIZE_T length)
{
    const UCHAR *begin = address;
    bool found = false;

    bed_lock_unseen(&lock);
    for (struct list_link *link = blocks.next; link != &blocks && !found; link = link->next) {
        const struct block *block = list_member(link, struct block, link);
        const UCHAR *data = (const UCHAR *)(block + 1);

        found = !block->paged && begin >= data && begin + length <= data + block->length;
    }
    bed_unlock_unseen(&lock);
    return found;
}
