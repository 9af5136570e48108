/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "records/fields.h"
#include "records/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- All of them ---- */

static DWORD append(struct record_names *names, const char *name)
{
    void *more = realloc(names->names, (names->count + 1) * sizeof(*names->names));

    if (!more)
        return ERROR_NOT_ENOUGH_MEMORY;
    names->names = more;
    snprintf(names->names[names->count++], RECORD_NAME_SIZE, "%s", name);
    return ERROR_SUCCESS;
}

static DWORD read_names(HKEY root, struct record_names *names)
{
    WCHAR key[KEY_NAME_LENGTH];
    char name[RECORD_NAME_SIZE];
    DWORD error = ERROR_SUCCESS;

    for (DWORD i = 0; error == ERROR_SUCCESS; i++) {
        error = key_enumerate(root, i, key, name);
        if (error == ERROR_SUCCESS)
            error = append(names, name);
    }
    return error == ERROR_NO_MORE_ITEMS ? ERROR_SUCCESS : error;
}

DWORD record_names_read(struct record_names *names)
{
    HKEY root;
    DWORD error = key_open_root(KEY_READ, &root);

    memset(names, 0, sizeof(*names));
    if (error != ERROR_SUCCESS)
        return error == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : error;
    error = read_names(root, names);
    RegCloseKey(root);
    return error;
}

void record_names_free(struct record_names *names)
{
    free(names->names);
    memset(names, 0, sizeof(*names));
}

/* ---- One of them ---- */

static DWORD open_record(const char *name, HKEY *record)
{
    WCHAR key[KEY_NAME_LENGTH];
    HKEY root;
    DWORD error = key_open_root(KEY_READ, &root);

    if (error != ERROR_SUCCESS)
        return error;
    error = key_find(root, name, key);
    if (error == ERROR_SUCCESS)
        error = (DWORD)RegOpenKeyExW(root, key, 0, KEY_READ | KEY_WOW64_64KEY, record);
    RegCloseKey(root);
    return error;
}

bool record_exists(const char *name)
{
    HKEY record;

    if (open_record(name, &record) != ERROR_SUCCESS)
        return false;
    RegCloseKey(record);
    return true;
}

DWORD record_read(const char *name, WNBD_PROPERTIES *properties, char problem[RECORD_PROBLEM_SIZE])
{
    struct fields fields;
    HKEY record;
    DWORD error = open_record(name, &record);

    if (error != ERROR_SUCCESS)
        return error;
    error = fields_read(&fields, record, problem);
    RegCloseKey(record);
    if (error != ERROR_SUCCESS)
        return error;
    memset(properties, 0, sizeof(*properties));
    if (strlen(name) >= sizeof(properties->InstanceName)) {
        snprintf(problem, RECORD_PROBLEM_SIZE, "its name has more than %d bytes", WNBD_MAX_NAME_LENGTH - 1);
        return ERROR_INVALID_DATA;
    }
    snprintf(properties->InstanceName, sizeof(properties->InstanceName), "%s", name);
    fields_give(&fields, properties);
    return ERROR_SUCCESS;
}

/* What a former record had, or its writer did not finish, is not mixed with the new one. */
static DWORD write_anew(HKEY root, const WCHAR *key, const struct fields *fields)
{
    HKEY record;
    DWORD error = (DWORD)RegDeleteTreeW(root, key);

    if (error != ERROR_SUCCESS && error != ERROR_FILE_NOT_FOUND)
        return error;
    error = (DWORD)RegCreateKeyExW(root, key, 0, NULL, 0, KEY_WRITE | KEY_WOW64_64KEY, NULL, &record, NULL);
    if (error != ERROR_SUCCESS)
        return error;
    error = fields_write(fields, record);
    RegCloseKey(record);
    if (error != ERROR_SUCCESS)
        RegDeleteTreeW(root, key);
    return error;
}

DWORD record_write(const WNBD_PROPERTIES *properties)
{
    WCHAR key[KEY_NAME_LENGTH];
    struct fields fields;
    HKEY root;
    DWORD error = key_create_root(&root);

    if (error != ERROR_SUCCESS)
        return error;
    fields_take(&fields, properties);
    error = key_for(root, properties->InstanceName, key);
    if (error == ERROR_SUCCESS)
        error = write_anew(root, key, &fields);
    RegCloseKey(root);
    return error;
}

DWORD record_delete(const char *name)
{
    WCHAR key[KEY_NAME_LENGTH];
    HKEY root;
    DWORD error = key_open_root(KEY_READ | KEY_WRITE, &root);

    if (error != ERROR_SUCCESS)
        return error;
    error = key_find(root, name, key);
    if (error == ERROR_SUCCESS)
        error = (DWORD)RegDeleteTreeW(root, key);
    RegCloseKey(root);
    return error;
}
