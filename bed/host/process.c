/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/process.h"

#include "bed/host/irql.h"
#include "bed/host/object.h"

#include <stdlib.h>

#define PROCESS_ID 4242

struct _EPROCESS {
    ULONG id;
};

static PEPROCESS requestor;

void bed_process_begin(void)
{
    requestor = bed_object_create(BED_OBJECT_PROCESS, sizeof(*requestor), NULL, __builtin_return_address(0));
    if (requestor == NULL) {
        abort();
    }
    requestor->id = PROCESS_ID;
}

void bed_process_end(void)
{
    bed_object_release(requestor);
    requestor = NULL;
}

PEPROCESS IoGetRequestorProcess(PIRP Irp)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoGetRequestorProcess");
    return Irp->RequestorMode == UserMode ? requestor : NULL;
}

ULONG IoGetRequestorProcessId(PIRP Irp)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoGetRequestorProcessId");
    return Irp->RequestorMode == UserMode ? PROCESS_ID : 0;
}
