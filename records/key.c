/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "records/key.h"

#include <string.h>
#include <wchar.h>

static const char hidden[] = "\\%"; /* what stands escaped in a key's name */
static const char *const escapes[] = {"%5C", "%25"};

#define ESCAPE_LENGTH 3

DWORD key_open_root(REGSAM access, HKEY *root)
{
    return (DWORD)RegOpenKeyExW(HKEY_LOCAL_MACHINE, RECORDS_KEY, 0, access | KEY_WOW64_64KEY, root);
}

DWORD key_create_root(HKEY *root)
{
    return (DWORD)RegCreateKeyExW(HKEY_LOCAL_MACHINE, RECORDS_KEY, 0, NULL, 0, KEY_READ | KEY_WRITE | KEY_WOW64_64KEY,
                                  NULL, root, NULL);
}

/* In place: a name is never longer than its key. Only the escapes that key_for makes mean something. */
static void unescape(char *text)
{
    char *to = text;

    while (*text) {
        char found = 0;

        for (size_t i = 0; i < ARRAYSIZE(escapes); i++)
            found = strncmp(text, escapes[i], ESCAPE_LENGTH) == 0 ? hidden[i] : found;
        *to++ = found ? found : *text;
        text += found ? ESCAPE_LENGTH : 1;
    }
    *to = '\0';
}

static void escape(const char *name, char *text)
{
    for (; *name; name++) {
        const char *found = strchr(hidden, *name);

        if (found)
            memcpy(text, escapes[found - hidden], ESCAPE_LENGTH);
        else
            *text = *name;
        text += found ? ESCAPE_LENGTH : 1;
    }
    *text = '\0';
}

DWORD key_enumerate(HKEY root, DWORD index, WCHAR key[KEY_NAME_LENGTH], char name[RECORD_NAME_SIZE])
{
    DWORD length = KEY_NAME_LENGTH;
    DWORD error = (DWORD)RegEnumKeyExW(root, index, key, &length, NULL, NULL, NULL, NULL);

    if (error != ERROR_SUCCESS)
        return error;
    if (!WideCharToMultiByte(CP_UTF8, 0, key, -1, name, RECORD_NAME_SIZE, NULL, NULL))
        return GetLastError();
    unescape(name);
    return ERROR_SUCCESS;
}

DWORD key_find(HKEY root, const char *name, WCHAR key[KEY_NAME_LENGTH])
{
    char found[RECORD_NAME_SIZE];
    DWORD error = ERROR_SUCCESS;

    for (DWORD i = 0; error == ERROR_SUCCESS; i++) {
        error = key_enumerate(root, i, key, found);
        if (error == ERROR_SUCCESS && strcmp(found, name) == 0)
            return ERROR_SUCCESS;
    }
    return error == ERROR_NO_MORE_ITEMS ? ERROR_FILE_NOT_FOUND : error;
}

/* The registry would take the two for the same. */
static DWORD check_no_twin(HKEY root, const WCHAR *key, const char *name)
{
    WCHAR other_key[KEY_NAME_LENGTH];
    char other[RECORD_NAME_SIZE];

    for (DWORD i = 0; key_enumerate(root, i, other_key, other) == ERROR_SUCCESS; i++) {
        if (CompareStringOrdinal(key, -1, other_key, -1, TRUE) == CSTR_EQUAL && strcmp(name, other) != 0)
            return ERROR_ALREADY_EXISTS;
    }
    return ERROR_SUCCESS;
}

DWORD key_for(HKEY root, const char *name, WCHAR key[KEY_NAME_LENGTH])
{
    char text[WNBD_MAX_NAME_LENGTH * ESCAPE_LENGTH];

    if (strlen(name) >= WNBD_MAX_NAME_LENGTH)
        return ERROR_FILENAME_EXCED_RANGE;
    escape(name, text);
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, key, KEY_NAME_LENGTH))
        return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ERROR_FILENAME_EXCED_RANGE : GetLastError();
    return check_no_twin(root, key, name);
}
