/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Odds and ends of the I/O manager. */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

static ULONG NTAPI shim_IoGetRequestorProcessId(PIRP irp)
{
    PEPROCESS process = IoGetRequestorProcess(irp);

    return process != NULL ? (ULONG)(ULONG_PTR)PsGetProcessId(process) : 0;
}

static PIRP NTAPI shim_IoAllocateIrp(CCHAR stack_size, BOOLEAN quota)
{
    PIRP irp;

    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateIrp");
    irp = IoAllocateIrp(stack_size, quota);
    if (irp != NULL) {
        BED_COUNT(BED_CALLER(), irps, 1);
        BED_COUNT(BED_CALLER(), irps_made, 1);
        BED_COUNT(BED_CALLER(), irp_bytes, (LONG)IoSizeOfIrp(irp->StackCount));
    }
    return irp;
}

static VOID NTAPI shim_IoFreeIrp(PIRP irp)
{
    BED_COUNT(BED_CALLER(), irps, -1);
    BED_COUNT(BED_CALLER(), irp_bytes, -(LONG)IoSizeOfIrp(irp->StackCount));
    IoFreeIrp(irp);
}

static PVOID NTAPI shim_IoAllocateErrorLogEntry(PVOID object, UCHAR size)
{
    (void)object;
    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateErrorLogEntry");
    if (size > ERROR_LOG_MAXIMUM_SIZE || size < sizeof(IO_ERROR_LOG_PACKET)) {
        return NULL;
    }
    return bed_allocate(size);
}

static VOID NTAPI shim_IoWriteErrorLogEntry(PVOID entry)
{
    const IO_ERROR_LOG_PACKET *packet = entry;
    const WCHAR *text = L"";

    if (packet->NumberOfStrings != 0) {
        text = (const WCHAR *)(const void *)((const UCHAR *)entry + packet->StringOffset);
    }
    port_log("event log: 0x%08x unique %u status 0x%08x %ls", (unsigned)packet->ErrorCode,
             (unsigned)packet->UniqueErrorValue, (unsigned)packet->FinalStatus, text);
    bed_free(entry);
}

static VOID NTAPI shim_IoFreeErrorLogEntry(PVOID entry)
{
    bed_free(entry);
}

/* NT_ASSERT of a driver's debug build. */
static VOID NTAPI shim_RtlAssert(PVOID assertion, PVOID file, ULONG line, PSTR message)
{
    (void)message;
    port_violation("assert: %s line %lu: %s", (const char *)file, line, (const char *)assertion);
}

const struct shim bed_io_shims[] = {
    SHIM_MEND(IoGetRequestorProcessId),
    SHIM_CHECK(IoAllocateIrp),
    SHIM_CHECK(IoFreeIrp),
    SHIM_MEND(IoAllocateErrorLogEntry),
    SHIM_MEND(IoWriteErrorLogEntry),
    SHIM_MEND(IoFreeErrorLogEntry),
    SHIM_CHECK(RtlAssert),
    SHIM_END,
};
