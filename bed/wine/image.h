/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The images of drivers under test: whose calls the shims count, and what each has not given back yet. */
#ifndef WNBD_BED_WINE_IMAGE_H
#define WNBD_BED_WINE_IMAGE_H

#include <stdbool.h>

#include "driver/ddk.h"

struct bed_image {
    /* fixed after init */
    UCHAR *base;
    UCHAR *end;
    WCHAR name[32];
    /* guarded by the lock of shim_pool.c */
    ULONG64 nonpaged_bytes;
    ULONG64 paged_bytes;
    ULONG64 pool_peak;
    ULONG blocks;
    ULONG blocks_made;
    /* atomic: what the driver holds */
    volatile LONG irp_bytes;
    volatile LONG mdl_bytes;
    volatile LONG threads;
    volatile LONG mdls;
    volatile LONG irps;
    volatile LONG mapped;
    volatile LONG locked;
    volatile LONG handles;
    volatile LONG sections;
    volatile LONG views;
    volatile LONG traces;
    volatile LONG networks;
    volatile LONG counter_sets;
    volatile LONG sockets;
    /* atomic: how often it has asked */
    volatile LONG threads_made;
    volatile LONG mdls_made;
    volatile LONG irps_made;
    volatile LONG sockets_made;
};

/* The image that holds `address`, for instance a return address; NULL when that is no driver under test. Any IRQL. */
struct bed_image *bed_image_of(const void *address);

/* The image whose code called the shim that uses this. */
#define BED_CALLER() bed_image_of(__builtin_return_address(0))

/* Counts `by` into a field of the calling driver's image; calls of others are not counted. */
#define BED_COUNT(image, field, by)                                                                                    \
    do {                                                                                                               \
        if ((image) != NULL) {                                                                                         \
            InterlockedExchangeAdd(&(image)->field, by);                                                               \
        }                                                                                                              \
    } while (0)

/* Puts the shims into the import table of the image mapped at `base`; once. */
void bed_patch_driver(void *base, const WCHAR *name);

/* The same for our own image, with those shims alone that mend and do not check, and for the program of the process. */
void bed_patch_self(void *base);

/* Whether the image mapped at `base` imports from the module `name`. */
bool bed_imports_from(const void *base, const char *name);

/* Gives threads that have said good-bye but not ended yet a moment. */
void bed_threads_settle(struct bed_image *image);

/* Fills in what concerns pool. */
struct bed_counts;
void bed_pool_count(const struct bed_image *image, struct bed_counts *counts);

/* Reports pool blocks that the image has not freed. */
void bed_pool_check_left(struct bed_image *image);

#endif
