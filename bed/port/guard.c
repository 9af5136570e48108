/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every n-th READ or WRITE (Parameters\BedSample) goes through a buffer of the bed with known bytes around it. After
 * completion the buffer is filled with PORT_FILL and kept for a while: a miniport that still writes to it is found, and
 * one that still sends from it sends what no test expects.
 */
#include "bed/port/internal.h"

#define GUARD_BYTES        64
#define GUARD_BYTE         0xA7
#define GUARD_MAXIMUM      (512 * 1024)
#define QUARANTINE_MAXIMUM 48

struct guard {
    struct list_link link; /* in adapter->quarantine */
    ULONG length;
    UCHAR opcode;
    BOOLEAN out;
    void *original; /* system address of the caller's data */
    MDL *original_mdl;
    void *original_shown;
    UCHAR *data;
    UCHAR memory[]; /* GUARD_BYTES, the data, GUARD_BYTES */
};

void guard_begin(struct request *request)
{
    ULONG sample = request->adapter->miniport->parameters.sample;
    struct command *command = &request->command;
    struct guard *guard;

    if (sample == 0 || command->length > GUARD_MAXIMUM ||
        (ULONG)InterlockedIncrement(&request->adapter->transfers) % sample != 0) {
        return;
    }
    guard = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*guard) + command->length + 2 * GUARD_BYTES, PORT_TAG);
    if (guard == NULL) {
        return;
    }
    RtlZeroMemory(guard, sizeof(*guard));
    guard->length = command->length;
    guard->opcode = command->cdb[0];
    guard->out = (command->flags & SRB_FLAGS_DATA_OUT) != 0;
    guard->original = command->system;
    guard->original_mdl = command->mdl;
    guard->original_shown = command->shown;
    guard->data = guard->memory + GUARD_BYTES;
    RtlFillMemory(guard->memory, GUARD_BYTES, GUARD_BYTE);
    RtlFillMemory(guard->data + guard->length, GUARD_BYTES, GUARD_BYTE);
    RtlFillMemory(guard->data, guard->length, PORT_FILL);
    request->guard = guard;
    command_data(request, guard->data, guard->length);
}

static BOOLEAN all_are(const UCHAR *bytes, ULONG length, UCHAR value)
{
    for (ULONG i = 0; i < length; i++) {
        if (bytes[i] != value) {
            return FALSE;
        }
    }
    return TRUE;
}

static void check_edges(const struct guard *guard)
{
    if (!all_are(guard->memory, GUARD_BYTES, GUARD_BYTE) ||
        !all_are(guard->data + guard->length, GUARD_BYTES, GUARD_BYTE)) {
        port_violation("data-overrun: bytes before or after the %lu bytes of a data buffer were written (CDB 0x%x)",
                       guard->length, guard->opcode);
    }
}

static void check_kept(const struct guard *guard)
{
    check_edges(guard);
    if (!all_are(guard->data, guard->length, PORT_FILL)) {
        port_violation("data-touched: a data buffer was written after its SRB had been completed (CDB 0x%x, %lu bytes)",
                       guard->opcode, guard->length);
    }
}

static void quarantine(struct adapter *adapter, struct guard *guard)
{
    struct guard *oldest = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->memory_lock, &irql);
    list_append(&adapter->quarantine, &guard->link);
    if (++adapter->quarantined > QUARANTINE_MAXIMUM) {
        oldest = list_member(list_take_first(&adapter->quarantine), struct guard, link);
        adapter->quarantined--;
    }
    KeReleaseSpinLock(&adapter->memory_lock, irql);
    if (oldest != NULL) {
        check_kept(oldest);
        ExFreePoolWithTag(oldest, PORT_TAG);
    }
}

/* Before each start: a retry needs the data of a WRITE again. */
void guard_start(struct request *request)
{
    struct guard *guard = request->guard;

    if (guard != NULL) {
        RtlCopyMemory(guard->data, guard->original, guard->length);
    }
}

/* The miniport has completed the SRB: READ data goes to where the caller wants it, and the buffer is nobody's any more.
 */
void guard_seal(struct request *request)
{
    struct guard *guard = request->guard;

    if (guard == NULL) {
        return;
    }
    check_edges(guard);
    if (guard->out && RtlCompareMemory(guard->data, guard->original, guard->length) != guard->length) {
        port_violation("data-changed: the data of a WRITE was changed by the miniport (CDB 0x%x)", guard->opcode);
    }
    if (!guard->out) {
        RtlCopyMemory(guard->original, guard->data, guard->length);
    }
    RtlFillMemory(guard->data, guard->length, PORT_FILL);
}

/* The request is over. */
void guard_end(struct request *request)
{
    struct guard *guard = request->guard;

    if (guard == NULL) {
        return;
    }
    request->guard = NULL;
    request->command.system = guard->original;
    request->command.shown = guard->original_shown;
    request->command.mdl = guard->original_mdl;
    quarantine(request->adapter, guard);
}

/* All buffers in quarantine must be untouched; when the adapter has gone they are given up. */
void guards_check(struct adapter *adapter)
{
    struct list_link *link;
    struct list_link kept;
    KIRQL irql;

    list_init(&kept);
    KeAcquireSpinLock(&adapter->memory_lock, &irql);
    list_move_all(&kept, &adapter->quarantine);
    adapter->quarantined = 0;
    KeReleaseSpinLock(&adapter->memory_lock, irql);
    while ((link = list_take_first(&kept)) != NULL) {
        struct guard *guard = list_member(link, struct guard, link);

        check_kept(guard);
        ExFreePoolWithTag(guard, PORT_TAG);
    }
}
