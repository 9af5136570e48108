/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Called by a function whose frame is a page or more, with a sixteenth of the frame's size in x15: touches each page
 * below the stack pointer in turn, so that the guard page is met. Changes nothing but x16, x17 and flags ("Overview of
 * ARM64 ABI conventions", stack).
 */
__asm__(".text\n"
        ".globl __chkstk\n"
        ".def __chkstk; .scl 2; .type 32; .endef\n"
        ".p2align 2\n"
        "__chkstk:\n"
        "    lsl x16, x15, #4\n"
        "    mov x17, sp\n"
        "1:  cmp x16, #1, lsl #12\n"
        "    b.lo 2f\n"
        "    sub x17, x17, #1, lsl #12\n"
        "    sub x16, x16, #1, lsl #12\n"
        "    ldr xzr, [x17]\n"
        "    b 1b\n"
        "2:  sub x17, x17, x16\n"
        "    ldr xzr, [x17]\n"
        "    ret\n");

typedef int stack_probe_is_assembly; /* C wants a declaration in each file */
