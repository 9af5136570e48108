/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/options.h"

#include "driver/log.h"

#include <stdbool.h>

static HANDLE open_key(HANDLE parent, UNICODE_STRING path)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE key = NULL;

    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, parent, NULL);
    return NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes)) ? key : NULL;
}

static bool read_dword(HANDLE key, const WCHAR *name, ULONG *value)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION information;
        UCHAR bytes[FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG)];
    } buffer;
    UNICODE_STRING string;
    ULONG length = 0;

    RtlInitUnicodeString(&string, name);
    if (!NT_SUCCESS(ZwQueryValueKey(key, &string, KeyValuePartialInformation, &buffer, sizeof buffer, &length)) ||
        buffer.information.Type != REG_DWORD || buffer.information.DataLength != sizeof(ULONG)) {
        return false;
    }
    RtlCopyMemory(value, buffer.information.Data, sizeof(ULONG));
    return true;
}

/* Leaves `*option` as it is when the value is missing or out of range. `label` is the name for the log. */
static void read_timeout(HANDLE key, const WCHAR *name, const char *label, ULONG minimum, ULONG *option)
{
    ULONG value;

    if (!read_dword(key, name, &value)) {
        return;
    }
    if (value < minimum || value > OPTIONS_TIMEOUT_MS_MAX) {
        log_print(LOG_WARNING, "%s %lu is not within %lu and %u; %lu holds", label, value, minimum,
                  OPTIONS_TIMEOUT_MS_MAX, *option);
        return;
    }
    *option = value;
}

static void read_parameters(HANDLE key, struct options *options)
{
    read_timeout(key, L"ConnectTimeoutMs", "ConnectTimeoutMs", 1, &options->connect_timeout_ms);
    read_timeout(key, L"ReconnectTimeoutMs", "ReconnectTimeoutMs", 0, &options->reconnect_timeout_ms);
}

void options_read(const UNICODE_STRING *registry_path, struct options *options)
{
    HANDLE service = open_key(NULL, *registry_path);
    UNICODE_STRING name;
    HANDLE key;

    options->connect_timeout_ms = OPTIONS_CONNECT_TIMEOUT_MS_DEFAULT;
    options->reconnect_timeout_ms = OPTIONS_RECONNECT_TIMEOUT_MS_DEFAULT;
    if (service == NULL) {
        return;
    }
    RtlInitUnicodeString(&name, L"Parameters");
    key = open_key(service, name);
    if (key != NULL) {
        read_parameters(key, options);
        ZwClose(key);
    }
    ZwClose(service);
}
