/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* StorPortNotification, and the exports that concern queues. Called by the miniport on any thread up to DISPATCH_LEVEL.
 */
#include "bed/port/internal.h"

static void call_hw_timer(void *extension, void *context)
{
    HW_TIMER *routine = (HW_TIMER *)context;

    routine(extension);
}

static void request_timer(struct adapter *adapter, va_list arguments)
{
    HW_TIMER *routine = va_arg(arguments, HW_TIMER *);
    ULONG microseconds = va_arg(arguments, ULONG);

    hw_timer_set(adapter, &adapter->notification_timer, call_hw_timer, (void *)routine, microseconds);
}

static void enable_passive_initialization(struct adapter *adapter, va_list arguments)
{
    HW_PASSIVE_INITIALIZE_ROUTINE *routine = va_arg(arguments, HW_PASSIVE_INITIALIZE_ROUTINE *);
    BOOLEAN *enabled = va_arg(arguments, BOOLEAN *);

    *enabled = adapter->initializing;
    if (adapter->initializing) {
        adapter->passive_initialize = routine;
    } else {
        port_violation("passive-initialize: EnablePassiveInitialization outside HwInitialize");
    }
}

VOID StorPortNotification(SCSI_NOTIFICATION_TYPE NotificationType, PVOID HwDeviceExtension, ...)
{
    struct adapter *adapter = adapter_of_extension(HwDeviceExtension, "StorPortNotification");
    va_list arguments;

    if (adapter == NULL) {
        return;
    }
    va_start(arguments, HwDeviceExtension);
    switch ((ULONG)NotificationType) {
    case RequestComplete:
    case RequestDirectComplete:
        srb_completed(adapter, va_arg(arguments, void *));
        break;
    case NextRequest:
    case NextLuRequest:
    case LinkUp:
    case LinkDown:
    case ResetDetected:
    case WMIEvent:
    case WMIReregister:
    case TraceNotification:
    case StateChangeDetectedCall:
    case AsyncNotificationDetected:
    case IoTargetRequestServiceTime:
        break;
    case BusChangeDetected:
        InterlockedIncrement(&adapter->changes);
        adapter_rescan_soon(adapter);
        break;
    case RequestTimerCall:
        request_timer(adapter, arguments);
        break;
    case EnablePassiveInitialization:
        enable_passive_initialization(adapter, arguments);
        break;
    default:
        port_violation("notification: type 0x%lx is not known to this bed", (ULONG)NotificationType);
        break;
    }
    va_end(arguments);
}

/* ---- queues ---- */

enum unit_action { SET_DEPTH, PAUSE, RESUME, BUSY, READY };

static void act_locked(struct unit *unit, enum unit_action action, ULONG value)
{
    struct adapter *adapter = unit->adapter;

    switch (action) {
    case SET_DEPTH:
        unit->depth = value < adapter->config.MaxIOsPerLun ? value : adapter->config.MaxIOsPerLun;
        break;
    case PAUSE:
        unit->paused_until = adapter->seconds + value + 1;
        break;
    case RESUME:
        unit->paused_until = 0;
        break;
    case BUSY:
        unit->busy_remaining = value < unit->outstanding_count ? value : unit->outstanding_count;
        break;
    case READY:
        unit->busy_remaining = 0;
        break;
    }
}

/* Injected: of what may be refused. */
static BOOLEAN is_refused(struct adapter *adapter, enum unit_action action)
{
    return (action == SET_DEPTH || action == PAUSE) && adapter->fail_units > 0 &&
           InterlockedDecrement(&adapter->fail_units) >= 0;
}

static BOOLEAN unit_act(void *extension, UCHAR path, UCHAR target, UCHAR lun, enum unit_action action, ULONG value,
                        const char *caller)
{
    struct adapter *adapter = adapter_of_extension(extension, caller);
    struct unit *unit;
    KIRQL irql;

    if (adapter == NULL || is_refused(adapter, action)) {
        return FALSE;
    }
    KeAcquireSpinLock(&adapter->lock, &irql);
    unit = unit_find_locked(adapter, path, target, lun);
    if (unit != NULL) {
        unit_reference(unit);
        act_locked(unit, action, value);
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    if (unit == NULL) {
        return FALSE;
    }
    unit_ready(unit);
    unit_release(unit);
    return TRUE;
}

BOOLEAN NTAPI StorPortSetDeviceQueueDepth(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun, ULONG Depth)
{
    if (Depth == 0) {
        port_violation("queue-depth: StorPortSetDeviceQueueDepth with depth 0");
        return FALSE;
    }
    return unit_act(HwDeviceExtension, PathId, TargetId, Lun, SET_DEPTH, Depth, "StorPortSetDeviceQueueDepth");
}

BOOLEAN NTAPI StorPortPauseDevice(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun, ULONG TimeOut)
{
    return unit_act(HwDeviceExtension, PathId, TargetId, Lun, PAUSE, TimeOut, "StorPortPauseDevice");
}

BOOLEAN NTAPI StorPortResumeDevice(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun)
{
    return unit_act(HwDeviceExtension, PathId, TargetId, Lun, RESUME, 0, "StorPortResumeDevice");
}

BOOLEAN NTAPI StorPortDeviceBusy(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun,
                                 ULONG RequestsToComplete)
{
    return unit_act(HwDeviceExtension, PathId, TargetId, Lun, BUSY, RequestsToComplete, "StorPortDeviceBusy");
}

BOOLEAN NTAPI StorPortDeviceReady(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun)
{
    return unit_act(HwDeviceExtension, PathId, TargetId, Lun, READY, 0, "StorPortDeviceReady");
}

static BOOLEAN adapter_act(void *extension, enum unit_action action, ULONG value, const char *caller)
{
    struct adapter *adapter = adapter_of_extension(extension, caller);
    KIRQL irql;

    if (adapter == NULL) {
        return FALSE;
    }
    KeAcquireSpinLock(&adapter->lock, &irql);
    if (action == PAUSE) {
        adapter->paused_until = adapter->seconds + value + 1;
    } else if (action == RESUME) {
        adapter->paused_until = 0;
    } else {
        adapter->busy_remaining = value < adapter->outstanding ? value : adapter->outstanding;
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    adapter_pump(adapter);
    return TRUE;
}

BOOLEAN NTAPI StorPortPause(PVOID HwDeviceExtension, ULONG TimeOut)
{
    return adapter_act(HwDeviceExtension, PAUSE, TimeOut, "StorPortPause");
}

BOOLEAN NTAPI StorPortResume(PVOID HwDeviceExtension)
{
    return adapter_act(HwDeviceExtension, RESUME, 0, "StorPortResume");
}

BOOLEAN NTAPI StorPortBusy(PVOID HwDeviceExtension, ULONG RequestsToComplete)
{
    return adapter_act(HwDeviceExtension, BUSY, RequestsToComplete, "StorPortBusy");
}

BOOLEAN NTAPI StorPortReady(PVOID HwDeviceExtension)
{
    return adapter_act(HwDeviceExtension, READY, 0, "StorPortReady");
}

VOID NTAPI StorPortCompleteRequest(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun, UCHAR SrbStatus)
{
    struct adapter *adapter = adapter_of_extension(HwDeviceExtension, "StorPortCompleteRequest");

    if (adapter != NULL) {
        requests_complete(adapter, PathId, TargetId, Lun, SrbStatus);
    }
}

PVOID NTAPI StorPortGetLogicalUnit(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun)
{
    struct adapter *adapter = adapter_of_extension(HwDeviceExtension, "StorPortGetLogicalUnit");
    struct unit *unit;
    void *extension;
    KIRQL irql;

    if (adapter == NULL) {
        return NULL;
    }
    KeAcquireSpinLock(&adapter->lock, &irql);
    unit = unit_find_locked(adapter, PathId, TargetId, Lun);
    extension = unit != NULL ? unit->extension : NULL;
    KeReleaseSpinLock(&adapter->lock, irql);
    return extension;
}

PSCSI_REQUEST_BLOCK NTAPI StorPortGetSrb(PVOID HwDeviceExtension, UCHAR PathId, UCHAR TargetId, UCHAR Lun,
                                         LONG QueueTag)
{
    UNREFERENCED_PARAMETER(HwDeviceExtension);
    UNREFERENCED_PARAMETER(PathId);
    UNREFERENCED_PARAMETER(TargetId);
    UNREFERENCED_PARAMETER(Lun);
    UNREFERENCED_PARAMETER(QueueTag);
    return NULL; /* requests of this bed have no tags */
}
