/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/pcw.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/pcw/pcw.h"
#include "bed/port/violation.h"

NTSTATUS PcwRegister(PPCW_REGISTRATION *Registration, PPCW_REGISTRATION_INFORMATION Info)
{
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_COUNTERS)) {
        return STATUS_NO_MEMORY;
    }
    return bed_pcw_register(Registration, Info);
}

VOID PcwUnregister(PPCW_REGISTRATION Registration)
{
    bed_pcw_unregister(Registration);
}

NTSTATUS PcwAddInstance(PPCW_BUFFER Buffer, PCUNICODE_STRING Name, ULONG Id, ULONG Count, PPCW_DATA Data)
{
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_COUNTERS)) {
        return STATUS_NO_MEMORY;
    }
    return bed_pcw_add(Buffer, Name, Id, Count, Data);
}

void bed_counter_sets_check(void)
{
    ULONG count = bed_pcw_count();

    if (count != 0) {
        port_violation("counters-leak: %lu counter sets are still registered", count);
    }
}
