/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a DLL for ARM64 begins (start.c): ours have nothing to do when they are loaded. */
#include <windows.h>

BOOL WINAPI DllMainCRTStartup(HINSTANCE module, DWORD reason, LPVOID reserved);

BOOL WINAPI DllMainCRTStartup(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reason;
    (void)reserved;
    return TRUE;
}
