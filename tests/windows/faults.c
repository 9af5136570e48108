/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions of Windows that fail as they are told, for the library alone: its import table leads here. What a machine
 * that is whole never answers is seen so, with the DLL that ships.
 */
#include "faults.h"

#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS_MAX 4

/* Arguments are passed on as they came, in registers and on the stack; there are at most so many. */
#define PARAMETERS                                                                                                     \
    DWORD_PTR a, DWORD_PTR b, DWORD_PTR c, DWORD_PTR d, DWORD_PTR e, DWORD_PTR f, DWORD_PTR g, DWORD_PTR h,            \
        DWORD_PTR i, DWORD_PTR j
#define PASSED_ON a, b, c, d, e, f, g, h, i, j

typedef DWORD_PTR WINAPI any_function(PARAMETERS);

struct fault {
    any_function **place; /* in the import table; NULL: none */
    any_function *original;
    DWORD_PTR value;
    DWORD error;
    LONG calls; /* that pass before the first that fails */
    LONG times; /* that it fails */
};

static struct fault faults[FAULTS_MAX];

static DWORD_PTR run(struct fault *fault, PARAMETERS)
{
    LONG call = InterlockedDecrement(&fault->calls);

    if (call >= 0 || call < -fault->times)
        return fault->original(PASSED_ON);
    SetLastError(fault->error);
    return fault->value;
}

#define STUB(number)                                                                                                   \
    static DWORD_PTR WINAPI stub##number(PARAMETERS)                                                                   \
    {                                                                                                                  \
        return run(&faults[number], PASSED_ON);                                                                        \
    }
STUB(0)
STUB(1)
STUB(2)
STUB(3)

static any_function *const stubs[FAULTS_MAX] = {stub0, stub1, stub2, stub3};

/* ---- The library's import table ---- */

static BYTE *library;

static const IMAGE_IMPORT_DESCRIPTOR *imports(void)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)library;
    const IMAGE_NT_HEADERS *headers = (const IMAGE_NT_HEADERS *)(library + dos->e_lfanew);

    return (const IMAGE_IMPORT_DESCRIPTOR
                *)(library + headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress);
}

static any_function **find_in(const IMAGE_IMPORT_DESCRIPTOR *module, const char *name)
{
    const IMAGE_THUNK_DATA *names = (const IMAGE_THUNK_DATA *)(library + module->OriginalFirstThunk);
    any_function **functions = (any_function **)(library + module->FirstThunk);

    for (size_t k = 0; names[k].u1.AddressOfData != 0; k++) {
        const IMAGE_IMPORT_BY_NAME *named = (const IMAGE_IMPORT_BY_NAME *)(library + names[k].u1.AddressOfData);

        if (!IMAGE_SNAP_BY_ORDINAL(names[k].u1.Ordinal) && strcmp((const char *)named->Name, name) == 0)
            return &functions[k];
    }
    return NULL;
}

static any_function **find(const char *name)
{
    any_function **place = NULL;

    library = (BYTE *)GetModuleHandleW(L"wnbd.dll");
    for (const IMAGE_IMPORT_DESCRIPTOR *module = imports(); module->Name != 0 && !place; module++)
        place = find_in(module, name);
    if (!place)
        die(EXIT_CODE_USE, "the library does not import '%s'", name);
    return place;
}

static void replace(any_function **place, any_function *function)
{
    DWORD before;

    if (!VirtualProtect(place, sizeof(*place), PAGE_READWRITE, &before))
        die(EXIT_CODE_FAIL, "the import table cannot be written");
    *place = function;
    VirtualProtect(place, sizeof(*place), before, &before);
}

/* ---- The orders ---- */

static struct fault *free_fault(void)
{
    for (size_t k = 0; k < FAULTS_MAX; k++) {
        if (!faults[k].place)
            return &faults[k];
    }
    die(EXIT_CODE_USE, "no more than %d functions fail at once", FAULTS_MAX);
}

DWORD fault_let_fail(struct arguments *arguments)
{
    struct fault *fault = free_fault();
    DWORD error = (DWORD)arguments_number(arguments, "--error", 0);
    LONG after = (LONG)arguments_number(arguments, "--after", 0);
    LONG times = (LONG)arguments_number(arguments, "--times", MAXLONG);
    any_function **place = find(arguments_word(arguments, "the function"));

    *fault = (struct fault){.place = place,
                            .original = *place,
                            .value = arguments_word_number(arguments, "the value"),
                            .error = error,
                            .calls = after,
                            .times = times};
    replace(place, stubs[fault - faults]);
    return ERROR_SUCCESS;
}

DWORD fault_heal(struct arguments *arguments)
{
    (void)arguments;
    for (size_t k = 0; k < FAULTS_MAX; k++) {
        if (faults[k].place)
            replace(faults[k].place, faults[k].original);
        faults[k].place = NULL;
    }
    return ERROR_SUCCESS;
}
