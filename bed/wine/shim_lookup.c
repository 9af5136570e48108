/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MmGetSystemRoutineAddress. Wine answers with the addresses of its stubs too, which end the process when called; here
 * a routine is found when it works. The Windows that the bed shows is of the build that needs no more than
 * the driver's minimum, so routines newer than that are not there.
 */
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"

#define NAME_MAX_LENGTH 64

/* What winebuild makes of a stub: sub rsp,28h; lea rcx,[file]; lea rdx,[name]; call; nop. */
static bool is_stub(const UCHAR *code)
{
    static const UCHAR begin[] = {0x48, 0x83, 0xec, 0x28, 0x48, 0x8d, 0x0d};

    return memcmp(code, begin, sizeof(begin)) == 0 && code[11] == 0x48 && code[12] == 0x8d && code[13] == 0x15 &&
           code[18] == 0xe8 && code[23] == 0x90;
}

static bool narrow_name(const UNICODE_STRING *name, char text[NAME_MAX_LENGTH])
{
    unsigned length = name->Length / sizeof(WCHAR);

    if (length >= NAME_MAX_LENGTH) {
        return false;
    }
    for (unsigned i = 0; i < length; i++) {
        text[i] = (char)name->Buffer[i];
    }
    text[length] = 0;
    return true;
}

static PVOID NTAPI shim_MmGetSystemRoutineAddress(PUNICODE_STRING name)
{
    const struct shim *shim;
    char text[NAME_MAX_LENGTH];
    PVOID routine;

    bed_irql_at_most(PASSIVE_LEVEL, "MmGetSystemRoutineAddress");
    if (!narrow_name(name, text)) {
        return NULL;
    }
    shim = bed_shim_find(text, SHIM_DRIVER);
    if (shim != NULL) {
        return shim->routine;
    }
    routine = MmGetSystemRoutineAddress(name);
    return routine != NULL && !is_stub(routine) ? routine : NULL;
}

const struct shim bed_lookup_shims[] = {
    SHIM_CHECK(MmGetSystemRoutineAddress),
    SHIM_END,
};
