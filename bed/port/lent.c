/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the network provider holds: an SRB may not complete while any of its memory is among it. */
#include "bed/port/internal.h"

#define LENT_MAXIMUM 8192

struct range {
    const UCHAR *begin;
    const UCHAR *end;
};

static KSPIN_LOCK lock; /* zero is a free lock */
static struct range ranges[LENT_MAXIMUM];
static volatile ULONG range_count;

void port_range_lent(const void *address, SIZE_T length)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    if (range_count < LENT_MAXIMUM) {
        ranges[range_count].begin = address;
        ranges[range_count].end = (const UCHAR *)address + length;
        range_count++;
    }
    KeReleaseSpinLock(&lock, irql);
}

void port_range_returned(const void *address, SIZE_T length)
{
    const UCHAR *end = (const UCHAR *)address + length;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    for (ULONG i = 0; i < range_count; i++) {
        if (ranges[i].begin == address && ranges[i].end == end) {
            ranges[i] = ranges[--range_count];
            break;
        }
    }
    KeReleaseSpinLock(&lock, irql);
}

void port_mdl_lent(PMDL mdl)
{
    port_range_lent(mdl->MappedSystemVa, mdl->ByteCount);
}

void port_mdl_returned(PMDL mdl)
{
    port_range_returned(mdl->MappedSystemVa, mdl->ByteCount);
}

static BOOLEAN overlaps(const struct range *range, const void *address, SIZE_T length)
{
    const UCHAR *begin = address;

    return begin != NULL && length != 0 && begin < range->end && range->begin < begin + length;
}

/* Which of the request's memory is lent; NULL when none is. */
const char *lent_overlap(const struct request *request)
{
    ULONG extension_length = request->adapter->config.SrbExtensionSize;
    const char *which = NULL;
    KIRQL irql;

    if (range_count == 0) {
        return NULL;
    }
    KeAcquireSpinLock(&lock, &irql);
    for (ULONG i = 0; i < range_count && which == NULL; i++) {
        if (overlaps(&ranges[i], request->command.system, request->command.length)) {
            which = "data buffer";
        } else if (overlaps(&ranges[i], request->extension, extension_length)) {
            which = "SRB extension";
        } else if (overlaps(&ranges[i], request->sense, PORT_SENSE_LENGTH)) {
            which = "sense buffer";
        } else if (overlaps(&ranges[i], &request->srb, sizeof(request->srb))) {
            which = "SRB";
        }
    }
    KeReleaseSpinLock(&lock, irql);
    return which;
}
