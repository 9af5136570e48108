/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of a driver, which Wine's ntoskrnl does not export. Where Windows keeps a driver's state is not documented;
 * here it is the key State of its service, made when it is first asked for.
 */
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"

#define PATH_LENGTH 260

static const WCHAR services[] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";

/* The service has the name of the driver object, \Driver\name. */
static bool service_name(PDRIVER_OBJECT driver, WCHAR *name, size_t room)
{
    const UNICODE_STRING *full = &driver->DriverName;
    size_t length = full->Length / sizeof(WCHAR);
    size_t first = length;

    while (first > 0 && full->Buffer[first - 1] != '\\') {
        first--;
    }
    if (first == length || length - first >= room) {
        return false;
    }
    memcpy(name, full->Buffer + first, (length - first) * sizeof(WCHAR));
    name[length - first] = 0;
    return true;
}

static NTSTATUS NTAPI shim_IoOpenDriverRegistryKey(PDRIVER_OBJECT driver, DRIVER_REGKEY_TYPE type, ACCESS_MASK access,
                                                   ULONG flags, PHANDLE key)
{
    WCHAR path[PATH_LENGTH];
    WCHAR name[PATH_LENGTH / 2];
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes;

    bed_irql_at_most(PASSIVE_LEVEL, "IoOpenDriverRegistryKey");
    if (flags != 0 || !service_name(driver, name, ARRAYSIZE(name))) {
        return STATUS_INVALID_PARAMETER;
    }
    wcscpy(path, services);
    wcscat(path, name);
    wcscat(path, type == DriverRegKeyParameters ? L"\\Parameters" : L"\\State");
    RtlInitUnicodeString(&string, path);
    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateKey(key, access, &attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL);
}

const struct shim bed_registry_shims[] = {
    SHIM_MEND(IoOpenDriverRegistryKey),
    SHIM_END,
};
