/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * __C_specific_handler, which looks for the __except of a function that an exception passes. Windows enters the block
 * with the exception's code in rax, where GetExceptionCode() finds it; Wine enters it with 0, as if all had gone well.
 * What
 * __finally blocks do while the stack is unwound stays Wine's.
 */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"

#define UNWINDING      0x66 /* EXCEPTION_UNWINDING, EXIT_UNWIND, TARGET_UNWIND, COLLIDED_UNWIND */
#define TAKEN_ANYWAY   1    /* in place of a filter's address: EXCEPTION_EXECUTE_HANDLER is all there is to it */
#define CONTINUE_HERE  ((EXCEPTION_DISPOSITION)0) /* ExceptionContinueExecution */
#define CONTINUE_ABOVE ((EXCEPTION_DISPOSITION)1) /* ExceptionContinueSearch */

/* Offsets in the image. */
struct scope {
    ULONG begin;
    ULONG end;
    ULONG filter;
    ULONG target; /* 0: a __finally */
};

struct scope_table {
    ULONG count;
    struct scope scopes[1];
};

/* Of x64; the kernel's headers name it alone. */
struct _DISPATCHER_CONTEXT {
    ULONG64 pc;
    ULONG64 image;
    void *function;
    ULONG64 frame;
    ULONG64 target;
    CONTEXT *context;
    void *handler;
    const struct scope_table *table;
    void *history;
};

struct pointers {
    EXCEPTION_RECORD *record;
    CONTEXT *context;
};

typedef LONG filter_routine(struct pointers *pointers, void *frame);

VOID NTAPI RtlUnwindEx(PVOID frame, PVOID target, PEXCEPTION_RECORD record, PVOID value, PCONTEXT context,
                       PVOID history);

static LONG ask(const struct scope *scope, ULONG64 image, EXCEPTION_RECORD *record, CONTEXT *context, void *frame)
{
    struct pointers pointers = {record, context};

    return scope->filter == TAKEN_ANYWAY ? EXCEPTION_EXECUTE_HANDLER
                                         : ((filter_routine *)(image + scope->filter))(&pointers, frame);
}

static EXCEPTION_DISPOSITION shim___C_specific_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context,
                                                       struct _DISPATCHER_CONTEXT *dispatch)
{
    ULONG64 at = dispatch->pc - dispatch->image;

    if ((record->ExceptionFlags & UNWINDING) != 0) {
        return __C_specific_handler(record, frame, context, dispatch);
    }
    for (ULONG i = 0; i < dispatch->table->count; i++) {
        const struct scope *scope = &dispatch->table->scopes[i];
        LONG answer;

        if (scope->target == 0 || at < scope->begin || at >= scope->end) {
            continue;
        }
        answer = ask(scope, dispatch->image, record, context, frame);
        if (answer < 0) {
            return CONTINUE_HERE;
        }
        if (answer > 0) {
            RtlUnwindEx(frame, (PVOID)(dispatch->image + scope->target), record,
                        (PVOID)(ULONG_PTR)(ULONG)record->ExceptionCode, dispatch->context, dispatch->history);
        }
    }
    return CONTINUE_ABOVE;
}

const struct shim bed_exception_shims[] = {
    SHIM_CHECK(__C_specific_handler), /* not our own import: that is the one behind it */
    SHIM_END,
};
