/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/guard.h"

#include "wnbd-service/adapter.h"
#include "wnbd-service/attempt.h"
#include "wnbd-service/event.h"

#define SETTLE_MS     1000        /* of the adapter and of its disks Windows tells one after the other */
#define LOOK_AGAIN_MS (10 * 1000) /* a mapping may end some time after its device, of which Windows tells */

/* What has become of a mapped disk. */
enum fate {
    FATE_IS_THERE,
    FATE_STOPPED, /* by the service: it is there */
    FATE_UNMAPPED,
    FATE_WITH_ADAPTER,
    FATE_CLIENT_ENDED,
};

/* ---- A disk whose NBD client is this process: the client knows ---- */

static enum fate fate_of(DWORD daemon_result)
{
    switch (daemon_result) {
    case ERROR_SUCCESS:
        return FATE_UNMAPPED;
    case ERROR_SHUTDOWN_IN_PROGRESS:
    case ERROR_DEVICE_REMOVED:
        return FATE_WITH_ADAPTER;
    default:
        return FATE_CLIENT_ENDED;
    }
}

static enum fate await_daemon(struct disk *disk, struct daemon *daemon, char reason[WORDS_SIZE])
{
    HANDLE either[] = {disk->stop, daemon->thread};

    if (WaitForMultipleObjects(ARRAYSIZE(either), either, FALSE, INFINITE) == WAIT_OBJECT_0)
        return FATE_STOPPED;
    return fate_of(daemon_end(daemon, reason));
}

/* ---- A disk whose NBD client is the driver: one looks when Windows tells of something ---- */

/* Asks the driver alone. Plug and Play may hang when a disk does. */
static enum fate look(struct disk *disk)
{
    LONG turns = adapter_turns();
    WNBD_DRV_STATS ignored;

    switch (WnbdGetDriverStats(disk->properties.InstanceName, &ignored)) {
    case ERROR_SUCCESS:
        disk->turns = turns;
        break;
    case ERROR_OPEN_FAILED:
        return FATE_WITH_ADAPTER;
    case ERROR_FILE_NOT_FOUND:
        return turns != disk->turns || !adapter_takes_disks() ? FATE_WITH_ADAPTER : FATE_UNMAPPED;
    default: /* nothing is known: the next time may be better */
        break;
    }
    return FATE_IS_THERE;
}

/* False: it is stopped. */
static bool settle(struct disk *disk)
{
    return WaitForSingleObject(disk->stop, SETTLE_MS) == WAIT_TIMEOUT;
}

/* Looks once in the beginning: the disk may have gone before anybody knew that it was mapped. */
static enum fate watch(struct disk *disk)
{
    HANDLE either[] = {disk->stop, disk->news};
    DWORD timeout_ms = LOOK_AGAIN_MS;
    enum fate fate = FATE_IS_THERE;

    while (fate == FATE_IS_THERE) {
        DWORD result = WaitForMultipleObjects(ARRAYSIZE(either), either, FALSE, timeout_ms);

        if (result == WAIT_OBJECT_0 || !settle(disk))
            return FATE_STOPPED;
        fate = look(disk);
        timeout_ms = result == WAIT_TIMEOUT ? INFINITE : LOOK_AGAIN_MS;
    }
    return fate;
}

/* ---- After it has gone ---- */

/* Somebody may map it again, and the service unmaps it then as if nothing had been. One that this process would serve
 * is nobody else's to map. False: it is stopped. */
static bool await_return(struct disk *disk)
{
    HANDLE either[] = {disk->stop, disk->news};
    DWORD count = disk->properties.Flags.UseKernelNbd ? 2 : 1;

    while (WaitForMultipleObjects(count, either, FALSE, INFINITE) != WAIT_OBJECT_0 && settle(disk)) {
        if (attempt_find(disk)) {
            disk_set_state(disk, DISK_MAPPED);
            return true;
        }
    }
    return false;
}

/* Who deletes a record unmaps the disk after that. */
static bool leave_alone(struct disk *disk)
{
    const char *name = disk->properties.InstanceName;

    if (record_exists(name))
        event_report(EVENT_TAKEN_AWAY, name, NULL, NULL);
    return await_return(disk);
}

bool guard(struct disk *disk, struct daemon *daemon)
{
    const char *name = disk->properties.InstanceName;
    char reason[WORDS_SIZE];

    for (;;) {
        enum fate fate = daemon->thread ? await_daemon(disk, daemon, reason) : watch(disk);

        if (fate != FATE_STOPPED)
            disk_set_state(disk, DISK_WAITING);
        switch (fate) {
        case FATE_IS_THERE:
        case FATE_STOPPED:
            return false;
        case FATE_UNMAPPED:
            if (!leave_alone(disk))
                return false;
            break;
        case FATE_WITH_ADAPTER:
            event_report(EVENT_WITH_ADAPTER, name, NULL, NULL);
            return true;
        case FATE_CLIENT_ENDED:
            event_report(EVENT_DAEMON_ENDED, name, reason, NULL);
            return true;
        }
    }
}
