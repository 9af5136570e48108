/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that support.c needs and the compiler calls, for x64: fast fail, control flow guard, the stack probe. */
#include "driver/ddk.h"

#define STACK_COOKIE_CHECK_FAILURE 2 /* FAST_FAIL_STACK_COOKIE_CHECK_FAILURE */

__attribute__((noreturn)) void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    __asm__ volatile("int $0x29" : : "c"(STACK_COOKIE_CHECK_FAILURE));
    __builtin_unreachable();
}

/* Without the kernel's checks: a call through a pointer is checked by nobody, or carried out. */
__asm__(".text\n"
        ".globl guard_check_nothing\n"
        ".def guard_check_nothing; .scl 2; .type 32; .endef\n"
        "guard_check_nothing: ret\n"
        ".globl guard_dispatch_nothing\n"
        ".def guard_dispatch_nothing; .scl 2; .type 32; .endef\n"
        "guard_dispatch_nothing: jmp *%rax\n");

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
