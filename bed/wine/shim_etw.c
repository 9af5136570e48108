/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event tracing and the error log: what drivers write is recorded by bed/port/events.h, and a registration left at
 * unload is found. Nobody listens, so that no provider is enabled. */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/events.h"
#include "bed/port/violation.h"

#define REGISTRATIONS 8

/* A handle is never used again, so that a late user of an old one is found. */
static volatile LONG64 registrations[REGISTRATIONS]; /* atomic: handles; 0: free */
static volatile LONG64 last_handle;                  /* atomic */

/* Replaces the handle `old`, if it is there. */
static BOOLEAN replace(LONG64 old, LONG64 new)
{
    for (unsigned i = 0; i < REGISTRATIONS; i++) {
        if (InterlockedCompareExchange64(&registrations[i], new, old) == old) {
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN is_registered(ULONGLONG handle)
{
    return handle != 0 && replace((LONG64)handle, (LONG64)handle);
}

static NTSTATUS NTAPI shim_EtwRegister(const GUID *provider, void *callback, void *context, ULONGLONG *handle)
{
    (void)provider;
    (void)callback;
    (void)context;
    bed_irql_at_most(PASSIVE_LEVEL, "EtwRegister");
    *handle = (ULONGLONG)InterlockedIncrement64(&last_handle);
    if (!replace(0, (LONG64)*handle)) {
        return STATUS_NO_MEMORY;
    }
    BED_COUNT(BED_CALLER(), traces, 1);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_EtwUnregister(ULONGLONG handle)
{
    bed_irql_at_most(PASSIVE_LEVEL, "EtwUnregister");
    if (handle == 0 || !replace((LONG64)handle, 0)) {
        port_violation("etw: EtwUnregister of the handle %llu, which is none", handle);
        return STATUS_INVALID_HANDLE;
    }
    BED_COUNT(BED_CALLER(), traces, -1);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_EtwWrite(ULONGLONG handle, const EVENT_DESCRIPTOR *event, const GUID *activity, ULONG count,
                                    const EVENT_DATA_DESCRIPTOR *data)
{
    (void)activity;
    if (!is_registered(handle)) {
        port_violation("etw: EtwWrite of event %u outside of EtwRegister and EtwUnregister", event->Id);
        return STATUS_INVALID_HANDLE;
    }
    port_event_traced(event, count, data);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_EtwWriteTransfer(ULONGLONG handle, const EVENT_DESCRIPTOR *event, const GUID *activity,
                                            const GUID *related, ULONG count, const EVENT_DATA_DESCRIPTOR *data)
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
    return is_registered(handle) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

static void *NTAPI shim_IoAllocateErrorLogEntry(void *object, UCHAR size)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateErrorLogEntry");
    return port_event_log_allocate(object, size);
}

static void NTAPI shim_IoWriteErrorLogEntry(void *entry)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoWriteErrorLogEntry");
    port_event_log_write(entry);
}

const struct shim bed_etw_shims[] = {
    SHIM_MEND(EtwRegister),
    SHIM_MEND(EtwUnregister),
    SHIM_MEND(EtwWrite),
    SHIM_MEND(EtwWriteTransfer),
    SHIM_MEND(EtwEventEnabled),
    SHIM_MEND(EtwProviderEnabled),
    SHIM_MEND(EtwSetInformation),
    SHIM_MEND(IoAllocateErrorLogEntry),
    SHIM_MEND(IoWriteErrorLogEntry),
    SHIM_END,
};
