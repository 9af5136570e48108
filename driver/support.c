/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a compiler and a linker take for granted and a kernel image without a C library must bring: the stack protector,
 * the load configuration with the tables of control flow guard, and the stack probe. Only for clang with lld; the WDK
 * brings its own.
 */
#include "driver/ddk.h"

#define STACK_COOKIE_CHECK_FAILURE 2 /* FAST_FAIL_STACK_COOKIE_CHECK_FAILURE */

/* The loader puts a random value here, but only if it finds this default. */
ULONG_PTR __stack_chk_guard = 0x00002B992DDFA232;

__attribute__((noreturn)) void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    __asm__ volatile("int $0x29" : : "c"(STACK_COOKIE_CHECK_FAILURE));
    __builtin_unreachable();
}

/* The two pointers are the kernel's to change: it puts its own checks there when control flow guard is on. */
__asm__(".section .00cfg,\"dr\"\n"
        ".balign 8\n"
        ".globl __guard_check_icall_fptr\n"
        "__guard_check_icall_fptr: .quad guard_check_nothing\n"
        ".globl __guard_dispatch_icall_fptr\n"
        "__guard_dispatch_icall_fptr: .quad guard_dispatch_nothing\n"
        ".text\n"
        ".def guard_check_nothing; .scl 3; .type 32; .endef\n"
        "guard_check_nothing: ret\n"
        ".def guard_dispatch_nothing; .scl 3; .type 32; .endef\n"
        "guard_dispatch_nothing: jmp *%rax\n");

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

/* Called by a function whose frame is a page or more, with the frame's size in rax: touches each page below the stack
 * pointer and changes no register. -Wframe-larger-than keeps our frames below that; it is a safety net. */
__asm__(".text\n"
        ".globl ___chkstk_ms\n"
        ".def ___chkstk_ms; .scl 2; .type 32; .endef\n"
        "___chkstk_ms:\n"
        "    push %rcx\n"
        "    push %rax\n"
        "    cmp $0x1000, %rax\n"
        "    lea 24(%rsp), %rcx\n"
        "    jb 2f\n"
        "1:  sub $0x1000, %rcx\n"
        "    orq $0, (%rcx)\n"
        "    sub $0x1000, %rax\n"
        "    cmp $0x1000, %rax\n"
        "    ja 1b\n"
        "2:  sub %rax, %rcx\n"
        "    orq $0, (%rcx)\n"
        "    pop %rax\n"
        "    pop %rcx\n"
        "    ret\n");
