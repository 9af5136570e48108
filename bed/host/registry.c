/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/registry.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/object.h"
#include "bed/host/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUES      32
#define PATH_LENGTH 200

struct value {
    char key[PATH_LENGTH];
    char name[64];
    ULONG value;
};

struct key {
    char path[PATH_LENGTH];
};

/* Written by the test before a driver is loaded. */
static struct value values[VALUES];
static ULONG value_count;

void bed_registry_set(const char *key, const char *name, ULONG value)
{
    struct value *entry = NULL;

    for (ULONG i = 0; i < value_count; i++) {
        if (strcasecmp(values[i].key, key) == 0 && strcasecmp(values[i].name, name) == 0) {
            entry = &values[i];
        }
    }
    if (entry == NULL) {
        entry = &values[value_count++ % VALUES];
    }
    snprintf(entry->key, sizeof(entry->key), "%s", key);
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->value = value;
}

void bed_registry_clear(void)
{
    value_count = 0;
}

/* A key exists when it or one below it has a value. */
static BOOLEAN exists(const char *path)
{
    size_t length = strlen(path);

    for (ULONG i = 0; i < value_count; i++) {
        if (strncasecmp(values[i].key, path, length) == 0 &&
            (values[i].key[length] == '\0' || values[i].key[length] == '\\')) {
            return TRUE;
        }
    }
    return FALSE;
}

NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    const struct key *parent = bed_handle_object(ObjectAttributes->RootDirectory, BED_OBJECT_KEY);
    char name[PATH_LENGTH];
    char path[2 * PATH_LENGTH + 1];
    struct key *key;

    UNREFERENCED_PARAMETER(DesiredAccess);
    bed_irql_at_most(PASSIVE_LEVEL, "ZwOpenKey");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_REGISTRY)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    bed_text_narrow(ObjectAttributes->ObjectName, name, sizeof(name));
    snprintf(path, sizeof(path), "%s%s%s", parent != NULL ? parent->path : "", parent != NULL ? "\\" : "", name);
    if (!exists(path)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    key = bed_object_create(BED_OBJECT_KEY, sizeof(*key), NULL, __builtin_return_address(0));
    if (key == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    snprintf(key->path, sizeof(key->path), "%.199s", path);
    *KeyHandle = bed_handle_create(key);
    bed_object_release(key);
    return *KeyHandle != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static const struct value *find(const struct key *key, const UNICODE_STRING *name)
{
    char text[64];

    bed_text_narrow(name, text, sizeof(text));
    for (ULONG i = 0; i < value_count; i++) {
        if (strcasecmp(values[i].key, key->path) == 0 && strcasecmp(values[i].name, text) == 0) {
            return &values[i];
        }
    }
    return NULL;
}

NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, KEY_VALUE_INFORMATION_CLASS InformationClass,
                         PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    const struct key *key = bed_handle_object(KeyHandle, BED_OBJECT_KEY);
    PKEY_VALUE_PARTIAL_INFORMATION information = KeyValueInformation;
    const struct value *value;

    bed_irql_at_most(PASSIVE_LEVEL, "ZwQueryValueKey");
    if (key == NULL || InformationClass != KeyValuePartialInformation) {
        return STATUS_INVALID_HANDLE;
    }
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_REGISTRY)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    value = find(key, ValueName);
    if (value == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *ResultLength = (ULONG)FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG);
    if (Length < *ResultLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    information->TitleIndex = 0;
    information->Type = REG_DWORD;
    information->DataLength = sizeof(ULONG);
    memcpy(information->Data, &value->value, sizeof(ULONG));
    return STATUS_SUCCESS;
}
