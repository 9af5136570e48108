/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The basic types of the NT headers in the widths that Windows has on x64, whatever the compiler's own are: LONG has 32
 * bits, WCHAR 16 (-fshort-wchar makes L"" fit). Calling conventions are the platform's.
 */
#ifndef BED_HOST_DDK_NTTYPES_H
#define BED_HOST_DDK_NTTYPES_H

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define NTAPI
#define FASTCALL
#define __cdecl
#define __stdcall
#define __declspec(attribute)
#define NTKERNELAPI
#define NTSYSAPI
#define FORCEINLINE static inline
#define VOID        void
#define CONST       const

#define IN
#define OUT
#define OPTIONAL

typedef char CHAR, *PCHAR, *PSTR, CCHAR, *PCCHAR;
typedef const char *PCSTR;
typedef int8_t INT8;
typedef uint8_t UCHAR, *PUCHAR, UINT8;
typedef uint8_t BOOLEAN, *PBOOLEAN;
typedef int16_t SHORT, *PSHORT, CSHORT, INT16;
typedef uint16_t USHORT, *PUSHORT, UINT16;
typedef int32_t LONG, *PLONG, INT, INT32, BOOL;
typedef uint32_t ULONG, *PULONG, UINT, UINT32, DWORD;
typedef int64_t LONGLONG, *PLONGLONG, LONG64, *PLONG64, INT64;
typedef uint64_t ULONGLONG, *PULONGLONG, ULONG64, *PULONG64, UINT64;
typedef uintptr_t ULONG_PTR, *PULONG_PTR, UINT_PTR, KAFFINITY;
typedef intptr_t LONG_PTR, *PLONG_PTR, INT_PTR;
typedef size_t SIZE_T, *PSIZE_T;
typedef void *PVOID;
typedef PVOID HANDLE, *PHANDLE;
typedef __WCHAR_TYPE__ WCHAR, *PWCHAR, *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR;

typedef LONG NTSTATUS, *PNTSTATUS;
typedef UCHAR KIRQL, *PKIRQL;
typedef CHAR KPROCESSOR_MODE;
typedef LONG KPRIORITY;
typedef ULONG ACCESS_MASK, *PACCESS_MASK;
typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;
typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;
typedef ULONG DEVICE_TYPE;

#define TRUE        1
#define FALSE       0
#define MAXLONG     0x7FFFFFFF
#define MAXULONG    0xFFFFFFFFu
#define MAXLONGLONG 0x7FFFFFFFFFFFFFFFLL
#ifndef NULL
#define NULL ((void *)0)
#endif
#define ANYSIZE_ARRAY 1

_Static_assert(sizeof(WCHAR) == 2, "compile with -fshort-wchar");

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _UNICODE_STRING {
    USHORT Length; /* bytes */
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

#define EXTERN_C            extern
#define C_ASSERT(condition) _Static_assert(condition, #condition)

#define FIELD_OFFSET(type, field)               ((LONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field) ((type *)(void *)((PCHAR)(address) - offsetof(type, field)))
#define ARRAYSIZE(array)                        (sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF(array)                    ARRAYSIZE(array)
#define UNREFERENCED_PARAMETER(parameter)       ((void)(parameter))
#define min(left, right)                        ((left) < (right) ? (left) : (right))
#define max(left, right)                        ((left) > (right) ? (left) : (right))

#define PAGE_SIZE  0x1000
#define PAGE_SHIFT 12

/* Nothing here raises exceptions: what would on Windows is reported as a violation. */
#define __try       if (1)
#define __except(x) else if ((x) == 0)
#define __finally

#define EXCEPTION_EXECUTE_HANDLER 1

#endif
