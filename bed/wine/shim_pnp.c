/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process that hosts drivers is told when root devices have come or gone: see bed/port/relations.h. */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"
#include "bed/port/relations.h"

typedef void enumerate_root_devices(const WCHAR *driver_name);

static void shim_wine_enumerate_root_devices(const WCHAR *driver_name)
{
    UNICODE_STRING name;
    enumerate_root_devices *wine;

    RtlInitUnicodeString(&name, L"wine_enumerate_root_devices");
    wine = (enumerate_root_devices *)MmGetSystemRoutineAddress(&name);
    relations_hold();
    wine(driver_name);
    relations_let_go();
}

const struct shim bed_pnp_shims[] = {
    {"wine_enumerate_root_devices", (void *)shim_wine_enumerate_root_devices, SHIM_HOST},
    SHIM_END,
};
