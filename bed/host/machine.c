/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/machine.h"

#include "bed/host/device.h"
#include "bed/host/etw.h"
#include "bed/host/image.h"
#include "bed/host/interface.h"
#include "bed/host/irp.h"
#include "bed/host/lock_pages.h"
#include "bed/host/mdl.h"
#include "bed/host/object.h"
#include "bed/host/pcw.h"
#include "bed/host/pool.h"
#include "bed/host/process.h"
#include "bed/host/section.h"
#include "bed/host/spinlock.h"
#include "bed/host/text.h"
#include "bed/port/control.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#include <stdio.h>
#include <string.h>

#define SETTLE_MS 2000

static struct bed_image image;
static DRIVER_EXTENSION extension;
static DRIVER_OBJECT driver;
static WCHAR key_buffer[sizeof(BED_SERVICE_KEY)];

/* Asked by the port driver. An image is linked against this bed already. */
void bed_patch_imports(DRIVER_OBJECT *object)
{
    UNREFERENCED_PARAMETER(object);
}

static BOOLEAN is_settling(void)
{
    return bed_objects_count(BED_OBJECT_THREAD) != 0 || bed_objects_count(BED_OBJECT_FILE) != 0;
}

/* Threads that have said good-bye drop their last references within a moment, and so do files that are closed. */
static void settle(void)
{
    LARGE_INTEGER pause = {.QuadPart = -1 * 10000};

    for (ULONG i = 0; i < SETTLE_MS && is_settling(); i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
}

/* Pool alone: of everything else, what is left is reported at unload. */
BOOLEAN bed_driver_count(DRIVER_OBJECT *object, struct bed_counts *counts)
{
    UNREFERENCED_PARAMETER(object);
    RtlZeroMemory(counts, sizeof(*counts));
    bed_pool_count(&counts->nonpaged_bytes, &counts->paged_bytes, &counts->blocks);
    return TRUE;
}

/* The driver's unload routine has returned: what it made itself must be gone. */
void bed_driver_unloaded(DRIVER_OBJECT *object)
{
    UNREFERENCED_PARAMETER(object);
    settle();
    bed_pool_check(true);
}

/* DriverEntry, as the I/O manager calls it. */
static NTSTATUS enter(void)
{
    UNICODE_STRING key = {.Buffer = key_buffer};
    NTSTATUS status;

    memset(&driver, 0, sizeof(driver));
    memset(&extension, 0, sizeof(extension));
    driver.DriverExtension = &extension;
    driver.DriverStart = (PVOID)(uintptr_t)image.base;
    driver.DriverInit = image.entry;
    extension.DriverObject = &driver;
    bed_text_widen(BED_SERVICE_KEY, &key);
    status = image.entry(&driver, &key);
    if (bed_irql() != PASSIVE_LEVEL) {
        port_violation("irql: DriverEntry was left at IRQL %u", bed_irql());
        bed_irql_lower(PASSIVE_LEVEL);
    }
    return status;
}

/* Everything there is belongs to nobody any more. */
static void check_all(void)
{
    settle();
    bed_pool_check(false);
    bed_locked_pages_check();
    bed_mdls_check();
    bed_irps_check();
    bed_views_check();
    bed_process_end();
    bed_objects_check();
    bed_interfaces_check();
    bed_counter_sets_check();
    bed_links_check();
    bed_traces_check();
}

static void forget(void)
{
    check_all();
    bed_spinlocks_forget();
    bed_irps_settle();
    bed_image_unload(&image);
}

static void unload(void)
{
    if (driver.DriverUnload == NULL) {
        port_violation("unload: the driver has no unload routine");
    } else {
        driver.DriverUnload(&driver);
    }
    forget();
}

NTSTATUS bed_machine_start(const char *library)
{
    NTSTATUS status;

    if (!bed_image_load(&image, library)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    bed_process_begin();
    status = enter();
    if (!NT_SUCCESS(status)) {
        forget();
        return status;
    }
    status = bed_pnp_add_adapter(&driver);
    if (!NT_SUCCESS(status)) {
        unload();
    }
    return status;
}

NTSTATUS bed_machine_stop(enum bed_removal removal)
{
    NTSTATUS status = bed_pnp_remove_adapter(removal);

    if (NT_SUCCESS(status)) {
        unload();
    }
    return status;
}
