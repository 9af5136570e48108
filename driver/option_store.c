/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/option_store.h"

#include "driver/log.h"

static PDRIVER_OBJECT driver_object; /* fixed after option_store_init */

void option_store_init(PDRIVER_OBJECT driver)
{
    driver_object = driver;
}

NTSTATUS option_store_open(DRIVER_REGKEY_TYPE type, ACCESS_MASK access, HANDLE *key)
{
    return IoOpenDriverRegistryKey(driver_object, type, access, 0, key);
}

/* A value's name for the registry. */
struct name {
    WCHAR text[OPTION_NAME_SIZE];
    UNICODE_STRING string;
};

static PUNICODE_STRING name_of(const struct option *option, struct name *name)
{
    option_write_name(option, name->text);
    RtlInitUnicodeString(&name->string, name->text);
    return &name->string;
}

/* What was read as a number. */
static bool is_number(const KEY_VALUE_PARTIAL_INFORMATION *information, LONG64 *value)
{
    ULONG narrow;

    if (information->Type == REG_QWORD && information->DataLength == sizeof *value) {
        RtlCopyMemory(value, information->Data, sizeof *value);
        return true;
    }
    if (information->Type == REG_DWORD && information->DataLength == sizeof narrow) {
        RtlCopyMemory(&narrow, information->Data, sizeof narrow);
        *value = narrow;
        return true;
    }
    return false;
}

NTSTATUS option_store_read(HANDLE key, const struct option *option, LONG64 *value)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION information;
        UCHAR bytes[FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(LONG64)];
    } buffer;
    struct name name;
    ULONG length = 0;
    NTSTATUS status =
        ZwQueryValueKey(key, name_of(option, &name), KeyValuePartialInformation, &buffer, sizeof buffer, &length);

    if (NT_SUCCESS(status) && is_number(&buffer.information, value)) {
        return status;
    }
    if (NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW) { /* of another type, or longer than a number */
        log_adapter(OPTION_TYPE, option->name);
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    return status;
}

NTSTATUS option_store_write(HANDLE key, const struct option *option, LONG64 value)
{
    struct name name;

    return ZwSetValueKey(key, name_of(option, &name), 0, REG_QWORD, &value, sizeof value);
}

NTSTATUS option_store_delete(HANDLE key, const struct option *option)
{
    struct name name;

    return ZwDeleteValueKey(key, name_of(option, &name));
}
