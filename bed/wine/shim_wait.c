/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Routines that wait, or touch what is pageable, and therefore have a highest IRQL; Wine serves them at any. */
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

/* Not waiting (a time-out of zero) is allowed at DISPATCH_LEVEL. */
static void check_wait(const LARGE_INTEGER *timeout, const char *routine)
{
    bed_irql_at_most(timeout != NULL && timeout->QuadPart == 0 ? DISPATCH_LEVEL : APC_LEVEL, routine);
}

static NTSTATUS NTAPI shim_KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode,
                                                 BOOLEAN alertable, PLARGE_INTEGER timeout)
{
    check_wait(timeout, "KeWaitForSingleObject");
    return KeWaitForSingleObject(object, reason, mode, alertable, timeout);
}

static NTSTATUS NTAPI shim_KeWaitForMultipleObjects(ULONG count, PVOID objects[], WAIT_TYPE type, KWAIT_REASON reason,
                                                    KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER timeout,
                                                    PKWAIT_BLOCK blocks)
{
    check_wait(timeout, "KeWaitForMultipleObjects");
    if (blocks == NULL && count > THREAD_WAIT_OBJECTS) {
        port_violation("wait: %u objects without wait blocks", (unsigned)count);
    }
    return KeWaitForMultipleObjects(count, objects, type, reason, mode, alertable, timeout, blocks);
}

static NTSTATUS NTAPI shim_KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER interval)
{
    bed_irql_at_most(APC_LEVEL, "KeDelayExecutionThread");
    return KeDelayExecutionThread(mode, alertable, interval);
}

static VOID NTAPI shim_ExAcquireFastMutex(PFAST_MUTEX mutex)
{
    bed_irql_at_most(APC_LEVEL, "ExAcquireFastMutex");
    ExAcquireFastMutex(mutex);
}

static NTSTATUS NTAPI shim_ZwOpenKey(PHANDLE key, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes)
{
    bed_irql_at_most(PASSIVE_LEVEL, "ZwOpenKey");
    return ZwOpenKey(key, access, attributes);
}

static NTSTATUS NTAPI shim_ZwQueryValueKey(HANDLE key, PUNICODE_STRING name, KEY_VALUE_INFORMATION_CLASS class,
                                           PVOID data, ULONG length, PULONG needed)
{
    bed_irql_at_most(PASSIVE_LEVEL, "ZwQueryValueKey");
    return ZwQueryValueKey(key, name, class, data, length, needed);
}

static NTSTATUS NTAPI shim_IoRegisterDeviceInterface(PDEVICE_OBJECT device, const GUID *class,
                                                     PUNICODE_STRING reference, PUNICODE_STRING link)
{
    bed_irql_at_most(PASSIVE_LEVEL, "IoRegisterDeviceInterface");
    return IoRegisterDeviceInterface(device, class, reference, link);
}

static NTSTATUS NTAPI shim_IoSetDeviceInterfaceState(PUNICODE_STRING link, BOOLEAN enable)
{
    bed_irql_at_most(PASSIVE_LEVEL, "IoSetDeviceInterfaceState");
    return IoSetDeviceInterfaceState(link, enable);
}

const struct shim bed_wait_shims[] = {
    SHIM_CHECK(KeWaitForSingleObject),
    SHIM_CHECK(KeWaitForMultipleObjects),
    SHIM_CHECK(KeDelayExecutionThread),
    SHIM_CHECK(ExAcquireFastMutex),
    SHIM_CHECK(ZwOpenKey),
    SHIM_CHECK(ZwQueryValueKey),
    SHIM_CHECK(IoRegisterDeviceInterface),
    SHIM_CHECK(IoSetDeviceInterfaceState),
    SHIM_END,
};
