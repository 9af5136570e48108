/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IRP_MJ_PNP of a disk, and the bus relations that bring disks to the PnP manager and take them away. */
#include "bed/port/internal.h"

/* ---- bus relations ---- */

static BOOLEAN is_to_report(const struct unit *unit)
{
    return unit->disk != NULL && !unit->disk->missing && !unit->disk->query_removed;
}

static ULONG collect_locked(struct adapter *adapter, DEVICE_RELATIONS *relations)
{
    ULONG count = 0;

    for (struct list_link *at = adapter->units.next; at != &adapter->units; at = at->next) {
        struct unit *unit = list_member(at, struct unit, link);

        if (!is_to_report(unit)) {
            continue;
        }
        if (relations != NULL) {
            unit->disk->reported = TRUE;
            relations->Objects[count] = unit->disk->device.object;
            ObReferenceObject(unit->disk->device.object);
        }
        count++;
    }
    return count;
}

/* QUERY_DEVICE_RELATIONS: scans, then answers with the disks that are there. */
NTSTATUS bus_relations(struct adapter *adapter, IRP *irp)
{
    DEVICE_RELATIONS *relations;
    ULONG room;
    KIRQL irql;

    if (adapter->state == ADAPTER_RUNNING) {
        adapter_scan(adapter);
    }
    KeAcquireSpinLock(&adapter->lock, &irql);
    room = collect_locked(adapter, NULL);
    KeReleaseSpinLock(&adapter->lock, irql);
    relations = ExAllocatePoolWithTag(PagedPool, sizeof(*relations) + (room + 1) * sizeof(void *), PORT_TAG);
    if (relations == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&adapter->lock, &irql);
    if (collect_locked(adapter, NULL) <= room + 1) {
        relations->Count = collect_locked(adapter, relations);
    } else {
        relations->Count = 0; /* another scan ran meanwhile: it invalidated the relations again */
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    irp->IoStatus.Information = (ULONG_PTR)relations;
    return STATUS_SUCCESS;
}

/* ---- PnP requests to the miniport ---- */

/* SRB_FUNCTION_PNP for the unit; `data`, of `length` bytes, is the miniport's to fill. False: it did not succeed. */
static BOOLEAN ask_miniport(struct unit *unit, STOR_PNP_ACTION action, void *data, ULONG length)
{
    struct request *request;
    BOOLEAN success;

    if (unit->dead || unit->adapter->state == ADAPTER_STOPPED) { /* which has no power to be told anything */
        return FALSE;
    }
    request = request_take(unit);
    if (request == NULL) {
        return FALSE;
    }
    request->command.function = SRB_FUNCTION_PNP;
    request->command.pnp_action = (UCHAR)action;
    request->command.timeout_s = 10;
    command_data(request, data, length);
    request_run(request);
    success = request->outcome.srb_status == SRB_STATUS_SUCCESS;
    request_give(request);
    return success;
}

/* Told, not asked: a refusal has no consequence. */
static void tell_miniport(struct unit *unit, STOR_PNP_ACTION action)
{
    ask_miniport(unit, action, NULL, 0);
}

static NTSTATUS query_id(struct disk *disk, IRP *irp)
{
    BUS_QUERY_ID_TYPE type = IoGetCurrentIrpStackLocation(irp)->Parameters.QueryId.IdType;
    WCHAR *id = disk_id(disk, type);

    if (id == NULL) {
        return irp_finish(irp, irp->IoStatus.Status, irp->IoStatus.Information);
    }
    return irp_finish(irp, STATUS_SUCCESS, (ULONG_PTR)id);
}

/* With STOR_FEATURE_FULL_PNP_DEVICE_CAPABILITIES the miniport has a say. */
static void ask_capabilities(struct disk *disk, DEVICE_CAPABILITIES *capabilities)
{
    STOR_DEVICE_CAPABILITIES_EX *said = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*said), PORT_TAG);

    if (said == NULL) {
        return;
    }
    RtlZeroMemory(said, sizeof(*said));
    said->Version = STOR_DEVICE_CAPABILITIES_EX_VERSION_1;
    said->Size = sizeof(*said);
    if (ask_miniport(disk->unit, StorQueryCapabilities, said, sizeof(*said))) {
        capabilities->Removable = said->Removable;
        capabilities->EjectSupported = said->EjectSupported;
        capabilities->SilentInstall = said->SilentInstall;
        capabilities->SurpriseRemovalOK = said->SurpriseRemovalOK;
    }
    ExFreePoolWithTag(said, PORT_TAG);
}

static NTSTATUS query_capabilities(struct disk *disk, IRP *irp)
{
    DEVICE_CAPABILITIES *capabilities = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceCapabilities.Capabilities;

    capabilities->UniqueID = TRUE;
    capabilities->RawDeviceOK = TRUE;
    capabilities->SurpriseRemovalOK = TRUE;
    if ((disk->adapter->miniport->hw.FeatureSupport & STOR_FEATURE_FULL_PNP_DEVICE_CAPABILITIES) != 0) {
        ask_capabilities(disk, capabilities);
    }
    capabilities->Address = disk->unit->target;
    return irp_finish(irp, STATUS_SUCCESS, irp->IoStatus.Information);
}

static NTSTATUS target_relation(struct disk *disk, IRP *irp)
{
    DEVICE_RELATIONS *relations;

    if (IoGetCurrentIrpStackLocation(irp)->Parameters.QueryDeviceRelations.Type != TargetDeviceRelation) {
        return irp_finish(irp, irp->IoStatus.Status, irp->IoStatus.Information);
    }
    relations = ExAllocatePoolWithTag(PagedPool, sizeof(*relations), PORT_TAG);
    if (relations == NULL) {
        return irp_finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    relations->Count = 1;
    relations->Objects[0] = disk->device.object;
    ObReferenceObject(disk->device.object);
    return irp_finish(irp, STATUS_SUCCESS, (ULONG_PTR)relations);
}

static NTSTATUS surprise(struct disk *disk, IRP *irp)
{
    disk_unlink(disk);
    if (!disk->missing && !disk->query_removed) {
        tell_miniport(disk->unit, StorSurpriseRemoval);
    }
    return irp_finish(irp, STATUS_SUCCESS, 0);
}

/* A unit that still answers stays without a disk until it has been gone once, so that the next scan does not bring it
 * back. */
static NTSTATUS remove_device(struct disk *disk, IRP *irp)
{
    struct unit *unit = disk->unit;
    NTSTATUS status;

    if (disk_state(disk) != DISK_GONE) {
        tell_miniport(unit, StorRemoveDevice);
    }
    topology_lock();
    unit->ejected = !unit->dead;
    unit->ejected_change = disk->adapter->changes;
    status = irp_finish(irp, STATUS_SUCCESS, 0);
    disk_delete(disk);
    topology_unlock();
    return status;
}

NTSTATUS disk_pnp(struct disk *disk, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        disk_start(disk);
        return irp_finish(irp, STATUS_SUCCESS, 0);
    case IRP_MN_QUERY_ID:
        return query_id(disk, irp);
    case IRP_MN_QUERY_CAPABILITIES:
        return query_capabilities(disk, irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return target_relation(disk, irp);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        return irp_finish(irp, STATUS_SUCCESS, 0);
    case IRP_MN_SURPRISE_REMOVAL:
        return surprise(disk, irp);
    case IRP_MN_REMOVE_DEVICE:
        return remove_device(disk, irp);
    default:
        return irp_finish(irp, irp->IoStatus.Status, irp->IoStatus.Information);
    }
}
