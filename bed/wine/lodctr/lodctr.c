/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lodctr.exe and unlodctr.exe, which do nothing in Wine: what is documented of them for manifests, in one program that
 * goes by its name.
 *
 *   lodctr /m:MANIFEST [FOLDER]   records the provider of the manifest, and where the image with its strings lies: in
 *                                 FOLDER, or beside the manifest
 *   unlodctr /g:{GUID}            forgets it
 *
 * More than Windows' lodctr.exe it sees to it that the image has the strings, which consumers would look for later.
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define PROVIDERS   L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Perflib\\_V2Providers\\"
#define VALUE_BYTES 256

static char manifest[64 * 1024];

static int fail(const char *what)
{
    printf("%s (error %lu)\n", what, GetLastError());
    return 1;
}

static BOOL read_manifest(const wchar_t *path)
{
    FILE *file = _wfopen(path, L"rb");

    if (!file) {
        return FALSE;
    }
    manifest[fread(manifest, 1, sizeof(manifest) - 1, file)] = 0;
    fclose(file);
    return TRUE;
}

/* The value of the first attribute of that name from `at` on; what follows it, NULL: there is none. */
static const char *attribute(const char *at, const char *name, char value[VALUE_BYTES])
{
    char begin[64];
    const char *end;

    snprintf(begin, sizeof(begin), " %s=\"", name);
    at = strstr(at, begin);
    end = at ? strchr(at + strlen(begin), '"') : NULL;
    if (!end || (size_t)(end - at) >= VALUE_BYTES) {
        return NULL;
    }
    snprintf(value, VALUE_BYTES, "%.*s", (int)(end - at - (ptrdiff_t)strlen(begin)), at + strlen(begin));
    return end;
}

/* ---- The strings ---- */

static BOOL has_string(HMODULE image, const char *number, const char *text)
{
    wchar_t loaded[VALUE_BYTES];
    char narrow[VALUE_BYTES * 3];

    if (LoadStringW(image, (UINT)atoi(number), loaded, VALUE_BYTES) == 0) {
        return FALSE;
    }
    WideCharToMultiByte(CP_UTF8, 0, loaded, -1, narrow, sizeof(narrow), NULL, NULL);
    return strcmp(narrow, text) == 0;
}

/* Each text of the manifest is followed by its number. */
static BOOL has_all(HMODULE image, const char *text_name, const char *number_name)
{
    char text[VALUE_BYTES];
    char number[VALUE_BYTES];
    const char *at = manifest;
    unsigned count = 0;

    while ((at = attribute(at, text_name, text)) != NULL) {
        const char *numbered = attribute(at, number_name, number);

        if (numbered && strchr(at, '>') > numbered) { /* of the same element */
            if (!has_string(image, number, text)) {
                printf("string %s is not '%s'\n", number, text);
                return FALSE;
            }
            count++;
        }
    }
    return count != 0;
}

static BOOL has_strings(const wchar_t *path)
{
    HMODULE image = LoadLibraryExW(path, NULL, LOAD_LIBRARY_AS_DATAFILE);
    BOOL has = image && has_all(image, "name", "nameID") && has_all(image, "description", "descriptionID");

    if (image) {
        FreeLibrary(image);
    }
    return has;
}

/* ---- The registry ---- */

static void provider_key(const char *guid, wchar_t path[MAX_PATH])
{
    _snwprintf(path, MAX_PATH - 1, PROVIDERS L"%hs", guid);
    path[MAX_PATH - 1] = 0;
}

static int record(const char *guid, const wchar_t *image)
{
    wchar_t path[MAX_PATH];
    DWORD made;
    HKEY key;

    provider_key(guid, path);
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_WRITE, NULL, &key, &made) != ERROR_SUCCESS) {
        return fail("the registry cannot be written");
    }
    if (made != REG_CREATED_NEW_KEY) {
        RegCloseKey(key);
        return fail("the provider is registered already");
    }
    RegSetValueExW(key, L"ApplicationIdentity", 0, REG_SZ, (const BYTE *)image,
                   (DWORD)((wcslen(image) + 1) * sizeof(wchar_t)));
    RegCloseKey(key);
    return 0;
}

static int load(const wchar_t *path, const wchar_t *folder)
{
    wchar_t beside[MAX_PATH];
    wchar_t image[MAX_PATH * 2];
    char guid[VALUE_BYTES];
    char identity[VALUE_BYTES];

    if (!read_manifest(path) || !attribute(manifest, "providerGuid", guid) ||
        !attribute(manifest, "applicationIdentity", identity)) {
        return fail("there is no such manifest");
    }
    _snwprintf(beside, MAX_PATH - 1, L"%ls", path);
    *wcsrchr(beside, '\\') = 0;
    _snwprintf(image, MAX_PATH * 2 - 1, L"%ls\\%hs", folder ? folder : beside, identity);
    return has_strings(image) ? record(guid, image) : fail("the image has not the strings");
}

static int unload(const char *guid)
{
    wchar_t path[MAX_PATH];

    provider_key(guid, path);
    return RegDeleteKeyW(HKEY_LOCAL_MACHINE, path) == ERROR_SUCCESS ? 0 : fail("the provider is not registered");
}

int wmain(int argc, wchar_t **argv)
{
    char guid[VALUE_BYTES] = {0};

    if (argc == 2 && wcsstr(argv[0], L"unlodctr") && wcsncmp(argv[1], L"/g:", 3) == 0) {
        WideCharToMultiByte(CP_UTF8, 0, argv[1] + 3, -1, guid, sizeof(guid), NULL, NULL);
        return unload(guid);
    }
    if ((argc == 2 || argc == 3) && !wcsstr(argv[0], L"unlodctr") && wcsncmp(argv[1], L"/m:", 3) == 0) {
        return load(argv[1] + 3, argc == 3 ? argv[2] : NULL);
    }
    printf("lodctr: unknown arguments\n");
    return 2;
}
