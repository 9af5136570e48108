/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/disks.h"

#include "wnbd-service/disk.h"
#include "wnbd-service/event.h"

#include <stdio.h>
#include <string.h>

#define CANCEL_AGAIN_MS 50
#define FORGET_ASK_MS   (30 * 1000)

static struct disk *first;

/* ---- Records and disks ---- */

/* A record that cannot be read at all is bad, too. False: it has just gone. */
static bool read_record(const char *name, WNBD_PROPERTIES *properties, char problem[RECORD_PROBLEM_SIZE])
{
    DWORD error;

    problem[0] = '\0';
    error = record_read(name, properties, problem);
    if (error == ERROR_SUCCESS)
        return true;
    memset(properties, 0, sizeof(*properties));
    snprintf(properties->InstanceName, sizeof(properties->InstanceName), "%s", name);
    if (!problem[0])
        snprintf(problem, RECORD_PROBLEM_SIZE, "the registry gives error %lu", error);
    return error != ERROR_FILE_NOT_FOUND;
}

static bool is_of(const struct disk *disk, const WNBD_PROPERTIES *properties, const char *problem)
{
    WNBD_PROPERTIES recorded = disk->properties;

    memset(recorded.Owner, 0, sizeof(recorded.Owner)); /* the one thing that is not in a record */
    return memcmp(&recorded, properties, sizeof(recorded)) == 0 && strcmp(disk->problem, problem) == 0;
}

static struct disk *find(const char *name)
{
    for (struct disk *disk = first; disk; disk = disk->next) {
        if (strcmp(disk->properties.InstanceName, name) == 0)
            return disk;
    }
    return NULL;
}

static bool is_still_recorded(const struct disk *disk)
{
    char problem[RECORD_PROBLEM_SIZE];
    WNBD_PROPERTIES properties;

    return read_record(disk->properties.InstanceName, &properties, problem) && is_of(disk, &properties, problem);
}

/* ---- Letting go ---- */

static void forget(struct disk *disk)
{
    disk_set_end(GetTickCount64() + FORGET_ASK_MS);
    disk_stop(disk, true);
    while (!disk_has_ended(disk))
        Sleep(CANCEL_AGAIN_MS);
    if (!disk->problem[0])
        event_report(EVENT_FORGOTTEN, disk->properties.InstanceName, NULL, NULL);
    disk_free(disk);
}

static void forget_changed(void)
{
    for (struct disk **link = &first; *link;) {
        struct disk *disk = *link;

        if (is_still_recorded(disk)) {
            link = &disk->next;
        } else {
            *link = disk->next;
            forget(disk);
        }
    }
}

/* ---- Taking on ---- */

static DWORD take(const char *name)
{
    char problem[RECORD_PROBLEM_SIZE];
    WNBD_PROPERTIES properties;
    struct disk *disk;

    if (find(name) || !read_record(name, &properties, problem))
        return ERROR_SUCCESS;
    disk = disk_start(&properties, problem);
    if (!disk)
        return ERROR_NOT_ENOUGH_MEMORY;
    disk->next = first;
    first = disk;
    return ERROR_SUCCESS;
}

DWORD disks_read(void)
{
    struct record_names records;
    DWORD error = record_names_read(&records);

    if (error == ERROR_SUCCESS)
        forget_changed();
    for (size_t i = 0; i < records.count && error == ERROR_SUCCESS; i++)
        error = take(records.names[i]);
    record_names_free(&records);
    return error;
}

/* ---- All of them ---- */

struct disks_count disks_count(void)
{
    struct disks_count count = {0};

    for (struct disk *disk = first; disk; disk = disk->next) {
        count.all++;
        count.mapped += disk_state(disk) == DISK_MAPPED;
        count.bad += disk_state(disk) == DISK_BAD;
    }
    return count;
}

void disks_tell(bool has_come)
{
    for (struct disk *disk = first; disk; disk = disk->next)
        disk_tell(disk, has_come);
}

void disks_stop(ULONGLONG end_ms)
{
    disk_set_end(end_ms);
    for (struct disk *disk = first; disk; disk = disk->next)
        disk_stop(disk, false);
}

bool disks_have_ended(void)
{
    while (first && disk_has_ended(first)) {
        struct disk *next = first->next;

        disk_free(first);
        first = next;
    }
    for (struct disk *disk = first; disk; disk = disk->next)
        disk_has_ended(disk); /* cancels */
    return !first;
}
