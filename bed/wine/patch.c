/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rewriting import tables, and what is known of each image that was rewritten. */
#include "bed/wine/nt.h"
#include <ntimage.h>
#include "bed/wine/image.h"
#include "bed/wine/patch.h"
#include "bed/wine/shim.h"
#include "bed/port/control.h"
#include "bed/port/events.h"
#include "bed/port/violation.h"

#define IMAGES_MAX     16
#define TEB_PEB        0x60
#define PEB_IMAGE_BASE 0x10

static struct bed_image images[IMAGES_MAX]; /* read without a lock: `base` is set last; NULL: free */
static RTL_SRWLOCK images_lock;

static const struct shim *const tables[] = {
    bed_rundown_shims,   bed_mdl_shims,      bed_lock_pages_shims, bed_pool_shims,   bed_irql_shims,
    bed_spinlock_shims,  bed_wait_shims,     bed_dpc_shims,        bed_time_shims,   bed_thread_shims,
    bed_print_shims,     bed_etw_shims,      bed_io_shims,         bed_cancel_shims, bed_csq_shims,
    bed_wsk_shims,       bed_lookup_shims,   bed_pnp_shims,        bed_object_shims, bed_section_shims,
    bed_exception_shims, bed_registry_shims, bed_pcw_shims,
};

const struct shim *bed_shim_find(const char *name, enum shim_scope scope)
{
    for (unsigned table = 0; table < ARRAYSIZE(tables); table++) {
        for (const struct shim *shim = tables[table]; shim->name != NULL; shim++) {
            if ((shim->scope & scope) != 0 && strcmp(shim->name, name) == 0) {
                return shim;
            }
        }
    }
    return NULL;
}

static const IMAGE_DATA_DIRECTORY *directory(const UCHAR *base, unsigned index)
{
    const IMAGE_DOS_HEADER *dos = (const void *)base;
    const IMAGE_NT_HEADERS64 *nt = (const void *)(base + dos->e_lfanew);

    return &nt->OptionalHeader.DataDirectory[index];
}

static ULONG size_of_image(const UCHAR *base)
{
    const IMAGE_DOS_HEADER *dos = (const void *)base;

    return ((const IMAGE_NT_HEADERS64 *)(const void *)(base + dos->e_lfanew))->OptionalHeader.SizeOfImage;
}

static const IMAGE_IMPORT_DESCRIPTOR *imports_of(const UCHAR *base)
{
    const IMAGE_DATA_DIRECTORY *imports = directory(base, IMAGE_DIRECTORY_ENTRY_IMPORT);

    return imports->VirtualAddress != 0 ? (const void *)(base + imports->VirtualAddress) : NULL;
}

static void store(void **slot, void *routine)
{
    PVOID page = slot;
    SIZE_T size = sizeof(*slot);
    ULONG old;

    if (NT_SUCCESS(NtProtectVirtualMemory(NtCurrentProcess(), &page, &size, PAGE_READWRITE, &old))) {
        *slot = routine;
        NtProtectVirtualMemory(NtCurrentProcess(), &page, &size, old, &old);
    }
}

static void patch_module(UCHAR *base, const IMAGE_IMPORT_DESCRIPTOR *module, enum shim_scope scope)
{
    const ULONGLONG *names = (const void *)(base + module->OriginalFirstThunk);
    void **slots = (void *)(base + module->FirstThunk);

    for (unsigned i = 0; names[i] != 0; i++) {
        const struct shim *shim;

        if (names[i] & IMAGE_ORDINAL_FLAG64) {
            continue;
        }
        shim = bed_shim_find((const char *)(base + names[i] + sizeof(USHORT)), scope);
        if (shim != NULL && slots[i] != shim->routine) {
            store(&slots[i], shim->routine);
        }
    }
}

static void patch_image(UCHAR *base, enum shim_scope scope)
{
    const IMAGE_IMPORT_DESCRIPTOR *module = imports_of(base);

    for (; module != NULL && module->Name != 0; module++) {
        if (module->OriginalFirstThunk != 0) {
            patch_module(base, module, scope);
        }
    }
}

static struct bed_image *image_add(UCHAR *base, const WCHAR *name)
{
    struct bed_image *image = NULL;

    RtlAcquireSRWLockExclusive(&images_lock);
    for (unsigned i = 0; i < IMAGES_MAX && image == NULL; i++) {
        image = images[i].base == NULL ? &images[i] : NULL;
    }
    if (image != NULL) {
        memset(image, 0, sizeof(*image));
        wcsncpy(image->name, name, ARRAYSIZE(image->name) - 1);
        image->end = base + size_of_image(base);
        image->base = base;
    }
    RtlReleaseSRWLockExclusive(&images_lock);
    return image;
}

struct bed_image *bed_image_of(const void *address)
{
    for (unsigned i = 0; i < IMAGES_MAX; i++) {
        if (images[i].base != NULL && (const UCHAR *)address >= images[i].base &&
            (const UCHAR *)address < images[i].end) {
            return &images[i];
        }
    }
    return NULL;
}

void bed_patch_driver(void *base, const WCHAR *name)
{
    if (bed_image_of(base) == NULL && image_add(base, name) != NULL) {
        patch_image(base, SHIM_DRIVER);
    }
}

static UCHAR *program(void)
{
    return *(UCHAR **)(__readgsqword(TEB_PEB) + PEB_IMAGE_BASE);
}

void bed_patch_self(void *base)
{
    patch_image(base, SHIM_SELF);
    patch_image(program(), SHIM_HOST);
}

bool bed_imports_from(const void *base, const char *name)
{
    const IMAGE_IMPORT_DESCRIPTOR *module = imports_of(base);

    for (; module != NULL && module->Name != 0; module++) {
        if (_stricmp((const char *)base + module->Name, name) == 0) {
            return true;
        }
    }
    return false;
}

void bed_patch_imports(DRIVER_OBJECT *driver)
{
    const WCHAR *name = driver->DriverName.Buffer != NULL ? wcsrchr(driver->DriverName.Buffer, '\\') : NULL;

    bed_patch_driver(driver->DriverStart, name != NULL ? name + 1 : L"driver");
}

BOOLEAN bed_driver_count(DRIVER_OBJECT *driver, struct bed_counts *counts)
{
    const struct bed_image *image = bed_image_of(driver->DriverStart);

    if (image == NULL) {
        return FALSE;
    }
    memset(counts, 0, sizeof(*counts));
    bed_pool_count(image, counts);
    counts->nonpaged_bytes += (ULONG)image->irp_bytes + (ULONG)image->mdl_bytes;
    counts->irps = (ULONG)image->irps;
    counts->mdls = (ULONG)image->mdls;
    counts->threads = (ULONG)image->threads;
    counts->sockets = (ULONG)image->sockets;
    counts->irps_made = (ULONG)image->irps_made;
    counts->mdls_made = (ULONG)image->mdls_made;
    counts->threads_made = (ULONG)image->threads_made;
    counts->sockets_made = (ULONG)image->sockets_made;
    memcpy(counts->driver, image->name, sizeof(counts->driver));
    return TRUE;
}

static void check_left(const struct bed_image *image, const volatile LONG *count, const char *what)
{
    if (*count != 0) {
        port_violation("left-at-unload: %ls left %ld %s behind", image->name, *count, what);
    }
}

void bed_driver_unloaded(DRIVER_OBJECT *driver)
{
    struct bed_image *image = bed_image_of(driver->DriverStart);

    if (image == NULL) {
        port_log("%p was unloaded but is not known", driver->DriverStart);
        return;
    }
    bed_threads_settle(image);
    bed_pool_check_left(image);
    check_left(image, &image->threads, "system threads");
    check_left(image, &image->mdls, "MDLs of IoAllocateMdl");
    check_left(image, &image->irps, "IRPs of IoAllocateIrp");
    check_left(image, &image->mapped, "mapped MDLs");
    check_left(image, &image->locked, "locked MDLs");
    check_left(image, &image->handles, "handles to sections and processes");
    check_left(image, &image->sections, "references to sections");
    check_left(image, &image->views, "system views");
    check_left(image, &image->traces, "ETW registrations");
    check_left(image, &image->counter_sets, "counter sets");
    port_event_log_check();
    check_left(image, &image->networks, "WSK registrations");
    check_left(image, &image->sockets, "sockets");
    port_log("%ls was unloaded", image->name);
    /* The next driver may be mapped to the same place. */
    RtlAcquireSRWLockExclusive(&images_lock);
    image->base = NULL;
    image->end = NULL;
    RtlReleaseSRWLockExclusive(&images_lock);
}
