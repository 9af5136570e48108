/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the bed's storport.sys uses of ntdll and kernel32, which a driver never may and whose headers do not go together
 * with the kernel's. Locks, waits on a word and events of this kind cost no round trip to wineserver unless they block.
 */
#ifndef WNBD_BED_WINE_NT_H
#define WNBD_BED_WINE_NT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "driver/ddk.h"

#ifndef ARRAYSIZE
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* ---- ntdll ---- */

typedef struct {
    void *pointer;
} RTL_SRWLOCK;

VOID NTAPI RtlAcquireSRWLockExclusive(RTL_SRWLOCK *lock);
VOID NTAPI RtlReleaseSRWLockExclusive(RTL_SRWLOCK *lock);

NTSTATUS NTAPI RtlWaitOnAddress(const void *address, const void *compare, SIZE_T size, const LARGE_INTEGER *timeout);
VOID NTAPI RtlWakeAddressSingle(const void *address);
VOID NTAPI RtlWakeAddressAll(const void *address);

NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, PVOID *address, SIZE_T *size, ULONG protect, ULONG *old);
NTSTATUS NTAPI NtReadVirtualMemory(HANDLE process, const void *from, void *to, SIZE_T size, SIZE_T *done);
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE process, void *to, const void *from, SIZE_T size, SIZE_T *done);
/* MEMORY_BASIC_INFORMATION, which the kernel's headers lack; class 0 of the query. */
struct memory_region {
    UCHAR *base;
    void *allocation;
    ULONG allocated_as;
    SIZE_T size;
    ULONG state;
    ULONG protection;
    ULONG type;
};

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, const void *address, int class, struct memory_region *region,
                                    SIZE_T size, SIZE_T *done);
NTSTATUS NTAPI NtQuerySystemTime(LARGE_INTEGER *time);
NTSTATUS NTAPI LdrAddRefDll(ULONG flags, void *base);
NTSTATUS NTAPI LdrRegisterDllNotification(ULONG flags, void *callback, void *context, void **cookie);
VOID NTAPI RtlRaiseStatus(NTSTATUS status);

/* ---- kernel32 ---- */

#ifndef WAIT_INFINITE
#define WAIT_INFINITE 0xFFFFFFFFu
#endif

__declspec(dllimport) void *__stdcall GetProcessHeap(void);
__declspec(dllimport) void *__stdcall HeapAlloc(void *heap, unsigned long flags, size_t size);
__declspec(dllimport) int __stdcall HeapFree(void *heap, unsigned long flags, void *block);
__declspec(dllimport) void *__stdcall VirtualAlloc(void *address, size_t size, unsigned long type,
                                                   unsigned long protect);
__declspec(dllimport) int __stdcall VirtualFree(void *address, size_t size, unsigned long type);
__declspec(dllimport) void *__stdcall CreateThread(void *security, size_t stack,
                                                   unsigned long(__stdcall *start)(void *), void *argument,
                                                   unsigned long flags, unsigned long *id);
__declspec(dllimport) int __stdcall CloseHandle(void *handle);
__declspec(dllimport) void __stdcall Sleep(unsigned long ms);
__declspec(dllimport) unsigned long __stdcall TlsAlloc(void);
__declspec(dllimport) void *__stdcall TlsGetValue(unsigned long index);
__declspec(dllimport) int __stdcall TlsSetValue(unsigned long index, void *value);
__declspec(dllimport) int __stdcall QueryPerformanceCounter(LARGE_INTEGER *count);

/* ---- ours ---- */

/* Zeroed memory of the process heap; NULL when there is none. */
void *bed_allocate(size_t size);
void bed_free(void *block);

/* Starts a thread that nobody waits for; false when there is none. */
bool bed_thread_start(void (*start)(void *argument), void *argument);

/* Sleeps until *word is no longer `value`, is woken, or `ms` have passed (WAIT_INFINITE: for ever). May wake early. */
void bed_wait_word(const volatile LONG *word, LONG value, ULONG ms);
void bed_wake_word(const volatile LONG *word);

#endif
