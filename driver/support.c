/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a linker takes for granted and a kernel image without a C library must bring: the load configuration with the
 * stack protector's value and the tables of control flow guard. The code that goes with it is the processor's:
 * support_x64.c, support_arm64.c. Only for clang with lld; the WDK brings its own.
 */
#include "driver/ddk.h"

/* The loader puts a random value here, but only if it finds this default. */
ULONG_PTR __stack_chk_guard = 0x00002B992DDFA232;

/* The two pointers are the kernel's to change: it puts its own checks there when control flow guard is on. What they
 * point to before is the processor's part. */
__asm__(".section .00cfg,\"dr\"\n"
        ".balign 8\n"
        ".globl __guard_check_icall_fptr\n"
        "__guard_check_icall_fptr: .quad guard_check_nothing\n"
        ".globl __guard_dispatch_icall_fptr\n"
        "__guard_dispatch_icall_fptr: .quad guard_dispatch_nothing\n"
        ".text\n");

/* IMAGE_LOAD_CONFIG_DIRECTORY64; the table symbols are the linker's. */
__asm__(".section .rdata,\"dr\"\n"
        ".balign 8\n"
        ".globl _load_config_used\n"
        "_load_config_used:\n"
        ".long 0x140\n"
        ".zero 0x54\n"
        ".quad __stack_chk_guard\n" /* 0x58 SecurityCookie */
        ".quad 0, 0\n"
        ".quad __guard_check_icall_fptr\n"    /* 0x70 GuardCFCheckFunctionPointer */
        ".quad __guard_dispatch_icall_fptr\n" /* 0x78 GuardCFDispatchFunctionPointer */
        ".quad __guard_fids_table\n"
        ".quad __guard_fids_count\n"
        ".long __guard_flags\n" /* 0x90 */
        ".zero 0x140 - 0x94\n"
        ".text\n");
