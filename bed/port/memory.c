/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* StorPortAllocatePool and StorPortFreePool: every block is known, bounded by known bytes, and must be given back. */
#include "bed/port/internal.h"

#define EDGE_BYTES 16
#define EDGE_BYTE  0xA7

struct block {
    struct list_link link; /* guarded by adapter->memory_lock */
    ULONG length;
    ULONG tag;
    UCHAR edge[EDGE_BYTES - 8];
    /* the block, then EDGE_BYTES */
};

static UCHAR *block_data(struct block *block)
{
    return (UCHAR *)(block + 1);
}

static void count(struct miniport *miniport, ULONG length, BOOLEAN made)
{
    KIRQL irql;

    KeAcquireSpinLock(&miniports_lock, &irql);
    miniport->memory_bytes += made ? (LONG64)length : -(LONG64)length;
    miniport->memory_blocks += made ? 1 : (ULONG)-1;
    miniport->memory_made += made ? 1 : 0;
    KeReleaseSpinLock(&miniports_lock, irql);
}

ULONG memory_allocate(struct adapter *adapter, ULONG length, ULONG tag, void **data)
{
    struct block *block;
    KIRQL irql;

    if (data == NULL || length == 0) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    *data = NULL;
    if (adapter->fail_pool > 0 && InterlockedDecrement(&adapter->fail_pool) >= 0) {
        return STOR_STATUS_INSUFFICIENT_RESOURCES;
    }
    block = ExAllocatePoolWithTag(NonPagedPoolNx, (SIZE_T)sizeof(*block) + length + EDGE_BYTES, PORT_TAG);
    if (block == NULL) {
        return STOR_STATUS_INSUFFICIENT_RESOURCES;
    }
    block->length = length;
    block->tag = tag;
    RtlFillMemory(block->edge, sizeof(block->edge), EDGE_BYTE);
    RtlFillMemory(block_data(block), length, PORT_FILL);
    RtlFillMemory(block_data(block) + length, EDGE_BYTES, EDGE_BYTE);
    KeAcquireSpinLock(&adapter->memory_lock, &irql);
    list_append(&adapter->memory, &block->link);
    KeReleaseSpinLock(&adapter->memory_lock, irql);
    count(adapter->miniport, length, TRUE);
    *data = block_data(block);
    return STOR_STATUS_SUCCESS;
}

static struct block *find_locked(struct adapter *adapter, const void *data)
{
    for (struct list_link *link = adapter->memory.next; link != &adapter->memory; link = link->next) {
        struct block *block = list_member(link, struct block, link);

        if (block_data(block) == data) {
            return block;
        }
    }
    return NULL;
}

static void check_edges(struct block *block)
{
    const UCHAR *end = block_data(block) + block->length;
    BOOLEAN whole = TRUE;

    for (ULONG i = 0; i < sizeof(block->edge); i++) {
        whole = whole && block->edge[i] == EDGE_BYTE && end[i] == EDGE_BYTE;
    }
    if (!whole) {
        port_violation(
            "pool-overrun: a StorPortAllocatePool block of %lu bytes, tag 0x%lx, was written beyond its ends",
            block->length, block->tag);
    }
}

ULONG memory_free(struct adapter *adapter, void *data)
{
    struct block *block;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->memory_lock, &irql);
    block = find_locked(adapter, data);
    if (block != NULL) {
        list_remove(&block->link);
    }
    KeReleaseSpinLock(&adapter->memory_lock, irql);
    if (block == NULL) {
        port_violation("pool-free: StorPortFreePool of %p, which is no block of StorPortAllocatePool", data);
        return STOR_STATUS_INVALID_PARAMETER;
    }
    count(adapter->miniport, block->length, FALSE);
    check_edges(block);
    RtlFillMemory(block_data(block), block->length, PORT_FILL);
    ExFreePoolWithTag(block, PORT_TAG);
    return STOR_STATUS_SUCCESS;
}

/* After HwFreeAdapterResources nothing may be left. */
void memory_check(struct adapter *adapter)
{
    struct list_link *link;

    while ((link = list_take_first(&adapter->memory)) != NULL) {
        struct block *block = list_member(link, struct block, link);

        port_violation(
            "pool-leak: %lu bytes of StorPortAllocatePool, tag 0x%lx, were not freed by HwFreeAdapterResources",
            block->length, block->tag);
        count(adapter->miniport, block->length, FALSE);
        check_edges(block);
        ExFreePoolWithTag(block, PORT_TAG);
    }
}
