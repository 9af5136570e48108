/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pool with the properties that Windows and Driver Verifier give it: a page or more is page aligned, fresh memory holds
 * rubbish, a freed block is spoilt and kept a while to see whether somebody still writes to it, writing past the end is
 * found when it is freed, and what a driver has not freed at unload is named by its tag.
 */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#define PAGE_BYTES        4096u
#define MEMORY_COMMITTED  0x3000
#define MEMORY_RELEASE    0x8000
#define PAGE_WRITABLE     4
#define FRESH             0xA5
#define FREED             0xDD
#define TAIL              0x5A
#define TAIL_BYTES        16
#define BLOCK_MARK        0x6b636f6c426c6f6fULL /* "ooBlock", different for each block by its address */
#define QUARANTINE_BLOCKS 512
#define QUARANTINE_LARGE  65536 /* larger blocks are given back at once */
#define POOL_TYPE_PAGED   1     /* PagedPool, and 0x100 with ExAllocatePool2 */

struct block {
    uint64_t mark;
    size_t size;
    void *memory;            /* what the allocator gave */
    struct bed_image *owner; /* NULL: storport.sys itself */
    struct list_link link;   /* guarded by lock */
    ULONG tag;
    bool pages; /* from VirtualAlloc */
    bool paged; /* paged pool */
} __attribute__((aligned(16)));

static RTL_SRWLOCK lock;
static struct list_link live = {&live, &live};
static struct list_link dead = {&dead, &dead};
static unsigned dead_count; /* guarded by lock */

static uint64_t mark_of(const struct block *block)
{
    return BLOCK_MARK ^ (uintptr_t)block;
}

static UCHAR *data_of(struct block *block)
{
    return (UCHAR *)(block + 1);
}

static struct block *block_of(void *data)
{
    return (struct block *)data - 1;
}

/* Four characters, unprintable ones as dots. */
static void tag_text(ULONG tag, char text[5])
{
    for (unsigned i = 0; i < 4; i++) {
        UCHAR character = (UCHAR)(tag >> 8 * i);

        text[i] = character >= 0x20 && character < 0x7f ? (char)character : '.';
    }
    text[4] = 0;
}

static void *obtain(size_t size, bool pages)
{
    if (pages) {
        return VirtualAlloc(NULL, size, MEMORY_COMMITTED, PAGE_WRITABLE);
    }
    return bed_allocate(size);
}

static void give_back(const struct block *block)
{
    if (block->pages) {
        VirtualFree(block->memory, 0, MEMORY_RELEASE);
    } else {
        bed_free(block->memory);
    }
}

/* Called with the lock held. */
static void count(const struct block *block, bool made)
{
    struct bed_image *owner = block->owner;
    ULONG64 *bytes;

    if (owner == NULL) {
        return;
    }
    bytes = block->paged ? &owner->paged_bytes : &owner->nonpaged_bytes;
    if (!made) {
        owner->blocks--;
        *bytes -= block->size;
        return;
    }
    owner->blocks++;
    owner->blocks_made++;
    *bytes += block->size;
    if (owner->paged_bytes + owner->nonpaged_bytes > owner->pool_peak) {
        owner->pool_peak = owner->paged_bytes + owner->nonpaged_bytes;
    }
}

void bed_pool_count(const struct bed_image *image, struct bed_counts *counts)
{
    RtlAcquireSRWLockExclusive(&lock);
    counts->nonpaged_bytes = image->nonpaged_bytes;
    counts->paged_bytes = image->paged_bytes;
    counts->pool_peak = image->pool_peak;
    counts->blocks = image->blocks;
    counts->blocks_made = image->blocks_made;
    RtlReleaseSRWLockExclusive(&lock);
}

static void *allocate(size_t size, ULONG tag, bool paged, struct bed_image *owner)
{
    bool pages = size >= PAGE_BYTES;
    size_t before = pages ? PAGE_BYTES : sizeof(struct block);
    UCHAR *memory = obtain(before + size + TAIL_BYTES, pages);
    struct block *block;

    if (memory == NULL) {
        return NULL;
    }
    block = (struct block *)(void *)(memory + before) - 1;
    *block = (struct block){.size = size, .memory = memory, .owner = owner, .tag = tag, .pages = pages, .paged = paged};
    block->mark = mark_of(block);
    memset(data_of(block), FRESH, size);
    memset(data_of(block) + size, TAIL, TAIL_BYTES);
    RtlAcquireSRWLockExclusive(&lock);
    list_append(&live, &block->link);
    count(block, true);
    RtlReleaseSRWLockExclusive(&lock);
    return data_of(block);
}

static bool holds(const UCHAR *data, UCHAR value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] != value) {
            return false;
        }
    }
    return true;
}

static void complain(const struct block *block, const char *what)
{
    char tag[5];

    tag_text(block->tag, tag);
    port_violation("pool: block %p of %zu bytes with tag '%s' %s", (const void *)(block + 1), block->size, tag, what);
}

/* The oldest of the quarantined blocks, when there are too many. Called with the lock held. */
static struct block *overdue(void)
{
    if (dead_count <= QUARANTINE_BLOCKS) {
        return NULL;
    }
    dead_count--;
    return list_member(list_take_first(&dead), struct block, link);
}

static void bury(struct block *block)
{
    if (!holds(data_of(block), FREED, block->size)) {
        complain(block, "was written to after it had been freed");
    }
    give_back(block);
}

static void release(struct block *block)
{
    struct block *old = NULL;

    if (!holds(data_of(block) + block->size, TAIL, TAIL_BYTES)) {
        complain(block, "was written to past its end");
    }
    memset(data_of(block), FREED, block->size);
    RtlAcquireSRWLockExclusive(&lock);
    list_remove(&block->link);
    count(block, false);
    block->mark = ~mark_of(block);
    if (block->size <= QUARANTINE_LARGE) {
        list_append(&dead, &block->link);
        dead_count++;
        old = overdue();
    }
    RtlReleaseSRWLockExclusive(&lock);
    if (block->size > QUARANTINE_LARGE) {
        give_back(block);
    } else if (old != NULL) {
        bury(old);
    }
}

static void check_request(size_t size, bool paged)
{
    bed_irql_at_most(paged ? APC_LEVEL : DISPATCH_LEVEL, paged ? "allocating paged pool" : "allocating pool");
    if (size == 0) {
        port_violation("pool: zero bytes were asked for");
    }
}

static bool is_paged(POOL_TYPE type)
{
    return ((ULONG)type & 7) == POOL_TYPE_PAGED;
}

static PVOID NTAPI shim_ExAllocatePoolWithTag(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    check_request(size, is_paged(type));
    return allocate(size, tag, is_paged(type), BED_CALLER());
}

static PVOID NTAPI shim_ExAllocatePool(POOL_TYPE type, SIZE_T size)
{
    check_request(size, is_paged(type));
    return allocate(size, 0x656e6f4e, is_paged(type), BED_CALLER());
}

static void pool_free(void *data)
{
    struct block *block = block_of(data);

    bed_irql_at_most(DISPATCH_LEVEL, "freeing pool");
    if (block->mark == mark_of(block)) {
        release(block);
    } else if (block->mark == ~mark_of(block)) {
        complain(block, "was freed twice");
    } else {
        ExFreePool(data); /* Wine gave it: an answer of the I/O manager, for instance */
    }
}

static VOID NTAPI shim_ExFreePoolWithTag(PVOID data, ULONG tag)
{
    struct block *block;

    if (data == NULL) {
        port_violation("pool: NULL was freed");
        return;
    }
    block = block_of(data);
    if (block->mark == mark_of(block) && tag != 0 && tag != block->tag) {
        complain(block, "was freed with another tag");
    }
    pool_free(data);
}

static VOID NTAPI shim_ExFreePool(PVOID data)
{
    shim_ExFreePoolWithTag(data, 0);
}

void bed_pool_check_left(struct bed_image *image)
{
    RtlAcquireSRWLockExclusive(&lock);
    for (struct list_link *at = live.next; at != &live; at = at->next) {
        struct block *block = list_member(at, struct block, link);

        if (block->owner == image) {
            complain(block, "was not freed at unload");
            block->owner = NULL;
        }
    }
    for (struct list_link *at = dead.next; at != &dead; at = at->next) {
        struct block *block = list_member(at, struct block, link);

        if (block->owner == image && !holds(data_of(block), FREED, block->size)) {
            complain(block, "was written to after it had been freed");
            memset(data_of(block), FREED, block->size);
        }
    }
    RtlReleaseSRWLockExclusive(&lock);
}

const struct shim bed_pool_shims[] = {
    SHIM_CHECK(ExAllocatePoolWithTag),
    SHIM_CHECK(ExAllocatePool),
    SHIM_CHECK(ExFreePoolWithTag),
    SHIM_CHECK(ExFreePool),
    SHIM_END,
};
