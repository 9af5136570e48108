/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time-outs and what follows. A one-second timer looks at the outstanding requests. The first that is overdue resets
 * its LUN; when that fails, or leaves requests outstanding for another time-out, the target, and then the bus:
 *
 *   NONE --overdue--> LUN_RESET --failed or overdue--> TARGET_RESET --failed or overdue--> BUS_RESET --+
 *    ^                    |                                  |                                          |
 *    +---- nothing overdue any more ------------------------+------------------------------------------+
 *
 * A paused unit's requests do not age.
 */
#include "bed/port/internal.h"

#define RESET_TIMEOUT_S 10

/* ---- recovery ---- */

static void recovery_set(struct unit *unit, enum recovery step)
{
    KIRQL irql;

    KeAcquireSpinLock(&unit->adapter->lock, &irql);
    unit->recovery = step;
    KeReleaseSpinLock(&unit->adapter->lock, irql);
}

static enum recovery recovery_get(struct unit *unit)
{
    enum recovery step;
    KIRQL irql;

    KeAcquireSpinLock(&unit->adapter->lock, &irql);
    step = unit->recovery;
    KeReleaseSpinLock(&unit->adapter->lock, irql);
    return step;
}

static void reset_done(struct request *request)
{
    struct unit *unit = request->unit;
    struct adapter *adapter = request->adapter;
    BOOLEAN helped = request->outcome.srb_status == SRB_STATUS_SUCCESS;
    enum recovery step = recovery_get(unit);
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    unit->held--;
    KeReleaseSpinLock(&adapter->lock, irql);
    if (!helped && step < RECOVERY_BUS_RESET) {
        port_log("the reset of target %u LUN %u (step %d) ended with SrbStatus 0x%x", unit->target, unit->lun, step,
                 request->outcome.srb_status);
        unit_recover(unit, step + 1);
    }
    unit_ready(unit); /* it was looked at in vain while it was held */
    request_give(request);
}

/* Sends the reset ahead of everything else of the unit and holds the unit until it is done. */
static BOOLEAN send_reset(struct unit *unit, UCHAR function)
{
    struct adapter *adapter = unit->adapter;
    struct request *request = request_take(unit);
    KIRQL irql;

    if (request == NULL) {
        return FALSE;
    }
    request->command.function = function;
    request->command.timeout_s = RESET_TIMEOUT_S;
    request->command.flags = SRB_FLAGS_NO_DATA_TRANSFER | SRB_FLAGS_BYPASS_FROZEN_QUEUE;
    request->done = reset_done;
    request->head = TRUE;
    request->unheld = TRUE;
    KeAcquireSpinLock(&adapter->lock, &irql);
    unit->held++;
    KeReleaseSpinLock(&adapter->lock, irql);
    request_submit(request);
    return TRUE;
}

/* ---- abort ---- */

static void abort_done(struct request *request)
{
    if (request->outcome.srb_status != SRB_STATUS_SUCCESS) {
        port_log("an abort of target %u LUN %u ended with SrbStatus 0x%x", request->unit->target, request->unit->lun,
                 request->outcome.srb_status);
    }
    request_give(request);
}

/* The SRB of the unit's oldest request that the miniport has; NULL. It may complete at any moment. */
static void *oldest_outstanding(struct unit *unit)
{
    void *srb = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&unit->adapter->lock, &irql);
    if (!list_is_empty(&unit->outstanding)) {
        srb = &list_member(unit->outstanding.next, struct request, link)->srb;
    }
    KeReleaseSpinLock(&unit->adapter->lock, irql);
    return srb;
}

/* Storport itself aborts nothing by name; a miniport has to answer it all the same. */
void unit_abort_oldest(struct unit *unit)
{
    void *aborted = oldest_outstanding(unit);
    struct request *request = aborted != NULL ? request_take(unit) : NULL;

    if (request == NULL) {
        return;
    }
    request->command.function = SRB_FUNCTION_ABORT_COMMAND;
    request->command.aborted = aborted;
    request->command.timeout_s = RESET_TIMEOUT_S;
    request->command.flags = SRB_FLAGS_NO_DATA_TRANSFER | SRB_FLAGS_BYPASS_FROZEN_QUEUE;
    request->done = abort_done;
    request->head = TRUE;
    request->unheld = TRUE;
    request_submit(request);
}

/* HwResetBus at DISPATCH_LEVEL under the StartIo lock, nothing being started meanwhile. */
void adapter_reset_bus(struct adapter *adapter, ULONG path)
{
    unsigned char irql;
    struct pump pump;
    BOOLEAN entered;
    BOOLEAN reset;
    KIRQL old;

    adapter_hold(adapter);
    entered = pump_enter(adapter, &pump);
    port_log("HwResetBus of adapter %lu, path %lu", adapter->number, path);
    irql = bed_irql_raise(DISPATCH_LEVEL);
    KeAcquireSpinLock(&adapter->startio_lock, &old);
    reset = adapter->miniport->hw.HwResetBus(adapter->extension, path);
    KeReleaseSpinLock(&adapter->startio_lock, old);
    bed_irql_lower(irql);
    if (!reset) {
        port_log("HwResetBus failed");
    }
    if (entered) {
        pump_leave(adapter, &pump);
    }
    adapter_unhold(adapter);
}

/* Takes the step; any IRQL up to DISPATCH_LEVEL. */
void unit_recover(struct unit *unit, enum recovery step)
{
    recovery_set(unit, step);
    switch (step) {
    case RECOVERY_NONE:
        return;
    case RECOVERY_LUN_RESET:
        port_log("resetting target %u LUN %u", unit->target, unit->lun);
        if (send_reset(unit, SRB_FUNCTION_RESET_LOGICAL_UNIT)) {
            return;
        }
        break;
    case RECOVERY_TARGET_RESET:
        port_log("resetting target %u", unit->target);
        if (send_reset(unit, SRB_FUNCTION_RESET_DEVICE)) {
            return;
        }
        break;
    case RECOVERY_BUS_RESET:
        break;
    }
    recovery_set(unit, RECOVERY_BUS_RESET);
    adapter_reset_bus(unit->adapter, unit->path);
}

/* ---- the one-second timer ---- */

static BOOLEAN unit_is_paused(const struct unit *unit)
{
    const struct adapter *adapter = unit->adapter;

    return adapter->state == ADAPTER_STOPPED ||
           (adapter->paused_until != 0 && (LONG)(adapter->paused_until - adapter->seconds) > 0) ||
           (unit->paused_until != 0 && (LONG)(unit->paused_until - adapter->seconds) > 0);
}

static void overdue_again(struct unit *unit, struct request *request)
{
    if (unit->recovery == RECOVERY_BUS_RESET) {
        port_violation("not-completed-after-reset: an SRB (CDB 0x%x) of target %u LUN %u was not completed within its "
                       "time-out of %lu s after HwResetBus",
                       request->command.cdb[0], unit->target, unit->lun, request->command.timeout_s);
    }
}

/* Whether a request of the unit is newly overdue. With adapter->lock held. */
static BOOLEAN unit_overdue_locked(struct unit *unit)
{
    ULONG now = unit->adapter->seconds;
    BOOLEAN paused = unit_is_paused(unit);
    BOOLEAN overdue = FALSE;

    for (struct list_link *link = unit->outstanding.next; link != &unit->outstanding; link = link->next) {
        struct request *request = list_member(link, struct request, link);

        if (paused || (unit->held != 0 && !request->unheld)) {
            request->deadline++; /* nor does it age while a reset is under way */
        } else if ((LONG)(now - request->deadline) >= 0 && request->state == REQUEST_OUTSTANDING) {
            request->deadline = now + request->command.timeout_s + 1;
            if (request->overdue) {
                overdue_again(unit, request);
            }
            request->overdue = TRUE;
            overdue = TRUE;
        }
    }
    return overdue;
}

static BOOLEAN any_overdue_left(const struct unit *unit)
{
    for (const struct list_link *link = unit->outstanding.next; link != &unit->outstanding; link = link->next) {
        if (list_member(link, struct request, link)->overdue) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The next unit with an overdue request, referenced, after ageing all its requests. With adapter->lock held. */
static struct unit *next_overdue_locked(struct adapter *adapter, struct list_link **at)
{
    while (*at != &adapter->units) {
        struct unit *unit = list_member(*at, struct unit, link);

        *at = (*at)->next;
        if (unit_overdue_locked(unit)) {
            unit_reference(unit);
            return unit;
        }
        if (unit->held == 0 && !any_overdue_left(unit)) {
            unit->recovery = RECOVERY_NONE;
        }
    }
    return NULL;
}

#define OVERDUE_MAXIMUM 16

static ULONG collect_overdue(struct adapter *adapter, struct unit *units[OVERDUE_MAXIMUM])
{
    struct list_link *at;
    ULONG count = 0;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    adapter->seconds++;
    at = adapter->units.next;
    while (count < OVERDUE_MAXIMUM) {
        units[count] = next_overdue_locked(adapter, &at);
        if (units[count] == NULL) {
            break;
        }
        count++;
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    return count;
}

/* Units whose pause has ended have something to start now. */
static void wake_units(struct adapter *adapter)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    for (struct list_link *at = adapter->units.next; at != &adapter->units; at = at->next) {
        struct unit *unit = list_member(at, struct unit, link);

        if (!list_is_empty(&unit->waiting) && list_is_empty(&unit->ready_link)) {
            list_append(&adapter->ready, &unit->ready_link);
        }
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    adapter_pump(adapter);
}

/* Once a second, at DISPATCH_LEVEL. */
void second_tick(struct adapter *adapter)
{
    struct unit *units[OVERDUE_MAXIMUM];
    ULONG count = collect_overdue(adapter, units);

    for (ULONG i = 0; i < count; i++) {
        enum recovery step = recovery_get(units[i]);

        unit_recover(units[i], step < RECOVERY_BUS_RESET ? step + 1 : RECOVERY_BUS_RESET);
        unit_release(units[i]);
    }
    wake_units(adapter);
    requests_check(adapter);
}
