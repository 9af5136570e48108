/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The image entry of the bed's storport.sys. Because the image imports ntdll, Wine takes it for a user-mode library and
 * calls this as DllMain, before the DriverEntry of the miniport that imports it: early enough to mend that one's
 * imports.
 */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/start.h"

#define PROCESS_ATTACH 1

struct loader_module {
    LIST_ENTRY load_order;
    LIST_ENTRY memory_order;
    LIST_ENTRY init_order;
    void *base;
    void *entry;
    ULONG size;
    UNICODE_STRING path;
    UNICODE_STRING name;
};

struct loader_data {
    ULONG length;
    ULONG initialized;
    void *handle;
    LIST_ENTRY load_order;
};

struct process_block {
    UCHAR flags[8];
    void *mutant;
    void *image;
    struct loader_data *loader;
};

#define TEB_PEB 0x60

static void patch_loaded(void)
{
    const struct process_block *process = (const void *)__readgsqword(TEB_PEB);
    const LIST_ENTRY *head = &process->loader->load_order;

    for (const LIST_ENTRY *at = head->Flink; at != head; at = at->Flink) {
        const struct loader_module *module = (const void *)at;

        if (module->base != NULL && bed_imports_from(module->base, "storport.sys")) {
            bed_patch_driver(module->base, module->name.Buffer);
        }
    }
}

#define PIN           1
#define REASON_LOADED 1

struct loaded_notice {
    ULONG flags;
    const UNICODE_STRING *path;
    const UNICODE_STRING *name;
    void *base;
    ULONG size;
};

/* Drivers that are loaded later into the same process: their imports are bound by now, their entry has not run. */
static VOID NTAPI image_loaded(ULONG reason, const struct loaded_notice *notice, void *context)
{
    (void)context;
    if (reason == REASON_LOADED && bed_imports_from(notice->base, "storport.sys")) {
        bed_patch_driver(notice->base, notice->name->Buffer);
    }
}

/* Our threads outlive the driver that they worked for, so the image stays when the last driver goes. */
static void stay(void *base)
{
    void *cookie;

    LdrAddRefDll(PIN, base);
    LdrRegisterDllNotification(0, (void *)image_loaded, NULL, &cookie);
}

BOOLEAN NTAPI bed_entry(void *base, ULONG reason, void *reserved)
{
    (void)reserved;
    if (reason == PROCESS_ATTACH) {
        bed_cancel_start();
        bed_irql_start();
        bed_threads_start();
        bed_shared_data_start();
        bed_patch_self(base);
        patch_loaded();
        stay(base);
    }
    return TRUE;
}
