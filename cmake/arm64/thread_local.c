/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Thread-local variables: the directory that tells the loader where their first values are. Linked when there are any.
 */
#include <windows.h>

ULONG _tls_index;

/* The linker sorts the parts of .tls by what follows the $: the variables come between these two. */
__attribute__((section(".tls"))) char _tls_start[8];
__attribute__((section(".tls$ZZZ"))) char _tls_end[8];

const IMAGE_TLS_DIRECTORY64 _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)_tls_start,
    .EndAddressOfRawData = (ULONG_PTR)_tls_end,
    .AddressOfIndex = (ULONG_PTR)&_tls_index,
};
