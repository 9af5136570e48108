/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to the program: what it sees of them, and their data. */
#include "driver/channel.h"

#include "driver/clock.h"
#include "driver/disk.h"

/* ---- A request's data ---- */

uint8_t *channel_data(const struct record *record)
{
    switch (record->command.request.operation) {
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT:
        return storage_reservation_data(&record->command);
    case IO_READ:
    case IO_WRITE:
    case IO_FLUSH:
    case IO_TRIM:
    case IO_WRITE_ZEROES:
    case IO_CACHE:
    case IO_BLOCK_STATUS:
        break;
    }
    return record->data + record->command.data_offset;
}

uint32_t channel_payload(const struct record *record)
{
    const struct io_request *request = &record->command.request;

    switch (request->operation) {
    case IO_WRITE:
    case IO_RESERVE_OUT:
        return request->length;
    case IO_TRIM:
        return sizeof(WNBD_UNMAP_DESCRIPTOR);
    case IO_READ:
    case IO_FLUSH:
    case IO_WRITE_ZEROES:
    case IO_CACHE:
    case IO_BLOCK_STATUS:
    case IO_RESERVE_IN:
        break;
    }
    return 0;
}

/* Bytes of the arena that it needs: for its data, or for that of its answer. */
static uint32_t area_length(const struct record *record)
{
    const struct io_request *request = &record->command.request;

    return request->operation == IO_READ || request->operation == IO_RESERVE_IN ? request->length
                                                                                : channel_payload(record);
}

static void write_descriptor(const struct disk *disk, const struct io_request *request, uint8_t *to)
{
    WNBD_UNMAP_DESCRIPTOR descriptor = {
        .BlockAddress = request->offset / disk->device.block_size,
        .BlockCount = request->length / disk->device.block_size,
    };

    RtlCopyMemory(to, &descriptor, sizeof descriptor);
}

void channel_copy_out(const struct disk *disk, const struct record *record, uint8_t *to)
{
    if (record->command.request.operation == IO_TRIM) {
        write_descriptor(disk, &record->command.request, to);
    } else {
        RtlCopyMemory(to, channel_data(record), channel_payload(record));
    }
}

/* ---- What the program sees ---- */

static void describe_transfer(const struct disk *disk, const struct io_request *from, WNBD_IO_REQUEST *request)
{
    /* Read and Write have the same form. */
    request->Cmd.Read.BlockAddress = from->offset / disk->device.block_size;
    request->Cmd.Read.BlockCount = from->length / disk->device.block_size;
    request->Cmd.Read.ForceUnitAccess = (from->flags & IO_FUA) != 0;
}

void channel_describe(const struct disk *disk, const struct record *record, WNBD_IO_REQUEST *request)
{
    const struct io_request *from = &record->command.request;

    RtlZeroMemory(request, sizeof *request);
    request->RequestHandle = from->cookie;
    switch (from->operation) {
    case IO_READ:
        request->RequestType = WnbdReqTypeRead;
        describe_transfer(disk, from, request);
        break;
    case IO_WRITE:
        request->RequestType = WnbdReqTypeWrite;
        describe_transfer(disk, from, request);
        break;
    case IO_FLUSH: /* of everything: 0 and 0 */
        request->RequestType = WnbdReqTypeFlush;
        break;
    case IO_TRIM:
        request->RequestType = WnbdReqTypeUnmap;
        request->Cmd.Unmap.Count = 1;
        break;
    case IO_RESERVE_IN:
        request->RequestType = WnbdReqTypePersistResIn;
        request->Cmd.PersistResIn.ServiceAction = from->reservation.service_action;
        request->Cmd.PersistResIn.AllocationLength = from->reservation.cdb_length;
        break;
    case IO_RESERVE_OUT:
        request->RequestType = WnbdReqTypePersistResOut;
        request->Cmd.PersistResOut.ServiceAction = from->reservation.service_action;
        request->Cmd.PersistResOut.Scope = from->reservation.scope_and_type >> 4;
        request->Cmd.PersistResOut.Type = from->reservation.scope_and_type & 0xF;
        request->Cmd.PersistResOut.ParameterListLength = (UINT16)from->length;
        break;
    case IO_WRITE_ZEROES: /* the device has none of these */
    case IO_CACHE:
    case IO_BLOCK_STATUS:
        break;
    }
}

/* ---- Giving ---- */

void channel_given_locked(struct disk *disk, struct record *record, uint32_t holds)
{
    struct channel_slot *slot = &disk->channel.slots[queue_slot(record->command.request.cookie)];
    bool first = disk->requests.waiting.next == &record->link;

    disk->channel.passed = first ? 0 : disk->channel.passed + 1;
    list_remove(&record->link);
    record->holds = holds;
    slot->given_at = clock_now();
    slot->has_area = false;
    stats_submitted(&disk->stats, slot->given_at);
}

/* Large areas leave some of the arena for small ones, unless one has it to itself. */
static bool has_room_locked(const struct disk *disk, const struct record *record)
{
    const struct io_arena *arena = &disk->channel.arena;
    uint32_t length = area_length(record);
    uint32_t left = arena->free_units - min(arena->free_units, arena_units(length));

    if (length > CHANNEL_SMALL && left < arena->count / CHANNEL_RESERVE && arena->free_units != arena->count) {
        return false;
    }
    return length == 0 || arena_has_room(arena, length);
}

/* One that has no room lets small ones pass, but not for ever. */
struct record *channel_next_locked(struct disk *disk)
{
    const struct list_link *waiting = &disk->requests.waiting;
    uint32_t looks = disk->channel.passed < CHANNEL_PASSES ? CHANNEL_LOOKS : 1;

    for (struct list_link *link = waiting->next; link != waiting && looks != 0; link = link->next, looks--) {
        struct record *record = record_of_link(link);
        bool may_pass = area_length(record) <= CHANNEL_SMALL;

        if ((link == waiting->next || may_pass) && has_room_locked(disk, record)) {
            return record;
        }
    }
    return NULL;
}

/* False: there is no room in the arena now. */
static bool give_one_locked(struct disk *disk, struct record *record, WNBD_ARENA_REQUEST *request)
{
    struct channel_slot *slot = &disk->channel.slots[queue_slot(record->command.request.cookie)];
    uint32_t length = area_length(record);
    uint32_t area = 0;

    if (length != 0 && !arena_take(&disk->channel.arena, length, &area)) {
        return false;
    }
    channel_given_locked(disk, record, RECORD_ANSWERING | (channel_payload(record) != 0 ? RECORD_COPYING : 0));
    record->area = area;
    slot->area = area;
    slot->has_area = length != 0;
    channel_describe(disk, record, &request->Request);
    request->DataOffset = area;
    request->DataLength = length;
    return true;
}

/* The records and their areas are held for it, whatever becomes of their SRBs. */
static void copy_out(struct disk *disk, struct list_link *copying)
{
    uint8_t *arena = disk->channel.memory.address;

    for (struct list_link *link = copying->next; link != copying; link = link->next) {
        const struct record *record = record_of_link(link);

        channel_copy_out(disk, record, arena + record->area);
    }
}

static void finish_copies_locked(struct disk *disk, struct list_link *copying, struct list_link *done)
{
    struct list_link *link;

    while ((link = list_take_first(copying)) != NULL) {
        channel_copied_locked(disk, record_of_link(link), done);
    }
}

/* A large payload is given alone, so that no small request waits behind its copying. */
static bool fits(uint32_t count, uint32_t payload, uint32_t budget)
{
    return count == 0 || (payload <= CHANNEL_COPY_NOW && payload <= budget);
}

static uint32_t take_locked(struct disk *disk, struct channel_batch *batch, WNBD_ARENA_REQUEST *output, uint32_t room,
                            uint32_t budget)
{
    struct record *record;
    uint32_t payload = 0;
    uint32_t count = 0;

    while (count < room && payload <= CHANNEL_COPY_NOW && (record = channel_next_locked(disk)) != NULL) {
        payload = channel_payload(record);
        if (!fits(count, payload, budget) || !give_one_locked(disk, record, &output[count])) {
            break;
        }
        if (payload != 0) {
            list_append(&batch->copying, &record->link);
        }
        budget -= min(payload, budget);
        count++;
    }
    return count;
}

uint32_t channel_take_locked(struct disk *disk, struct channel_batch *batch, WNBD_ARENA_REQUEST *output, uint32_t room,
                             uint32_t budget)
{
    list_init(&batch->copying);
    batch->has_arena = ExAcquireRundownProtection(&disk->channel.arena_users);
    return batch->has_arena ? take_locked(disk, batch, output, room, budget) : 0; /* else its program has gone */
}

void channel_copy_taken_locked(struct disk *disk, struct channel_batch *batch, KLOCK_QUEUE_HANDLE *handle,
                               struct list_link *done)
{
    if (!list_is_empty(&batch->copying)) {
        KeReleaseInStackQueuedSpinLock(handle);
        copy_out(disk, &batch->copying);
        KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
        finish_copies_locked(disk, &batch->copying, done);
    }
    if (batch->has_arena) {
        ExReleaseRundownProtection(&disk->channel.arena_users);
    }
}
