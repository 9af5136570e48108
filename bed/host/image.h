/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers under test are shared libraries, as a .sys is: each has its own symbols, globals and address range. */
#ifndef BED_HOST_IMAGE_H
#define BED_HOST_IMAGE_H

#include "driver/ddk.h"

#include <stdbool.h>

#define BED_PLACE_LENGTH 160

struct bed_image {
    void *library;
    const UCHAR *base;
    const UCHAR *end;
    PDRIVER_INITIALIZE entry;
};

/* Loads the library at `path`; its globals are fresh. False: it cannot be, which is printed. */
bool bed_image_load(struct bed_image *image, const char *path);
void bed_image_unload(struct bed_image *image);

/* Whether `address` (a return address, for instance) lies in a loaded image. Any IRQL. */
bool bed_in_image(const void *address);

/* Whether the code that called the bed's routine which uses this is a driver's. */
#define BED_CALLED_BY_DRIVER() bed_in_image(__builtin_return_address(0))

/* Function, file and line of a return address, as far as they are known; answers `text`. */
const char *bed_place(const void *address, char text[BED_PLACE_LENGTH]);

#endif
