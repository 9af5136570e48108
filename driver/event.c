/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/event.h"

#include "driver/text.h"

/* The levels of winmeta.xml. */
enum trace_level { TRACE_ERROR = 2, TRACE_WARNING = 3, TRACE_INFORMATION = 4 };

/* What strings an entry of the event log has room for. */
#define ENTRY_CHARACTERS ((ERROR_LOG_MAXIMUM_SIZE - sizeof(IO_ERROR_LOG_PACKET)) / sizeof(WCHAR))

static const GUID provider = MESSAGES_PROVIDER_GUID;

/* fixed after event_start */
static struct {
    PDRIVER_OBJECT driver;
    PDRIVER_UNLOAD unload;  /* Storport's */
    REGHANDLE registration; /* 0: there is none */
} events;

/* The inserts as both want them. */
struct wide {
    ULONG count;
    USHORT length[INSERTS_MAX]; /* characters without the NUL */
    const WCHAR *at[INSERTS_MAX];
    WCHAR text[INSERTS_BYTES]; /* UTF-16 has no more units than UTF-8 has bytes */
};

static void widen(const struct inserts *inserts, struct wide *wide)
{
    WCHAR *at = wide->text;

    wide->count = inserts->count;
    for (ULONG i = 0; i < inserts->count; i++) {
        wide->at[i] = at;
        wide->length[i] = (USHORT)text_to_wide(inserts->text + inserts->at[i], at);
        at += wide->length[i] + 1;
    }
}

/* ---- Trace sessions ---- */

static enum trace_level trace_level(enum message_id id)
{
    switch (MESSAGES_KIND(id)) {
    case MESSAGE_INFORMATION:
        return TRACE_INFORMATION;
    case MESSAGE_WARNING:
        return TRACE_WARNING;
    case MESSAGE_ERROR:
        break;
    }
    return TRACE_ERROR;
}

static void trace(enum message_id id, const struct wide *wide)
{
    EVENT_DESCRIPTOR descriptor = {
        .Id = (USHORT)id,
        .Channel = MESSAGES_CHANNEL,
        .Level = (UCHAR)trace_level(id),
        .Keyword = MESSAGES_CHANNEL_KEYWORD,
    };
    EVENT_DATA_DESCRIPTOR data[INSERTS_MAX];

    for (ULONG i = 0; i < wide->count; i++) {
        EventDataDescCreate(&data[i], wide->at[i], (ULONG)((wide->length[i] + 1) * sizeof(WCHAR)));
    }
    EtwWrite(events.registration, &descriptor, NULL, wide->count, data);
}

/* ---- The event log ---- */

/* How many characters of each insert fit. A disk's name must not take the room of what is said about it. */
static ULONG fit(const struct wide *wide, USHORT length[INSERTS_MAX])
{
    ULONG room = ENTRY_CHARACTERS - wide->count; /* their NULs */
    ULONG used = wide->count;

    for (ULONG i = 0; i < wide->count; i++) {
        ULONG most = i == 0 && wide->count > 1 ? room / 2 : room;

        length[i] = (USHORT)min((ULONG)wide->length[i], most);
        room -= length[i];
        used += length[i];
    }
    return used;
}

static void fill(PIO_ERROR_LOG_PACKET packet, enum message_id id, const struct wide *wide,
                 const USHORT length[INSERTS_MAX])
{
    WCHAR *string = (WCHAR *)(packet + 1);

    RtlZeroMemory(packet, sizeof *packet);
    packet->ErrorCode = (NTSTATUS)MESSAGES_CODE(id);
    packet->NumberOfStrings = (USHORT)wide->count;
    packet->StringOffset = sizeof *packet;
    for (ULONG i = 0; i < wide->count; i++) {
        RtlCopyMemory(string, wide->at[i], length[i] * sizeof(WCHAR));
        string[length[i]] = L'\0';
        string += length[i] + 1;
    }
}

static void enter(enum message_id id, const struct wide *wide)
{
    USHORT length[INSERTS_MAX];
    ULONG size = (ULONG)(sizeof(IO_ERROR_LOG_PACKET) + fit(wide, length) * sizeof(WCHAR));
    PIO_ERROR_LOG_PACKET packet = IoAllocateErrorLogEntry(events.driver, (UCHAR)size);

    if (packet != NULL) {
        fill(packet, id, wide, length);
        IoWriteErrorLogEntry(packet);
    }
}

void event_write(enum message_id id, const struct inserts *inserts)
{
    struct wide wide;

    widen(inserts, &wide);
    if (events.registration != 0) {
        trace(id, &wide);
    }
    if (MESSAGES_KIND(id) != MESSAGE_INFORMATION) {
        enter(id, &wide);
    }
}

/* ---- Start and end ---- */

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    REGHANDLE registration = events.registration;

    events.registration = 0;
    if (registration != 0) {
        EtwUnregister(registration);
    }
    events.unload(driver);
}

void event_start(PDRIVER_OBJECT driver)
{
    events.driver = driver;
    if (!NT_SUCCESS(EtwRegister(&provider, NULL, NULL, &events.registration))) {
        events.registration = 0; /* nobody can trace; the rest works */
    }
    events.unload = driver->DriverUnload;
    driver->DriverUnload = unload;
}
