/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/registry.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/machine.h"
#include "bed/host/object.h"
#include "bed/host/text.h"
#include "bed/host/thread.h"
#include "bed/port/violation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUES      32
#define PATH_LENGTH 200
#define NAME_LENGTH 64

struct value {
    char key[PATH_LENGTH];
    char name[NAME_LENGTH]; /* empty: the place is free */
    ULONG type;
    ULONG length;
    UCHAR data[BED_VALUE_LENGTH_MAX];
};

struct key {
    char path[PATH_LENGTH];
    ACCESS_MASK access;
};

static struct bed_lock lock;
static struct value values[VALUES]; /* guarded by lock */

static struct value *find_locked(const char *key, const char *name)
{
    for (ULONG i = 0; i < VALUES; i++) {
        if (values[i].name[0] != '\0' && strcasecmp(values[i].key, key) == 0 && strcasecmp(values[i].name, name) == 0) {
            return &values[i];
        }
    }
    return NULL;
}

static struct value *free_locked(void)
{
    for (ULONG i = 0; i < VALUES; i++) {
        if (values[i].name[0] == '\0') {
            return &values[i];
        }
    }
    abort();
}

void bed_registry_set_value(const char *key, const char *name, ULONG type, const void *data, ULONG length)
{
    struct value *entry;

    if (length > BED_VALUE_LENGTH_MAX) {
        abort();
    }
    bed_lock(&lock);
    entry = find_locked(key, name);
    entry = entry != NULL ? entry : free_locked();
    snprintf(entry->key, sizeof(entry->key), "%s", key);
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->type = type;
    entry->length = length;
    memcpy(entry->data, data, length);
    bed_unlock(&lock);
}

void bed_registry_set(const char *key, const char *name, ULONG value)
{
    bed_registry_set_value(key, name, REG_DWORD, &value, sizeof(value));
}

BOOLEAN bed_registry_get_value(const char *key, const char *name, ULONG *type, void *data, ULONG *length)
{
    const struct value *value;

    bed_lock(&lock);
    value = find_locked(key, name);
    if (value != NULL) {
        *type = value->type;
        *length = value->length;
        memcpy(data, value->data, value->length);
    }
    bed_unlock(&lock);
    return value != NULL;
}

void bed_registry_clear(void)
{
    bed_lock(&lock);
    memset(values, 0, sizeof(values));
    bed_unlock(&lock);
}

/* ---- Keys ---- */

static BOOLEAN exists(const char *path)
{
    size_t length = strlen(path);
    BOOLEAN found = FALSE;

    bed_lock(&lock);
    for (ULONG i = 0; i < VALUES && !found; i++) {
        found = values[i].name[0] != '\0' && strncasecmp(values[i].key, path, length) == 0 &&
                (values[i].key[length] == '\0' || values[i].key[length] == '\\');
    }
    bed_unlock(&lock);
    return found;
}

static NTSTATUS open_key(PHANDLE handle, ACCESS_MASK access, const char *path, const void *caller)
{
    struct key *key = bed_object_create(BED_OBJECT_KEY, sizeof(*key), NULL, caller);

    if (key == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    snprintf(key->path, sizeof(key->path), "%.199s", path);
    key->access = access;
    *handle = bed_handle_create(key);
    bed_object_release(key);
    return *handle != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    const struct key *parent = bed_handle_object(ObjectAttributes->RootDirectory, BED_OBJECT_KEY);
    char name[PATH_LENGTH];
    char path[2 * PATH_LENGTH + 1];

    bed_irql_at_most(PASSIVE_LEVEL, "ZwOpenKey");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_REGISTRY)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    bed_text_narrow(ObjectAttributes->ObjectName, name, sizeof(name));
    snprintf(path, sizeof(path), "%s%s%s", parent != NULL ? parent->path : "", parent != NULL ? "\\" : "", name);
    if (!exists(path)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    return open_key(KeyHandle, DesiredAccess, path, __builtin_return_address(0));
}

/* Where the state is, is not documented; it is made when it is asked for. */
NTSTATUS IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType, ACCESS_MASK DesiredAccess,
                                 ULONG Flags, PHANDLE DriverRegKey)
{
    bed_irql_at_most(PASSIVE_LEVEL, "IoOpenDriverRegistryKey");
    if (bed_thread_self()->requests != 0) {
        port_violation("registry: IoOpenDriverRegistryKey on a thread that is not a system thread");
    }
    if (DriverObject == NULL || Flags != 0 || RegKeyType > DriverRegKeyPersistentState) {
        port_violation("registry: IoOpenDriverRegistryKey with driver object %p, type %u, flags %lu",
                       (const void *)DriverObject, RegKeyType, Flags);
        return STATUS_INVALID_PARAMETER;
    }
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_REGISTRY)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return open_key(DriverRegKey, DesiredAccess,
                    RegKeyType == DriverRegKeyParameters ? BED_PARAMETERS_KEY : BED_STATE_KEY,
                    __builtin_return_address(0));
}

/* ---- Values ---- */

/* The key behind a handle, if it may be used so and the call need not fail. */
static NTSTATUS use_key(HANDLE handle, ACCESS_MASK access, BOOLEAN by_driver, const struct key **key)
{
    *key = bed_handle_object(handle, BED_OBJECT_KEY);
    if (*key == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    if (((*key)->access & access) != access) {
        port_violation("registry: a key was opened with access %#lx, %#lx is needed", (*key)->access, access);
        return STATUS_ACCESS_DENIED;
    }
    return by_driver && bed_fault(BED_FAULT_REGISTRY) ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static NTSTATUS write_partial(const struct value *value, PKEY_VALUE_PARTIAL_INFORMATION information, ULONG length,
                              PULONG result_length)
{
    *result_length = (ULONG)FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + value->length;
    if (length < FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    information->TitleIndex = 0;
    information->Type = value->type;
    information->DataLength = value->length;
    if (length < *result_length) {
        return STATUS_BUFFER_OVERFLOW;
    }
    memcpy(information->Data, value->data, value->length);
    return STATUS_SUCCESS;
}

NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, KEY_VALUE_INFORMATION_CLASS InformationClass,
                         PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    const struct key *key;
    const struct value *value;
    char name[NAME_LENGTH];
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "ZwQueryValueKey");
    status = use_key(KeyHandle, KEY_QUERY_VALUE, BED_CALLED_BY_DRIVER(), &key);
    if (!NT_SUCCESS(status) || InformationClass != KeyValuePartialInformation) {
        return NT_SUCCESS(status) ? STATUS_INVALID_PARAMETER : status;
    }
    bed_text_narrow(ValueName, name, sizeof(name));
    bed_lock(&lock);
    value = find_locked(key->path, name);
    status =
        value != NULL ? write_partial(value, KeyValueInformation, Length, ResultLength) : STATUS_OBJECT_NAME_NOT_FOUND;
    bed_unlock(&lock);
    return status;
}

NTSTATUS ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type, PVOID Data,
                       ULONG DataSize)
{
    const struct key *key;
    char name[NAME_LENGTH];
    NTSTATUS status;

    UNREFERENCED_PARAMETER(TitleIndex);
    bed_irql_at_most(PASSIVE_LEVEL, "ZwSetValueKey");
    status = use_key(KeyHandle, KEY_SET_VALUE, BED_CALLED_BY_DRIVER(), &key);
    if (NT_SUCCESS(status)) {
        bed_text_narrow(ValueName, name, sizeof(name));
        bed_registry_set_value(key->path, name, Type, Data, DataSize);
    }
    return status;
}

NTSTATUS ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    const struct key *key;
    struct value *value;
    char name[NAME_LENGTH];
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "ZwDeleteValueKey");
    status = use_key(KeyHandle, KEY_SET_VALUE, BED_CALLED_BY_DRIVER(), &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    bed_text_narrow(ValueName, name, sizeof(name));
    bed_lock(&lock);
    value = find_locked(key->path, name);
    if (value != NULL) {
        value->name[0] = '\0';
    }
    bed_unlock(&lock);
    return value != NULL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}
