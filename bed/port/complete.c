/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the miniport's completion of an SRB to the request's owner. */
#include "bed/port/internal.h"

#define BUSY_RETRIES  20
#define BUSY_DELAY_MS 50

static void save_outcome(struct request *request, UCHAR srb_status, UCHAR scsi_status, ULONG transferred,
                         UCHAR sense_length)
{
    struct outcome *outcome = &request->outcome;

    outcome->srb_status = SRB_STATUS(srb_status);
    outcome->scsi_status = scsi_status;
    outcome->transferred = transferred < request->command.length ? transferred : request->command.length;
    outcome->sense_valid = (srb_status & SRB_STATUS_AUTOSENSE_VALID) != 0;
    outcome->sense_length = outcome->sense_valid ? sense_length : 0;
    if (outcome->sense_valid) {
        RtlCopyMemory(outcome->sense, request->sense, outcome->sense_length);
    }
}

/* The miniport's part is over: look at what it left, keep it, and take its rights away. */
static void take_back(struct request *request)
{
    const char *lent = lent_overlap(request);
    UCHAR srb_status;
    UCHAR scsi_status;
    UCHAR sense_length;
    ULONG transferred;

    if (lent != NULL) {
        port_violation("completed-while-lent: an SRB (CDB 0x%x) was completed while a WSK IRP still held its %s",
                       request->command.cdb[0], lent);
    }
    srb_read(request, &srb_status, &scsi_status, &transferred, &sense_length);
    contract_check(request, srb_status, scsi_status, transferred, sense_length);
    if (SRB_STATUS(srb_status) == SRB_STATUS_PENDING) {
        srb_status = SRB_STATUS_ERROR;
    }
    save_outcome(request, srb_status, scsi_status, transferred, sense_length);
    guard_seal(request);
    request_spoil(request);
}

static void not_outstanding(const struct adapter *adapter, const void *srb, const struct request *request)
{
    if (request == NULL) {
        port_violation("completed-unknown: SRB %p was completed, which adapter %lu never started", srb,
                       adapter->number);
        return;
    }
    if (request->state == REQUEST_WAITING) {
        port_violation("completed-twice: SRB %p was completed again while it waited for a retry", srb);
    } else {
        port_violation(
            "completed-twice: SRB %p (function 0x%x, CDB 0x%x) was completed although it was not outstanding", srb,
            request->command.function, request->command.cdb[0]);
    }
}

/* StorPortNotification(RequestComplete): any IRQL up to DISPATCH_LEVEL, any thread, perhaps inside HwStartIo. */
void srb_completed(struct adapter *adapter, void *srb)
{
    struct request *request = request_find(adapter, srb);

    if (request == NULL ||
        InterlockedCompareExchange(&request->state, REQUEST_COMPLETING, REQUEST_OUTSTANDING) != REQUEST_OUTSTANDING) {
        not_outstanding(adapter, srb, request);
        return;
    }
    take_back(request);
    request_leave(request);
}

/* Hands a request that is not outstanding any more to its owner, or tries again when it was BUSY; then starts what had
 * to wait for it. */
void request_finish(struct request *request)
{
    struct unit *unit = request->unit;
    struct adapter *adapter = request->adapter;

    unit_reference(unit); /* the owner gives the request's */
    if (request->outcome.srb_status == SRB_STATUS_BUSY && request->busy_retries < BUSY_RETRIES && !unit->dead) {
        request->busy_retries++;
        request_delay(request, BUSY_DELAY_MS, TRUE);
    } else {
        request->done(request);
    }
    if (!list_looks_empty(&adapter->ready)) {
        adapter_pump(adapter);
    }
    unit_release(unit);
    InterlockedDecrement(&adapter->activity);
}

static BOOLEAN matches(UCHAR wanted, UCHAR value)
{
    return wanted == SP_UNTAGGED || wanted == value;
}

/* Takes the first outstanding request of the units meant out of the miniport's hands. With adapter->lock held. */
static struct request *take_outstanding_locked(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun)
{
    for (struct list_link *at = adapter->units.next; at != &adapter->units; at = at->next) {
        struct unit *unit = list_member(at, struct unit, link);

        if (!matches(path, unit->path) || !matches(target, unit->target) || !matches(lun, unit->lun)) {
            continue;
        }
        for (struct list_link *link = unit->outstanding.next; link != &unit->outstanding; link = link->next) {
            struct request *request = list_member(link, struct request, link);

            if (InterlockedCompareExchange(&request->state, REQUEST_COMPLETING, REQUEST_OUTSTANDING) ==
                REQUEST_OUTSTANDING) {
                return request;
            }
        }
    }
    return NULL;
}

/* StorPortCompleteRequest: all outstanding requests of an address, SP_UNTAGGED for any, end with the status. */
void requests_complete(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun, UCHAR srb_status)
{
    struct request *request;
    KIRQL irql;

    for (;;) {
        const char *lent;

        KeAcquireSpinLock(&adapter->lock, &irql);
        request = take_outstanding_locked(adapter, path, target, lun);
        KeReleaseSpinLock(&adapter->lock, irql);
        if (request == NULL) {
            return;
        }
        lent = lent_overlap(request);
        if (lent != NULL) {
            port_violation("completed-while-lent: StorPortCompleteRequest while a WSK IRP still held an SRB's %s",
                           lent);
        }
        save_outcome(request, SRB_STATUS(srb_status), 0, 0, 0);
        guard_seal(request);
        request_spoil(request);
        request_leave(request);
    }
}
