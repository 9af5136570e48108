/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports of Storport that need no state: printing, time, memory, and the registry. */
#include "bed/port/internal.h"

VOID StorPortDebugPrint(ULONG DebugPrintLevel, PCCHAR DebugMessage, ...)
{
    char text[PORT_VIOLATION_TEXT_LENGTH] = {0};
    va_list arguments;

    UNREFERENCED_PARAMETER(DebugPrintLevel);
    va_start(arguments, DebugMessage);
    _vsnprintf(text, sizeof(text) - 1, DebugMessage, arguments);
    va_end(arguments);
    DbgPrint("%s", text);
}

VOID NTAPI StorPortLogError(PVOID HwDeviceExtension, PSCSI_REQUEST_BLOCK Srb, UCHAR PathId, UCHAR TargetId, UCHAR Lun,
                            ULONG ErrorCode, ULONG UniqueId)
{
    UNREFERENCED_PARAMETER(HwDeviceExtension);
    UNREFERENCED_PARAMETER(Srb);
    port_log("StorPortLogError: bus %u target %u LUN %u, error %lu, id 0x%lx", PathId, TargetId, Lun, ErrorCode,
             UniqueId);
}

VOID NTAPI StorPortStallExecution(ULONG Delay)
{
    KeStallExecutionProcessor(Delay);
}

VOID NTAPI StorPortMoveMemory(PVOID Destination, PVOID Source, ULONG Length)
{
    RtlMoveMemory(Destination, Source, Length);
}

VOID NTAPI StorPortQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    KeQuerySystemTime(CurrentTime);
}

PUCHAR NTAPI StorPortAllocateRegistryBuffer(PVOID HwDeviceExtension, PULONG Length)
{
    UNREFERENCED_PARAMETER(HwDeviceExtension);
    return ExAllocatePoolWithTag(NonPagedPoolNx, *Length, PORT_TAG);
}

VOID NTAPI StorPortFreeRegistryBuffer(PVOID HwDeviceExtension, PUCHAR Buffer)
{
    UNREFERENCED_PARAMETER(HwDeviceExtension);
    ExFreePoolWithTag(Buffer, PORT_TAG);
}

/* Of the documented types the DWORD of the driver's Parameters key is served. */
BOOLEAN NTAPI StorPortRegistryRead(PVOID HwDeviceExtension, PUCHAR ValueName, ULONG Global, ULONG Type, PUCHAR Buffer,
                                   PULONG BufferLength)
{
    struct adapter *adapter = adapter_of_extension(HwDeviceExtension, "StorPortRegistryRead");
    WCHAR name[64] = {0};
    ULONG value;

    UNREFERENCED_PARAMETER(Global);
    if (adapter == NULL || Type != REG_DWORD || *BufferLength < sizeof(value)) {
        return FALSE;
    }
    for (ULONG i = 0; i < 63 && ValueName[i] != 0; i++) {
        name[i] = ValueName[i];
    }
    value = parameter_read(&adapter->miniport->registry_path, name, 0x5AFE0000);
    if (value == 0x5AFE0000) {
        return FALSE;
    }
    RtlCopyMemory(Buffer, &value, sizeof(value));
    *BufferLength = sizeof(value);
    return TRUE;
}
