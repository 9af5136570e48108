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
    /* atomic: what the driver holds */
    volatile LONG threads;
    volatile LONG mdls;
    volatile LONG irps;
    volatile LONG mapped;
    volatile LONG locked;
    volatile LONG traces;
    volatile LONG networks;
    volatile LONG sockets;
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

/* Reports pool blocks that the image has not freed. */
void bed_pool_check_left(struct bed_image *image);

#endif
