/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structured exception handling, of which this is all the driver has. Not compiled for the simulated kernel, which
 * brings its own. The compiler guards calls alone, not the loads and stores in between: nothing but a call may stand in
 * __try.
 */
#include "driver/ddk.h"

NTSTATUS ddk_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    __try {
        MmProbeAndLockPages(mdl, mode, operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return (NTSTATUS)GetExceptionCode();
    }
    return STATUS_SUCCESS;
}
