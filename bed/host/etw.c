/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event tracing and the error log: what drivers write is recorded by bed/port/events.h. */
#include "bed/host/etw.h"

#include "bed/host/fault.h"
#include "bed/host/irql.h"
#include "bed/port/events.h"
#include "bed/port/violation.h"

#define REGISTRATIONS 8

/* A handle is never used again, so that a late user of an old one is found. */
static ULONGLONG registrations[REGISTRATIONS]; /* atomic: handles; 0: free */
static ULONGLONG last_handle;                  /* atomic */

static ULONGLONG *find(ULONGLONG handle)
{
    for (unsigned i = 0; i < REGISTRATIONS; i++) {
        if (__atomic_load_n(&registrations[i], __ATOMIC_ACQUIRE) == handle) {
            return &registrations[i];
        }
    }
    return NULL;
}

NTSTATUS EtwRegister(const GUID *ProviderId, PETWENABLECALLBACK EnableCallback, PVOID CallbackContext,
                     PREGHANDLE RegHandle)
{
    ULONGLONG *place = find(0);

    UNREFERENCED_PARAMETER(ProviderId);
    UNREFERENCED_PARAMETER(EnableCallback);
    UNREFERENCED_PARAMETER(CallbackContext);
    bed_irql_at_most(PASSIVE_LEVEL, "EtwRegister");
    if (place == NULL || bed_fault(BED_FAULT_EVENT)) {
        return STATUS_NO_MEMORY;
    }
    *RegHandle = __atomic_add_fetch(&last_handle, 1, __ATOMIC_RELAXED);
    __atomic_store_n(place, *RegHandle, __ATOMIC_RELEASE);
    return STATUS_SUCCESS;
}

NTSTATUS EtwUnregister(REGHANDLE RegHandle)
{
    ULONGLONG *place = RegHandle != 0 ? find(RegHandle) : NULL;

    bed_irql_at_most(PASSIVE_LEVEL, "EtwUnregister");
    if (place == NULL) {
        port_violation("etw: EtwUnregister of the handle %llu, which is none", RegHandle);
        return STATUS_INVALID_HANDLE;
    }
    __atomic_store_n(place, 0, __ATOMIC_RELEASE);
    return STATUS_SUCCESS;
}

NTSTATUS EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, const GUID *ActivityId, ULONG UserDataCount,
                  PEVENT_DATA_DESCRIPTOR UserData)
{
    UNREFERENCED_PARAMETER(ActivityId);
    if (RegHandle == 0 || find(RegHandle) == NULL) {
        port_violation("etw: EtwWrite of event %u outside of EtwRegister and EtwUnregister", EventDescriptor->Id);
        return STATUS_INVALID_HANDLE;
    }
    port_event_traced(EventDescriptor, UserDataCount, UserData);
    return STATUS_SUCCESS;
}

void bed_traces_check(void)
{
    for (unsigned i = 0; i < REGISTRATIONS; i++) {
        if (__atomic_exchange_n(&registrations[i], 0, __ATOMIC_ACQ_REL) != 0) {
            port_violation("etw-leak: a registration was left");
        }
    }
    port_event_log_check();
}

PVOID IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateErrorLogEntry");
    return bed_fault(BED_FAULT_EVENT) ? NULL : port_event_log_allocate(IoObject, EntrySize);
}

VOID IoWriteErrorLogEntry(PVOID ElEntry)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoWriteErrorLogEntry");
    port_event_log_write(ElEntry);
}
