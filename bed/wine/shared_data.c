/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page at 0xFFFFF78000000000 where every kernel finds tick count and interrupt time; KeQueryInterruptTime and
 * others are inline reads of it. Wine has it at its user address only and emulates plain moves from the other one. This
 * is for all other instructions: the registers that point into the page are moved to the address where it is, the
 * instruction is stepped, and they are moved back.
 */
#include "bed/wine/nt.h"
#include "bed/wine/start.h"

#define KERNEL_PAGE 0xFFFFF78000000000ULL
#define USER_PAGE   0x7FFE0000ULL
#define PAGE_BYTES  0x1000ULL
#define REGISTERS   16
#define TRAP_FLAG   0x100

#define CONTINUE_EXECUTION (-1)
#define CONTINUE_SEARCH    0

typedef LONG NTAPI vectored_handler(EXCEPTION_POINTERS *pointers);

PVOID NTAPI RtlAddVectoredExceptionHandler(ULONG first, vectored_handler *handler);

static unsigned long moved_slot; /* of each thread: bit i: register i was moved, the next single step moves it back */

/* Rax to R15 lie in a row, in the order of their numbers. */
static DWORD64 *registers_of(CONTEXT *context)
{
    return &context->Rax;
}

static ULONG move(DWORD64 *registers, ULONG which, DWORD64 from, DWORD64 to)
{
    ULONG moved = 0;

    for (ULONG i = 0; i < REGISTERS; i++) {
        if ((which & 1u << i) && registers[i] - from < PAGE_BYTES) {
            registers[i] += to - from;
            moved |= 1u << i;
        }
    }
    return moved;
}

static LONG access_violation(const EXCEPTION_RECORD *record, CONTEXT *context)
{
    ULONG moved;

    if (record->NumberParameters < 2 || record->ExceptionInformation[1] - KERNEL_PAGE >= PAGE_BYTES) {
        return CONTINUE_SEARCH;
    }
    moved = move(registers_of(context), ~0u, KERNEL_PAGE, USER_PAGE);
    if (moved == 0) {
        return CONTINUE_SEARCH;
    }
    TlsSetValue(moved_slot, (void *)(ULONG_PTR)moved);
    context->EFlags |= TRAP_FLAG;
    return CONTINUE_EXECUTION;
}

/* A register that the instruction has loaded is left as it is. */
static LONG single_step(CONTEXT *context)
{
    ULONG moved = (ULONG)(ULONG_PTR)TlsGetValue(moved_slot);

    if (moved == 0) {
        return CONTINUE_SEARCH;
    }
    TlsSetValue(moved_slot, NULL);
    move(registers_of(context), moved, USER_PAGE, KERNEL_PAGE);
    context->EFlags &= ~(ULONG)TRAP_FLAG;
    return CONTINUE_EXECUTION;
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    switch ((ULONG)pointers->ExceptionRecord->ExceptionCode) {
    case (ULONG)STATUS_ACCESS_VIOLATION:
        return access_violation(pointers->ExceptionRecord, pointers->ContextRecord);
    case (ULONG)STATUS_SINGLE_STEP:
        return single_step(pointers->ContextRecord);
    default:
        return CONTINUE_SEARCH;
    }
}

void bed_shared_data_start(void)
{
    moved_slot = TlsAlloc();
    RtlAddVectoredExceptionHandler(0, handle);
}
