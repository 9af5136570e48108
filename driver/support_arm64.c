/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As support_x64.c, for ARM64. There is no stack probe: -Wframe-larger-than keeps our frames below those that need one,
 * and a call of __chkstk would fail the link.
 */
#include "driver/ddk.h"

__attribute__((noreturn)) void __stack_chk_fail(void);

/* __fastfail: the code, FAST_FAIL_STACK_COOKIE_CHECK_FAILURE, is in w0. */
void __stack_chk_fail(void)
{
    __asm__ volatile("mov w0, #2\n\tbrk #0xf003" : : : "w0");
    __builtin_unreachable();
}

/* The check gets the called address in x15 and returns. clang calls no dispatch on this processor; that it would get
 * the address in x9 is a guess (docs/verification.md). */
__asm__(".text\n"
        ".globl guard_check_nothing\n"
        ".def guard_check_nothing; .scl 2; .type 32; .endef\n"
        "guard_check_nothing: ret\n"
        ".globl guard_dispatch_nothing\n"
        ".def guard_dispatch_nothing; .scl 2; .type 32; .endef\n"
        "guard_dispatch_nothing: br x9\n");
