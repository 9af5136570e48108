/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who lives on the adapter's buses. LUN 0 of each target is asked with INQUIRY; when it is there REPORT LUNS names the
 * others. New disks get a device, those that no longer answer are taken off. PASSIVE_LEVEL, one scan at a time.
 */
#include "bed/port/internal.h"
#include "bed/port/relations.h"

/* Taken without raising the IRQL: its holders call what needs PASSIVE_LEVEL. */
static FAST_MUTEX topology;

void topology_init(void)
{
    ExInitializeFastMutex(&topology);
}

void topology_lock(void)
{
    ExAcquireFastMutexUnsafe(&topology);
}

void topology_unlock(void)
{
    ExReleaseFastMutexUnsafe(&topology);
}

/* With unit_release; NULL when nobody is known there. */
static struct unit *known_unit(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun)
{
    struct unit *unit;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->lock, &irql);
    unit = unit_find_locked(adapter, path, target, lun);
    if (unit != NULL) {
        unit_reference(unit);
    }
    KeReleaseSpinLock(&adapter->lock, irql);
    return unit;
}

static void lose(struct unit *unit)
{
    struct disk *disk = unit->disk;

    port_log("target %u LUN %u is gone", unit->target, unit->lun);
    if (disk != NULL) {
        disk->missing = TRUE;
        disk_unlink(disk);
    }
    unit_kill(unit);
    if (disk != NULL && !disk->reported) {
        disk_delete(disk);
    }
}

/* Somebody answers where a disk is known: the same one, or another in its place. INQUIRY data and serial number tell.
 */
static BOOLEAN is_still_the_same(struct unit *unit, const struct identity *now)
{
    const struct identity *known = unit->disk != NULL ? &unit->disk->identity : NULL;
    UCHAR serial[128];

    if (known == NULL) {
        return TRUE; /* ejected: whoever it is now */
    }
    if (RtlCompareMemory(known->inquiry, now->inquiry, 36) != 36) {
        return FALSE;
    }
    return known->serial_length == 0 ||
           (unit_serial(unit, serial, sizeof(serial)) == known->serial_length &&
            RtlCompareMemory(known->serial, serial, known->serial_length) == known->serial_length);
}

static BOOLEAN is_disk(const struct identity *identity)
{
    return (identity->inquiry[0] & 0x1F) == 0;
}

static BOOLEAN check_known(struct unit *unit, struct identity *identity)
{
    BOOLEAN present = unit_identify(unit, identity);

    if (!present || !is_still_the_same(unit, identity) ||
        (unit->ejected && unit->ejected_change != unit->adapter->changes)) {
        lose(unit);
        return FALSE;
    }
    return TRUE;
}

static BOOLEAN probe(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun, struct identity *identity)
{
    struct unit *unit = unit_create(adapter, path, target, lun);
    BOOLEAN present;

    if (unit == NULL) {
        return FALSE;
    }
    present = unit_identify(unit, identity);
    if (present && is_disk(identity)) {
        unit_identify_pages(unit, identity);
        if (NT_SUCCESS(disk_create(unit, identity))) {
            return TRUE;
        }
    }
    unit_kill(unit);
    return present;
}

/* Brings one address up to date; TRUE when somebody lives there. */
static BOOLEAN scan_address(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun)
{
    struct identity *identity = ExAllocatePoolWithTag(PagedPool, sizeof(*identity), PORT_TAG);
    struct unit *unit;
    BOOLEAN present;

    if (identity == NULL) {
        return FALSE;
    }
    unit = known_unit(adapter, path, target, lun);
    if (unit != NULL) {
        present = check_known(unit, identity);
        unit_release(unit);
        present = present || probe(adapter, path, target, lun, identity);
    } else {
        present = probe(adapter, path, target, lun, identity);
    }
    ExFreePoolWithTag(identity, PORT_TAG);
    return present;
}

/* A LUN that is known but was not reported is asked as well, so that it is found gone. */
static void scan_luns(struct adapter *adapter, UCHAR path, UCHAR target)
{
    struct unit *zero = known_unit(adapter, path, target, 0);
    UCHAR luns[255];
    BOOLEAN wanted[256] = {FALSE};
    ULONG count;

    if (zero != NULL) {
        count = unit_report_luns(zero, luns, sizeof(luns));
        unit_release(zero);
        for (ULONG i = 0; i < count; i++) {
            wanted[luns[i]] = TRUE;
        }
    }
    for (ULONG lun = 1; lun < adapter->config.MaximumNumberOfLogicalUnits; lun++) {
        struct unit *unit = known_unit(adapter, path, target, (UCHAR)lun);

        if (unit != NULL) {
            unit_release(unit);
            wanted[lun] = TRUE;
        }
        if (wanted[lun]) {
            scan_address(adapter, path, target, (UCHAR)lun);
        }
    }
}

void adapter_scan(struct adapter *adapter)
{
    topology_lock();
    for (ULONG path = 0; path < adapter->config.NumberOfBuses && adapter->state == ADAPTER_RUNNING; path++) {
        for (ULONG target = 0; target < adapter->config.MaximumNumberOfTargets; target++) {
            scan_address(adapter, (UCHAR)path, (UCHAR)target, 0);
            if (adapter->config.MaximumNumberOfLogicalUnits > 1) {
                scan_luns(adapter, (UCHAR)path, (UCHAR)target);
            }
        }
    }
    adapter->scans++;
    topology_unlock();
}

/* BusChangeDetected: the PnP manager asks for the relations soon, which scans. Any IRQL up to DISPATCH_LEVEL. */
void adapter_rescan_soon(struct adapter *adapter)
{
    if (adapter->state == ADAPTER_RUNNING && !adapter->initializing) {
        relations_invalidate(adapter);
    }
}
