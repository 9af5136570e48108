/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine's search path, for the installer. It may be longer than an installer script can hold.
 * wnbd-path add|remove FOLDER: the path is written back with the type and the entries that it had.
 * wnbd-path hides FOLDER NAME: prints the file NAME of another folder that is found before that of FOLDER, if any is.
 * Exit code: a Win32 error.
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define PATH_KEY    L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define PATH_VALUE  L"Path"
#define ANNOUNCE_MS 2000

struct search_path {
    WCHAR *text; /* ours; entries with semicolons between them */
    DWORD type;  /* REG_SZ or REG_EXPAND_SZ */
};

/* ---- In the registry ---- */

/* Room for one more entry of `more` characters. A machine without the value has an empty path. */
static DWORD read_path(HKEY key, struct search_path *path, size_t more)
{
    DWORD size = 0;
    LSTATUS error = RegQueryValueExW(key, PATH_VALUE, NULL, &path->type, NULL, &size);

    if (error != ERROR_SUCCESS && error != ERROR_FILE_NOT_FOUND)
        return (DWORD)error;
    path->text = calloc(size / sizeof(WCHAR) + more + 3, sizeof(WCHAR)); /* a semicolon, an end that may be missing */
    if (!path->text)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (error == ERROR_FILE_NOT_FOUND) {
        path->type = REG_EXPAND_SZ;
        return ERROR_SUCCESS;
    }
    if (path->type != REG_SZ && path->type != REG_EXPAND_SZ)
        return ERROR_INVALID_DATA;
    return (DWORD)RegQueryValueExW(key, PATH_VALUE, NULL, NULL, (BYTE *)path->text, &size);
}

/* Programs that are started from now on have it: the shell is told. */
static void announce(void)
{
    SendMessageTimeoutW(HWND_BROADCAST, WM_SETTINGCHANGE, 0, (LPARAM)L"Environment", SMTO_ABORTIFHUNG, ANNOUNCE_MS,
                        NULL);
}

static DWORD write_path(HKEY key, const struct search_path *path)
{
    DWORD size = (DWORD)((wcslen(path->text) + 1) * sizeof(WCHAR));
    LSTATUS error = RegSetValueExW(key, PATH_VALUE, 0, path->type, (const BYTE *)path->text, size);

    if (error == ERROR_SUCCESS)
        announce();
    return (DWORD)error;
}

/* ---- The list ---- */

/* The entry that is `folder`, in any case of letters and with or without a backslash at its end. */
static WCHAR *find_entry(WCHAR *text, const WCHAR *folder)
{
    size_t length = wcslen(folder);

    for (WCHAR *entry = text; entry; entry = wcschr(entry, L';')) {
        entry += *entry == L';';
        if (_wcsnicmp(entry, folder, length) == 0) {
            const WCHAR *end = entry + length + (entry[length] == L'\\');

            if (*end == L';' || *end == 0)
                return entry;
        }
    }
    return NULL;
}

static void add_entry(WCHAR *text, const WCHAR *folder)
{
    size_t length = wcslen(text);

    if (length != 0 && text[length - 1] != L';')
        wcscat(text, L";");
    wcscat(text, folder);
}

/* With the semicolon behind it, or the one before it when it is the last. */
static void remove_entry(WCHAR *text, WCHAR *entry)
{
    WCHAR *end = wcschr(entry, L';');

    if (end)
        memmove(entry, end + 1, (wcslen(end + 1) + 1) * sizeof(WCHAR));
    else if (entry > text)
        entry[-1] = 0;
    else
        *entry = 0;
}

/* ---- The commands ---- */

static DWORD add_folder(HKEY key, struct search_path *path, WCHAR **words)
{
    if (find_entry(path->text, words[0]))
        return ERROR_SUCCESS;
    add_entry(path->text, words[0]);
    return write_path(key, path);
}

static DWORD remove_folder(HKEY key, struct search_path *path, WCHAR **words)
{
    WCHAR *entry = find_entry(path->text, words[0]);

    if (!entry)
        return ERROR_SUCCESS;
    remove_entry(path->text, entry);
    return write_path(key, path);
}

static DWORD expand(const WCHAR *text, WCHAR **expanded)
{
    DWORD length = ExpandEnvironmentStringsW(text, NULL, 0);

    *expanded = calloc(length + 1, sizeof(WCHAR));
    if (!*expanded)
        return ERROR_NOT_ENOUGH_MEMORY;
    return ExpandEnvironmentStringsW(text, *expanded, length + 1) ? ERROR_SUCCESS : GetLastError();
}

static void print(const WCHAR *text)
{
    char said[2 * MAX_PATH]; /* in the code page that the installer reads */

    if (WideCharToMultiByte(CP_ACP, 0, text, -1, said, sizeof(said), NULL, NULL))
        puts(said);
}

static DWORD print_what_hides(HKEY key, struct search_path *path, WCHAR **words)
{
    WCHAR found[MAX_PATH];
    WCHAR *folders, *own;
    DWORD length = 0;
    DWORD error = expand(path->text, &folders);

    (void)key;
    if (error != ERROR_SUCCESS)
        return error;
    own = find_entry(folders, words[0]);
    if (own)
        *own = 0;
    if (*folders)
        length = SearchPathW(folders, words[1], NULL, ARRAYSIZE(found), found, NULL);
    if (length > 0 && length < ARRAYSIZE(found))
        print(found);
    free(folders);
    return ERROR_SUCCESS;
}

static const struct command {
    const WCHAR *name;
    int words;
    DWORD (*act)(HKEY key, struct search_path *path, WCHAR **words);
} commands[] = {{L"add", 1, add_folder}, {L"remove", 1, remove_folder}, {L"hides", 2, print_what_hides}};

static DWORD carry_out(const struct command *command, WCHAR **words)
{
    struct search_path path = {0};
    HKEY key;
    DWORD error = (DWORD)RegOpenKeyExW(HKEY_LOCAL_MACHINE, PATH_KEY, 0, KEY_QUERY_VALUE | KEY_SET_VALUE, &key);

    if (error != ERROR_SUCCESS)
        return error;
    error = read_path(key, &path, wcslen(words[0]));
    if (error == ERROR_SUCCESS)
        error = command->act(key, &path, words);
    free(path.text);
    RegCloseKey(key);
    return error;
}

int wmain(int count, WCHAR **words)
{
    for (size_t i = 0; i < ARRAYSIZE(commands); i++) {
        const struct command *command = &commands[i];

        if (count == 2 + command->words && wcscmp(words[1], command->name) == 0 && *words[2] && !wcschr(words[2], L';'))
            return (int)carry_out(command, words + 2);
    }
    return ERROR_INVALID_PARAMETER;
}
