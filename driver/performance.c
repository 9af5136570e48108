/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/performance.h"

#include "driver/disk.h"
#include "driver/log.h"
#include "driver/text.h"

/* ---- A disk's name ---- */

/* A counter's path has these for itself ("Specifying a Counter Path"); .NET's PerformanceCounter.InstanceName names the
 * ones to take instead. */
static WCHAR path_character(WCHAR character)
{
    switch (character) {
    case L'(':
        return L'[';
    case L')':
        return L']';
    case L'#':
    case L'/':
    case L'\\':
    case L'*':
        return L'_';
    default:
        return character;
    }
}

/* Of what is no UTF-8, the ASCII in it. */
static void widen_ascii(const char *name, size_t length, struct performance_name *wide)
{
    for (size_t i = 0; i < length; i++) {
        wide->text[i] = (UCHAR)name[i] < 0x80 ? (WCHAR)name[i] : L'?';
    }
    wide->length = (USHORT)length;
}

void performance_name(const char *name, struct performance_name *wide)
{
    size_t length = text_length(name, WNBD_MAX_NAME_LENGTH - 1);
    UNICODE_STRING string;

    if (text_widen(name, length, wide->text, ARRAYSIZE(wide->text), &string)) {
        wide->length = string.Length / sizeof(WCHAR);
    } else {
        widen_ascii(name, length, wide);
    }
    for (USHORT i = 0; i < wide->length; i++) {
        wide->text[i] = path_character(wide->text[i]);
    }
}

/* ---- A disk's values ---- */

/* A disk as it is at one moment: nothing of it points to the disk. */
struct sample {
    ULONG id;
    struct performance values;
    struct performance_name name;
};

/* In ticks of the performance counter, which PERF_AVERAGE_TIMER is reckoned in. */
static ULONG64 ticks(const struct stats_traffic *traffic, ULONG64 frequency)
{
    ULONG64 spent = stats_spent(traffic);

    return spent / STATS_SPENT_PER_SECOND * frequency +
           spent % STATS_SPENT_PER_SECOND * frequency / STATS_SPENT_PER_SECOND;
}

static void copy_traffic(const struct stats_traffic *traffic, ULONG64 frequency, struct performance *values)
{
    values->reads = traffic[STATS_READ].answered;
    values->writes = traffic[STATS_WRITE].answered;
    values->flushes = traffic[STATS_FLUSH].answered;
    values->unmaps = traffic[STATS_UNMAP].answered;
    values->read_bytes = traffic[STATS_READ].bytes;
    values->write_bytes = traffic[STATS_WRITE].bytes;
    values->read_time = ticks(&traffic[STATS_READ], frequency);
    values->read_base = (ULONG)traffic[STATS_READ].answered;
    values->write_time = ticks(&traffic[STATS_WRITE], frequency);
    values->write_base = (ULONG)traffic[STATS_WRITE].answered;
    for (unsigned kind = 0; kind < STATS_KINDS; kind++) {
        values->failed += traffic[kind].failed;
    }
}

static void copy_stats(const struct io_stats *stats, struct performance *values)
{
    values->waiting = (ULONG64)stats->unsubmitted;
    values->outstanding = (ULONG64)(stats->unsubmitted + stats->pending);
    values->aborted = (ULONG64)(stats->aborted_submitted + stats->aborted_unsubmitted);
    values->late = (ULONG64)stats->late_replies;
}

static void copy_server(const WNBD_SERVER_STATUS *server, struct performance *values)
{
    values->connected = server->State == WnbdServerConnected;
    values->connections = server->Connections;
    values->reconnects = server->Reconnects;
    values->unfenced = server->UnfencedConnections;
}

static void copy_disk(struct disk *disk, struct sample *sample)
{
    WNBD_SERVER_STATUS server;
    KLOCK_QUEUE_HANDLE handle;

    RtlZeroMemory(&sample->values, sizeof sample->values);
    RtlZeroMemory(&server, sizeof server);
    sample->id = (ULONG)disk->connection_id & MAXLONG; /* the largest numbers are not for instances */
    sample->name.length = disk->performance_name.length;
    RtlCopyMemory(sample->name.text, disk->performance_name.text, disk->performance_name.length * sizeof(WCHAR));
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    copy_traffic(disk->stats.traffic, disk->adapter->performance_frequency, &sample->values);
    copy_stats(&disk->stats, &sample->values);
    disk->backend->describe_locked(disk, &server);
    KeReleaseInStackQueuedSpinLock(&handle);
    copy_server(&server, &sample->values);
}

/* The disk at a target as it is now; false: SCSI sees none. At DISPATCH_LEVEL, because a thread that is suspended while
 * it pins a disk would keep that from being removed. */
static bool copy_target(struct adapter *adapter, ULONG target, struct sample *sample)
{
    KIRQL irql = ddk_raise_to_dispatch();
    struct disk *disk = disk_pin(adapter, target);

    if (disk != NULL) {
        copy_disk(disk, sample);
        disk_unpin(disk);
    }
    ddk_lower_irql(irql);
    return disk != NULL;
}

/* ---- Windows asks ---- */

static NTSTATUS add(PPCW_BUFFER buffer, struct sample *sample)
{
    PCW_DATA data = {.Data = &sample->values, .Size = sizeof sample->values};
    UNICODE_STRING name = {.Buffer = sample->name.text, .Length = (USHORT)(sample->name.length * sizeof(WCHAR))};

    name.MaximumLength = name.Length;
    return PcwAddInstance(buffer, &name, sample->id, 1, &data);
}

/* Values are made for those who ask for names alone as well: Windows takes what it needs. */
static NTSTATUS add_disks(struct adapter *adapter, PPCW_BUFFER buffer)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct sample sample;

    for (ULONG target = 0; target < ADAPTER_TARGETS && NT_SUCCESS(status); target++) {
        if (copy_target(adapter, target, &sample)) {
            status = add(buffer, &sample);
        }
    }
    return status;
}

static NTSTATUS NTAPI answer(PCW_CALLBACK_TYPE type, PPCW_CALLBACK_INFORMATION information, PVOID context)
{
    switch (type) {
    case PcwCallbackEnumerateInstances:
        return add_disks(context, information->EnumerateInstances.Buffer);
    case PcwCallbackCollectData:
        return add_disks(context, information->CollectData.Buffer);
    case PcwCallbackAddCounter:
    case PcwCallbackRemoveCounter:
        break;
    }
    return STATUS_SUCCESS;
}

/* ---- Registration ---- */

#define DESCRIPTOR(id, kind, field, base, scale, name, description)                                                    \
    {id, 0, FIELD_OFFSET(struct performance, field), sizeof(PERFORMANCE_##kind)},

#define WIDE(text)  WIDER(text)
#define WIDER(text) L##text

void performance_start(struct adapter *adapter)
{
    static PCW_COUNTER_DESCRIPTOR counters[] = {PERFORMANCE_COUNTERS(DESCRIPTOR)};
    PCW_REGISTRATION_INFORMATION information;
    LARGE_INTEGER frequency;
    UNICODE_STRING name;
    NTSTATUS status;

    KeQueryPerformanceCounter(&frequency);
    adapter->performance_frequency = (ULONG64)frequency.QuadPart;
    RtlInitUnicodeString(&name, WIDE(PERFORMANCE_SET_NAME));
    RtlZeroMemory(&information, sizeof information);
    information.Version = PCW_VERSION_1;
    information.Name = &name;
    information.CounterCount = ARRAYSIZE(counters);
    information.Counters = counters;
    information.Callback = answer;
    information.CallbackContext = adapter;
    status = PcwRegister(&adapter->performance, &information);
    if (!NT_SUCCESS(status)) {
        adapter->performance = NULL;
        log_adapter(COUNTERS_REFUSED, status);
    }
}

void performance_stop(struct adapter *adapter)
{
    if (adapter->performance != NULL) {
        PcwUnregister(adapter->performance);
        adapter->performance = NULL;
    }
}
