/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "bed/host/image.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

/* Of the sanitizers' run-time libraries; not there in a build without them. */
__attribute__((weak)) void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t out_size);

static struct bed_image *loaded; /* one at a time */

struct range {
    const void *inside;
    const UCHAR *base;
    const UCHAR *end;
};

/* Finds the mapped range of the library that holds range->inside. */
static int find_range(struct dl_phdr_info *info, size_t size, void *context)
{
    struct range *range = context;
    const UCHAR *low = (const UCHAR *)UINTPTR_MAX;
    const UCHAR *high = NULL;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];

        if (header->p_type == PT_LOAD) {
            const UCHAR *begin = (const UCHAR *)(info->dlpi_addr + header->p_vaddr);

            low = begin < low ? begin : low;
            high = begin + header->p_memsz > high ? begin + header->p_memsz : high;
        }
    }
    if ((const UCHAR *)range->inside < low || (const UCHAR *)range->inside >= high) {
        return 0;
    }
    range->base = low;
    range->end = high;
    return 1;
}

bool bed_image_load(struct bed_image *image, const char *path)
{
    struct range range = {0};

    image->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (image->library == NULL) {
        fprintf(stderr, "bed: %s\n", dlerror());
        return false;
    }
    image->entry = (PDRIVER_INITIALIZE)dlsym(image->library, "DriverEntry");
    if (image->entry == NULL) {
        fprintf(stderr, "bed: %s has no DriverEntry\n", path);
        dlclose(image->library);
        return false;
    }
    range.inside = (const void *)image->entry;
    dl_iterate_phdr(find_range, &range);
    image->base = range.base;
    image->end = range.end;
    __atomic_store_n(&loaded, image, __ATOMIC_RELEASE);
    return true;
}

void bed_image_unload(struct bed_image *image)
{
    __atomic_store_n(&loaded, NULL, __ATOMIC_RELEASE);
    dlclose(image->library);
}

bool bed_in_image(const void *address)
{
    const struct bed_image *image = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);

    return image != NULL && (const UCHAR *)address >= image->base && (const UCHAR *)address < image->end;
}

const char *bed_place(const void *address, char text[BED_PLACE_LENGTH])
{
    if (__sanitizer_symbolize_pc == NULL) {
        snprintf(text, BED_PLACE_LENGTH, "%p", address);
        return text;
    }
    /* A return address is behind the call. */
    __sanitizer_symbolize_pc((void *)((uintptr_t)address - 1), "%f %s:%l", text, BED_PLACE_LENGTH);
    return text;
}

PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    char name[80];
    USHORT length = SystemRoutineName->Length / sizeof(WCHAR);

    if (length >= sizeof(name)) {
        return NULL;
    }
    for (USHORT i = 0; i < length; i++) {
        name[i] = (char)SystemRoutineName->Buffer[i];
    }
    name[length] = '\0';
    return dlsym(RTLD_DEFAULT, name);
}
