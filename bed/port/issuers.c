/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Issuers (Parameters\BedIssuers, 0 to 8): threads that call HwStartIo in place of whoever submitted the request. On
 * Windows requests come from all processors at once; a host whose requests come from one thread hides the races of
 * that.
 */
#include "bed/port/internal.h"

static void NTAPI issuer(void *context)
{
    struct adapter *adapter = context;

    while (!adapter->issuers_off) {
        KeWaitForSingleObject(&adapter->issue, Executive, KernelMode, FALSE, NULL);
        adapter_pump_here(adapter);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

void issuers_start(struct adapter *adapter)
{
    ULONG wanted = adapter->miniport->parameters.issuers;
    HANDLE handle;

    adapter->issuers_off = FALSE;
    KeInitializeSemaphore(&adapter->issue, 0, MAXLONG);
    for (ULONG i = 0; i < wanted && i < ISSUERS_MAXIMUM; i++) {
        if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, issuer, adapter))) {
            return;
        }
        ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &adapter->issuers[i], NULL);
        ZwClose(handle);
        adapter->issuer_count = i + 1;
    }
}

/* No issuer runs any more when this returns. PASSIVE_LEVEL. */
void issuers_stop(struct adapter *adapter)
{
    ULONG count = adapter->issuer_count;

    adapter->issuers_off = TRUE;
    KeReleaseSemaphore(&adapter->issue, IO_NO_INCREMENT, ISSUERS_MAXIMUM, FALSE);
    for (ULONG i = 0; i < count; i++) {
        KeWaitForSingleObject(adapter->issuers[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(adapter->issuers[i]);
    }
    adapter->issuer_count = 0;
}
