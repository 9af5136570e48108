/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types of windows.h that the public headers need, for where there is no windows.h: LLP64 whatever the compiler;
 * and the errors of winerror.h that sources without Windows know. */
#ifndef TESTS_LAYOUT_WINDOWS_H
#define TESTS_LAYOUT_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#define VOID  void
#define CONST const
#define TRUE  1
#define FALSE 0

typedef char CHAR;
typedef uint8_t UINT8;
typedef uint8_t BYTE;
typedef uint8_t BOOLEAN;
typedef uint16_t UINT16;
typedef uint16_t USHORT;
typedef int32_t INT;
typedef int32_t INT32;
typedef int32_t BOOL;
typedef uint32_t UINT32;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef int64_t INT64;
typedef uint64_t UINT64;
#ifdef _MSC_VER
typedef wchar_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif

typedef void *PVOID;
typedef void *HANDLE;
typedef HANDLE *PHANDLE;
typedef BOOL *PBOOL;
typedef DWORD *PDWORD;
typedef struct _OVERLAPPED *LPOVERLAPPED;

#define ERROR_SUCCESS           0
#define ERROR_NOT_ENOUGH_MEMORY 8
#define ERROR_WRITE_FAULT       29
#define ERROR_HANDLE_EOF        38
#define ERROR_HANDLE_DISK_FULL  39
#define ERROR_DISK_FULL         112
#define ERROR_COMMITMENT_LIMIT  1455

typedef struct {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;

#endif
