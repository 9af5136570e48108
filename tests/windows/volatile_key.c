/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* volatile_key KEY: makes a key of HKEY_LOCAL_MACHINE that is gone with the machine, below which none can be that
 * stays. */
#include <windows.h>

#include <stdio.h>

int main(int count, char **arguments)
{
    DWORD made = 0;
    HKEY key;
    LONG error = count == 2 ? RegCreateKeyExA(HKEY_LOCAL_MACHINE, arguments[1], 0, NULL, REG_OPTION_VOLATILE,
                                              KEY_ALL_ACCESS, NULL, &key, &made)
                            : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS || made != REG_CREATED_NEW_KEY) {
        fprintf(stderr, "volatile_key: error %ld, disposition %lu\n", error, made);
        return 1;
    }
    return 0;
}
