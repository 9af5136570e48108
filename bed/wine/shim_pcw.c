/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Performance counters, which Wine's kernel knows by name only: bed/pcw is what is there to collect them. */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/shim.h"
#include "bed/pcw/pcw.h"

static NTSTATUS NTAPI shim_PcwRegister(PPCW_REGISTRATION *registration, PPCW_REGISTRATION_INFORMATION information)
{
    NTSTATUS status = bed_pcw_register(registration, information);

    if (NT_SUCCESS(status)) {
        BED_COUNT(BED_CALLER(), counter_sets, 1);
    }
    return status;
}

static VOID NTAPI shim_PcwUnregister(PPCW_REGISTRATION registration)
{
    bed_pcw_unregister(registration);
    BED_COUNT(BED_CALLER(), counter_sets, -1);
}

static NTSTATUS NTAPI shim_PcwAddInstance(PPCW_BUFFER buffer, PCUNICODE_STRING name, ULONG id, ULONG count,
                                          PPCW_DATA data)
{
    return bed_pcw_add(buffer, name, id, count, data);
}

const struct shim bed_pcw_shims[] = {
    SHIM_MEND(PcwRegister),
    SHIM_MEND(PcwUnregister),
    SHIM_MEND(PcwAddInstance),
    SHIM_END,
};
