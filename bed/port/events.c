/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/port/events.h"

#include "bed/port/internal.h"

#define IDS            512
#define DATA_MAX       128 /* EtwWrite: STATUS_INVALID_PARAMETER above */
#define EVENT_BYTES    0xFFFF
#define ENTRY_TAG      'gLtP'
#define SEVERITY_SHIFT 30

/* An entry as it was asked for. */
struct entry {
    ULONG size;
    ULONG reserved; /* the packet is aligned */
    IO_ERROR_LOG_PACKET packet;
};

/* guarded by lock */
static struct {
    ULONG traced;
    ULONG logged;
    char words[PORT_EVENT_WORDS_LENGTH];
} seen[IDS];

static KSPIN_LOCK lock;         /* zero is a free lock */
static volatile LONG unwritten; /* entries */

/* ---- Words ---- */

struct words {
    char text[PORT_EVENT_WORDS_LENGTH];
    ULONG length;
};

static void put(struct words *words, char letter)
{
    if (words->length < PORT_EVENT_WORDS_LENGTH - 1) {
        words->text[words->length++] = letter;
    }
}

/* A text of at most `count` characters; says whether a NUL ends it. */
static BOOLEAN put_text(struct words *words, const WCHAR *text, ULONG count)
{
    ULONG i;

    if (words->length != 0) {
        put(words, ' ');
    }
    put(words, '\'');
    for (i = 0; i < count && text[i] != 0; i++) {
        put(words, text[i] >= ' ' && text[i] < 0x7F ? (char)text[i] : '?');
    }
    put(words, '\'');
    return i < count;
}

static void keep(USHORT id, const struct words *words, ULONG traced)
{
    KIRQL irql;

    if (id >= IDS) {
        return;
    }
    KeAcquireSpinLock(&lock, &irql);
    seen[id].traced += traced;
    seen[id].logged += 1 - traced;
    RtlCopyMemory(seen[id].words, words->text, sizeof(words->text));
    KeReleaseSpinLock(&lock, irql);
}

/* ---- Events ---- */

void port_event_traced(const EVENT_DESCRIPTOR *event, ULONG count, const EVENT_DATA_DESCRIPTOR *data)
{
    struct words words = {0};
    ULONG bytes = 0;

    if (count > DATA_MAX) {
        port_violation("event: EtwWrite of event %u with %lu pieces of data", event->Id, count);
        return;
    }
    for (ULONG i = 0; i < count; i++) {
        bytes += data[i].Size;
        if (!put_text(&words, (const WCHAR *)(ULONG_PTR)data[i].Ptr, data[i].Size / sizeof(WCHAR))) {
            port_violation("event: text %lu of event %u does not end with NUL", i, event->Id);
        }
    }
    if (bytes > EVENT_BYTES) {
        port_violation("event: EtwWrite of event %u with %lu bytes", event->Id, bytes);
    }
    port_log("event %u: %s", event->Id, words.text);
    keep(event->Id, &words, 1);
}

/* ---- The event log ---- */

PVOID port_event_log_allocate(PVOID object, UCHAR size)
{
    struct entry *entry;

    if (object == NULL) {
        port_violation("event-log: IoAllocateErrorLogEntry of no object");
        return NULL;
    }
    if (size < sizeof(IO_ERROR_LOG_PACKET) || size > ERROR_LOG_MAXIMUM_SIZE) {
        port_violation("event-log: an entry of %u bytes, a packet has %lu and the most is %lu", size,
                       (ULONG)sizeof(IO_ERROR_LOG_PACKET), (ULONG)ERROR_LOG_MAXIMUM_SIZE);
        return NULL;
    }
    entry = ExAllocatePoolWithTag(NonPagedPoolNx, FIELD_OFFSET(struct entry, packet) + size, ENTRY_TAG);
    if (entry != NULL) {
        entry->size = size;
        InterlockedIncrement(&unwritten);
        return &entry->packet;
    }
    return NULL;
}

/* The strings stand one behind the other from StringOffset on, each ended with NUL, all within the entry. */
static void put_strings(struct words *words, const struct entry *entry)
{
    const IO_ERROR_LOG_PACKET *packet = &entry->packet;
    const WCHAR *string = (const WCHAR *)((const UCHAR *)packet + packet->StringOffset);
    ULONG left = packet->StringOffset <= entry->size ? (entry->size - packet->StringOffset) / sizeof(WCHAR) : 0;

    for (USHORT i = 0; i < packet->NumberOfStrings; i++) {
        if (!put_text(words, string, left)) {
            port_violation("event-log: string %u of an entry goes beyond its %lu bytes", i, entry->size);
            return;
        }
        while (*string++ != 0) {
            left--;
        }
        left--;
    }
}

static void check_packet(const struct entry *entry)
{
    const IO_ERROR_LOG_PACKET *packet = &entry->packet;
    ULONG dump_end = (ULONG)FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData) + packet->DumpDataSize;

    if (packet->DumpDataSize % sizeof(ULONG) != 0 || dump_end > entry->size) {
        port_violation("event-log: DumpDataSize is %u in an entry of %lu bytes", packet->DumpDataSize, entry->size);
    }
    if (packet->NumberOfStrings != 0 &&
        (packet->StringOffset < dump_end || packet->StringOffset % sizeof(WCHAR) != 0)) {
        port_violation("event-log: the strings begin at %u, the data before ends at %lu", packet->StringOffset,
                       dump_end);
    }
    if ((ULONG)packet->ErrorCode >> SEVERITY_SHIFT == 0) {
        port_violation("event-log: the error code 0x%08lx has no severity", packet->ErrorCode);
    }
}

void port_event_log_write(PVOID packet)
{
    struct entry *entry = CONTAINING_RECORD(packet, struct entry, packet);
    USHORT id = (USHORT)entry->packet.ErrorCode;
    struct words words = {0};

    check_packet(entry);
    put_strings(&words, entry);
    port_log("event log %u (0x%08lx): %s", id, entry->packet.ErrorCode, words.text);
    keep(id, &words, 0);
    ExFreePoolWithTag(entry, ENTRY_TAG);
    InterlockedDecrement(&unwritten);
}

void port_event_log_check(void)
{
    if (unwritten != 0) {
        port_violation("event-log: %ld entries were allocated and not written", unwritten);
    }
}

/* ---- What there was ---- */

ULONG port_events_traced(USHORT id)
{
    return id < IDS ? *(volatile ULONG *)&seen[id].traced : 0;
}

ULONG port_events_logged(USHORT id)
{
    return id < IDS ? *(volatile ULONG *)&seen[id].logged : 0;
}

void port_event_words(USHORT id, char words[PORT_EVENT_WORDS_LENGTH])
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    RtlCopyMemory(words, seen[id % IDS].words, PORT_EVENT_WORDS_LENGTH);
    KeReleaseSpinLock(&lock, irql);
}
