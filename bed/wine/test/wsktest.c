/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A driver that tries the bed's stand-ins for the kernel and for Winsock Kernel. It needs nothing of Storport but
 * imports it, so that storport.sys is loaded and mends its imports before DriverEntry runs. Its parameter Mode says
 * what to do.
 */
#include "bed/wine/test/check.h"

enum mode { MODE_TEST = 0, MODE_WRONG = 1, MODE_FAULT = 2, MODE_STUB = 3, MODE_HANG = 4 };

LONG check_failures;

static ULONG read_parameter(PUNICODE_STRING service_key, const WCHAR *name)
{
    UNICODE_STRING path = {0, 512, ExAllocatePoolWithTag(PagedPool, 512, 'tseT')};
    UNICODE_STRING value_name;
    OBJECT_ATTRIBUTES attributes;
    struct {
        KEY_VALUE_PARTIAL_INFORMATION information;
        ULONG more;
    } value = {0};
    ULONG length;
    HANDLE key;

    RtlCopyUnicodeString(&path, service_key);
    RtlAppendUnicodeToString(&path, L"\\Parameters");
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
        RtlInitUnicodeString(&value_name, (PWSTR)(ULONG_PTR)name);
        ZwQueryValueKey(key, &value_name, KeyValuePartialInformation, &value, sizeof(value), &length);
        ZwClose(key);
    }
    ExFreePoolWithTag(path.Buffer, 'tseT');
    return *(ULONG *)value.information.Data;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    (void)driver;
}

static void hang(void)
{
    LARGE_INTEGER minutes = {.QuadPart = -10 * 60 * 10000000LL};

    KeDelayExecutionThread(KernelMode, FALSE, &minutes);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING service_key)
{
    ULONG port4 = read_parameter(service_key, L"Port4");

    driver->DriverUnload = unload;
    switch ((enum mode)read_parameter(service_key, L"Mode")) {
    case MODE_TEST:
        test_shims();
        test_sockets(port4, read_parameter(service_key, L"Port6"), read_parameter(service_key, L"PortFull"));
        break;
    case MODE_WRONG:
        wrong_shims();
        wrong_sockets(port4);
        break;
    case MODE_FAULT:
        *(volatile LONG *)(ULONG_PTR)port4 = 1;
        break;
    case MODE_STUB:
        IoGetDmaAdapter(NULL, NULL, NULL);
        break;
    case MODE_HANG:
        hang();
        break;
    }
    /* Never called: the import is what matters. */
    if (driver == NULL) {
        StorPortInitialize(driver, service_key, NULL, NULL);
    }
    DbgPrint("wsktest: %d failures\n", (int)check_failures);
    return check_failures == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
