/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The injections of control.h. In a worker, PASSIVE_LEVEL. */
#include "bed/port/internal.h"
#include "bed/port/control.h"

#define RESCAN_TIMEOUT_S    30
#define SHUT_DOWN_TIMEOUT_S 10

static void age_outstanding(struct adapter *adapter, struct unit *unit)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    for (struct list_link *link = unit->outstanding.next; link != &unit->outstanding; link = link->next) {
        list_member(link, struct request, link)->deadline = adapter->seconds;
    }
    KeReleaseSpinLock(&adapter->lock, irql);
}

/* A command without data, once. */
static NTSTATUS execute(struct unit *unit, const UCHAR *cdb, UCHAR cdb_length)
{
    struct request *request = request_take(unit);
    struct judgement judgement;

    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    command_scsi(&request->command, cdb, cdb_length, SRB_FLAGS_NO_DATA_TRANSFER | SRB_FLAGS_NO_QUEUE_FREEZE,
                 SHUT_DOWN_TIMEOUT_S);
    request_run(request);
    judge(&request->outcome, &judgement);
    request_give(request);
    return judgement.status;
}

/* As disk.sys at IRP_MJ_SHUTDOWN and when the disk's power goes: the cache, then the unit. */
static NTSTATUS shut_down(struct disk *disk)
{
    static const UCHAR synchronize_cache[10] = {SCSIOP_SYNCHRONIZE_CACHE};
    static const UCHAR stop_unit[6] = {SCSIOP_START_STOP_UNIT};
    NTSTATUS status = STATUS_SUCCESS;

    if (disk->write_cache) {
        status = execute(disk->unit, synchronize_cache, sizeof(synchronize_cache));
    }
    return NT_SUCCESS(status) ? execute(disk->unit, stop_unit, sizeof(stop_unit)) : status;
}

static NTSTATUS inject_disk(struct disk *disk, const struct bed_injection *injection)
{
    switch (injection->kind) {
    case BED_INJECT_RESET_LUN:
        unit_recover(disk->unit, RECOVERY_LUN_RESET);
        return STATUS_SUCCESS;
    case BED_INJECT_RESET_TARGET:
        unit_recover(disk->unit, RECOVERY_TARGET_RESET);
        return STATUS_SUCCESS;
    case BED_INJECT_RESET_BUS:
        unit_recover(disk->unit, RECOVERY_BUS_RESET);
        return STATUS_SUCCESS;
    case BED_INJECT_SHUT_DOWN:
        return shut_down(disk);
    case BED_INJECT_ABORT:
        unit_abort_oldest(disk->unit);
        return STATUS_SUCCESS;
    case BED_INJECT_FORCE_TIMEOUT:
        age_outstanding(disk->adapter, disk->unit);
        return STATUS_SUCCESS;
    case BED_INJECT_SURPRISE:
        disk_begin_removal(disk);
        disk->query_removed = FALSE;
        disk->missing = TRUE;
        unit_kill(disk->unit);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

static NTSTATUS rescan(struct adapter *adapter)
{
    LARGE_INTEGER pause = {.QuadPart = -5 * 10000};
    ULONG before = adapter->scans;

    adapter_rescan_soon(adapter);
    for (ULONG i = 0; i < RESCAN_TIMEOUT_S * 200 && adapter->scans == before; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    return adapter->scans != before ? STATUS_SUCCESS : STATUS_IO_TIMEOUT;
}

static NTSTATUS inject_adapter(struct adapter *adapter, const struct bed_injection *injection)
{
    switch (injection->kind) {
    case BED_INJECT_RESET_BUS:
        adapter_reset_bus(adapter, 0);
        return STATUS_SUCCESS;
    case BED_INJECT_STOP_ADAPTER:
        adapter_stop(adapter);
        return STATUS_SUCCESS;
    case BED_INJECT_RESTART_ADAPTER:
        return adapter_restart(adapter);
    case BED_INJECT_FAIL_MAPPING:
        adapter->fail_mappings = (LONG)injection->count;
        return STATUS_SUCCESS;
    case BED_INJECT_FAIL_MDL:
        adapter->fail_mdls = (LONG)injection->count;
        return STATUS_SUCCESS;
    case BED_INJECT_FAIL_UNIT:
        adapter->fail_units = (LONG)injection->count;
        return STATUS_SUCCESS;
    case BED_INJECT_FAIL_POOL:
        adapter->fail_pool = (LONG)injection->count;
        return STATUS_SUCCESS;
    case BED_INJECT_NEW_DISKS:
        adapter->new_disks = injection->count;
        return STATUS_SUCCESS;
    case BED_INJECT_RESCAN:
        return rescan(adapter);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS control_inject(struct bed_injection *injection)
{
    struct adapter *adapter;
    struct disk *disk;
    NTSTATUS status = STATUS_NO_SUCH_DEVICE;

    injection->instance[BED_INSTANCE_LENGTH - 1] = 0;
    topology_lock();
    adapter = control_find_adapter(injection->instance);
    disk = control_find_disk(injection->instance);
    if (disk != NULL) {
        status = inject_disk(disk, injection);
    }
    topology_unlock();
    return adapter != NULL ? inject_adapter(adapter, injection) : status;
}
