/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An adapter's life:
 *
 *   ADDED --adapter_start--> RUNNING --adapter_stop--> STOPPED --adapter_restart--> RUNNING
 *                               |                         |
 *                               +-----adapter_remove------+--> LEAVING --> GONE
 */
#include "bed/port/internal.h"

#define STOP_TIMEOUT_S 30

/* ---- start ---- */

static void query_controls(struct adapter *adapter)
{
    UCHAR buffer[sizeof(ULONG) + ScsiAdapterControlMax + 1] = {0};
    SCSI_SUPPORTED_CONTROL_TYPE_LIST *list = (SCSI_SUPPORTED_CONTROL_TYPE_LIST *)buffer;

    if (adapter->miniport->hw.HwAdapterControl == NULL) {
        return;
    }
    list->MaxControlType = ScsiAdapterControlMax;
    adapter->miniport->hw.HwAdapterControl(adapter->extension, ScsiQuerySupportedControlTypes, list);
    if (list->MaxControlType != ScsiAdapterControlMax) {
        port_violation("adapter-control: ScsiQuerySupportedControlTypes changed MaxControlType to %lu",
                       list->MaxControlType);
    }
    if (list->SupportedTypeList[ScsiAdapterControlMax]) {
        port_violation("adapter-control: ScsiQuerySupportedControlTypes wrote beyond MaxControlType entries");
    }
    for (ULONG i = 0; i < 8; i++) {
        adapter->controls |= list->SupportedTypeList[i] ? (UCHAR)(1u << i) : 0;
    }
}

static NTSTATUS find_adapter(struct adapter *adapter)
{
    PVIRTUAL_HW_FIND_ADAPTER find = (PVIRTUAL_HW_FIND_ADAPTER)adapter->miniport->hw.HwFindAdapter;
    PORT_CONFIGURATION_INFORMATION before;
    UCHAR again = 0;
    ULONG answer;

    configuration_init(adapter);
    before = adapter->config;
    answer = find(adapter->extension, adapter->miniport->context, adapter->lower, adapter->lower, NULL,
                  &adapter->config, &again);
    if (answer != SP_RETURN_FOUND) {
        port_log("HwFindAdapter answered %lu", answer);
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    configuration_check(adapter, &before);
    return STATUS_SUCCESS;
}

static NTSTATUS initialize(struct adapter *adapter)
{
    BOOLEAN fine;

    adapter->initializing = TRUE;
    fine = adapter->miniport->hw.HwInitialize(adapter->extension);
    adapter->initializing = FALSE;
    if (fine && adapter->passive_initialize != NULL) {
        fine = adapter->passive_initialize(adapter->extension);
    }
    return fine ? STATUS_SUCCESS : STATUS_ADAPTER_HARDWARE_ERROR;
}

NTSTATUS adapter_start(struct adapter *adapter)
{
    NTSTATUS status;

    device_arrives(&adapter->device);
    adapter->config.DeviceExtensionSize = adapter->miniport->hw.DeviceExtensionSize;
    status = extension_create(adapter);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (adapter->miniport->hw.HwInitializeTracing != NULL) {
        adapter->miniport->hw.HwInitializeTracing(adapter->miniport->driver, &adapter->miniport->registry_path);
    }
    status = find_adapter(adapter);
    if (!NT_SUCCESS(status)) {
        extension_bury(adapter);
        return status;
    }
    query_controls(adapter);
    adapter->state = ADAPTER_RUNNING;
    list_append(&adapter->hw_timers, &adapter->notification_timer.link);
    issuers_start(adapter);
    status = clock_start(adapter);
    if (NT_SUCCESS(status)) {
        status = initialize(adapter);
    }
    if (!NT_SUCCESS(status)) {
        port_log("HwInitialize failed");
        adapter_remove(adapter);
    }
    return status;
}

/* ---- stop ---- */

static BOOLEAN control(struct adapter *adapter, SCSI_ADAPTER_CONTROL_TYPE type)
{
    unsigned char irql;
    SCSI_ADAPTER_CONTROL_STATUS answer;

    if ((adapter->controls & (1u << type)) == 0) {
        return TRUE;
    }
    irql = bed_irql_raise(DISPATCH_LEVEL);
    answer = adapter->miniport->hw.HwAdapterControl(adapter->extension, type, NULL);
    bed_irql_lower(irql);
    return answer == ScsiAdapterControlSuccess;
}

static BOOLEAN is_idle(struct adapter *adapter)
{
    BOOLEAN idle;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    idle = adapter->activity == 0 && adapter->pumps == NULL;
    KeReleaseSpinLock(&adapter->lock, irql);
    return idle;
}

/* Waits until the miniport has given back every SRB; what it keeps is reported. */
static void drain(struct adapter *adapter, const char *when)
{
    LARGE_INTEGER pause = {.QuadPart = -20 * 10000};

    for (ULONG i = 0; i < STOP_TIMEOUT_S * 50 && !is_idle(adapter); i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    if (adapter->outstanding != 0) {
        port_violation("never-completed: %lu SRBs were still not completed %u s after %s", adapter->outstanding,
                       STOP_TIMEOUT_S, when);
    }
}

void adapter_stop(struct adapter *adapter)
{
    if (adapter->state != ADAPTER_RUNNING) {
        return;
    }
    adapter_hold(adapter);
    drain(adapter, "the adapter's queues had been held for a stop");
    adapter->state = ADAPTER_STOPPED;
    if (!control(adapter, ScsiStopAdapter)) {
        port_log("ScsiStopAdapter failed");
    }
}

NTSTATUS adapter_restart(struct adapter *adapter)
{
    if (adapter->state != ADAPTER_STOPPED) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (!control(adapter, ScsiRestartAdapter)) {
        port_log("ScsiRestartAdapter failed");
        return STATUS_ADAPTER_HARDWARE_ERROR;
    }
    adapter->state = ADAPTER_RUNNING;
    adapter_unhold(adapter);
    return STATUS_SUCCESS;
}

static void remove_units(struct adapter *adapter)
{
    topology_lock();
    while (!list_is_empty(&adapter->units)) {
        struct unit *unit = list_member(adapter->units.next, struct unit, link);

        if (unit->disk != NULL) {
            disk_unlink(unit->disk);
            unit->disk->missing = TRUE;
        }
        unit_kill(unit);
    }
    topology_unlock();
}

/* Whatever state it is in; afterwards the miniport knows nothing of this adapter any more. PASSIVE_LEVEL. */
void adapter_remove(struct adapter *adapter)
{
    const HW_INITIALIZATION_DATA *hw = &adapter->miniport->hw;
    BOOLEAN running = adapter->state == ADAPTER_RUNNING;

    if (!running && adapter->state != ADAPTER_STOPPED) {
        adapter->state = ADAPTER_GONE;
        return;
    }
    adapter->state = ADAPTER_LEAVING;
    remove_units(adapter);
    services_end(adapter);
    if (running) {
        adapter_hold(adapter);
        drain(adapter, "the adapter's removal began");
        control(adapter, ScsiStopAdapter);
    }
    clock_stop(adapter);
    issuers_stop(adapter);
    if (hw->HwFreeAdapterResources != NULL) {
        hw->HwFreeAdapterResources(adapter->extension);
    }
    adapter->state = ADAPTER_GONE;
    if (hw->HwCleanupTracing != NULL) {
        hw->HwCleanupTracing(adapter->miniport->driver);
    }
    memory_check(adapter);
    hw_timers_check(adapter);
    guards_check(adapter);
    requests_check(adapter);
    extension_bury(adapter);
    requests_free(adapter);
}
