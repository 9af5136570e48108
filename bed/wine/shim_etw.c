/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event tracing: nobody listens here, so events go nowhere; a registration left at unload is found. */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

#define TRACE_HANDLE 0x45545721ULL

static NTSTATUS NTAPI shim_EtwRegister(const GUID *provider, void *callback, void *context, ULONGLONG *handle)
{
    (void)provider;
    (void)callback;
    (void)context;
    bed_irql_at_most(PASSIVE_LEVEL, "EtwRegister");
    BED_COUNT(BED_CALLER(), traces, 1);
    *handle = TRACE_HANDLE;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_EtwUnregister(ULONGLONG handle)
{
    bed_irql_at_most(PASSIVE_LEVEL, "EtwUnregister");
    if (handle != TRACE_HANDLE) {
        return STATUS_INVALID_HANDLE;
    }
    BED_COUNT(BED_CALLER(), traces, -1);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_EtwWrite(ULONGLONG handle, const void *event, const GUID *activity, ULONG count,
                                    const void *data)
{
    (void)event;
    (void)activity;
    (void)count;
    (void)data;
    return handle == TRACE_HANDLE ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

static NTSTATUS NTAPI shim_EtwWriteTransfer(ULONGLONG handle, const void *event, const GUID *activity,
                                            const GUID *related, ULONG count, const void *data)
{
    (void)related;
    return shim_EtwWrite(handle, event, activity, count, data);
}

static BOOLEAN NTAPI shim_EtwEventEnabled(ULONGLONG handle, const void *event)
{
    (void)handle;
    (void)event;
    return FALSE;
}

static BOOLEAN NTAPI shim_EtwProviderEnabled(ULONGLONG handle, UCHAR level, ULONGLONG keyword)
{
    (void)handle;
    (void)level;
    (void)keyword;
    return FALSE;
}

static NTSTATUS NTAPI shim_EtwSetInformation(ULONGLONG handle, ULONG class, void *data, ULONG length)
{
    (void)class;
    (void)data;
    (void)length;
    return handle == TRACE_HANDLE ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

const struct shim bed_etw_shims[] = {
    SHIM_MEND(EtwRegister),       SHIM_MEND(EtwUnregister),
    SHIM_MEND(EtwWrite),          SHIM_MEND(EtwWriteTransfer),
    SHIM_MEND(EtwEventEnabled),   SHIM_MEND(EtwProviderEnabled),
    SHIM_MEND(EtwSetInformation), SHIM_END,
};
