/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a driver can do wrong with event tracing and the error log. */
#include "tests/host/careless.h"

#include "driver/ddk.h"

static const GUID provider = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};

static void misuse_tracing(enum careless careless)
{
    static const EVENT_DESCRIPTOR event = {.Id = 7};
    static const WCHAR text[] = {'n', 'o', ' ', 'e', 'n', 'd'};
    EVENT_DATA_DESCRIPTOR data;
    REGHANDLE handle;

    EtwRegister(&provider, NULL, NULL, &handle);
    EventDataDescCreate(&data, text, sizeof(text));
    if (careless == CARELESS_TRACES_WITHOUT_NUL) {
        EtwWrite(handle, &event, NULL, 1, &data);
    }
    if (careless != CARELESS_LEAKS_TRACE) {
        EtwUnregister(handle);
    }
    if (careless == CARELESS_TRACES_LATE) {
        EtwWrite(handle, &event, NULL, 0, NULL);
    }
}

/* An entry with a string of one character, whose NUL is beyond the end unless there is room for it. */
static void write_entry(PDRIVER_OBJECT driver, ULONG room)
{
    ULONG size = sizeof(IO_ERROR_LOG_PACKET) + room;
    IO_ERROR_LOG_PACKET *packet = IoAllocateErrorLogEntry(driver, (UCHAR)size);

    if (packet == NULL) {
        return;
    }
    RtlZeroMemory(packet, size);
    packet->ErrorCode = (NTSTATUS)0xE0040007;
    packet->NumberOfStrings = 1;
    packet->StringOffset = sizeof(IO_ERROR_LOG_PACKET);
    *(WCHAR *)(packet + 1) = L'x';
    IoWriteErrorLogEntry(packet);
}

void misuse_events(enum careless careless, PDRIVER_OBJECT driver)
{
    KIRQL irql;

    switch (careless) {
    case CARELESS_LOGS_TOO_MUCH:
        write_entry(driver, ERROR_LOG_MAXIMUM_SIZE);
        write_entry(driver, ERROR_LOG_MAXIMUM_SIZE - sizeof(IO_ERROR_LOG_PACKET) + 2);
        break;
    case CARELESS_LOGS_WITHOUT_NUL:
        write_entry(driver, sizeof(WCHAR));
        break;
    case CARELESS_LEAKS_ENTRY:
        IoAllocateErrorLogEntry(driver, sizeof(IO_ERROR_LOG_PACKET));
        break;
    case CARELESS_REGISTERS_AT_DISPATCH:
        irql = KeRaiseIrqlToDpcLevel();
        misuse_tracing(careless);
        KeLowerIrql(irql);
        break;
    default:
        misuse_tracing(careless);
    }
}
