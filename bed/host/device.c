/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/device.h"

#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/object.h"
#include "bed/host/text.h"
#include "bed/port/violation.h"

#include <stdlib.h>
#include <string.h>

#define NAME_LENGTH 160
#define NAMES       512
#define IO_TYPE     3

/* A device's name, or a symbolic link's, and the device it leads to. */
struct name {
    char text[NAME_LENGTH];
    PDEVICE_OBJECT device; /* NULL: free. Without a reference: IoDeleteDevice takes its names away */
    BOOLEAN is_link;
};

static struct bed_lock lock;
static struct name names[NAMES]; /* guarded by lock */

static struct name *find_locked(const char *text)
{
    for (ULONG i = 0; i < NAMES; i++) {
        if (names[i].device != NULL && strcmp(names[i].text, text) == 0) {
            return &names[i];
        }
    }
    return NULL;
}

static NTSTATUS add(const UNICODE_STRING *name, PDEVICE_OBJECT device, BOOLEAN is_link)
{
    char text[NAME_LENGTH];
    NTSTATUS status = STATUS_OBJECT_NAME_COLLISION;

    bed_text_narrow(name, text, sizeof(text));
    bed_lock(&lock);
    if (find_locked(text) == NULL) {
        status = STATUS_INSUFFICIENT_RESOURCES;
        for (ULONG i = 0; i < NAMES && !NT_SUCCESS(status); i++) {
            if (names[i].device == NULL) {
                memcpy(names[i].text, text, sizeof(text));
                names[i].device = device;
                names[i].is_link = is_link;
                status = STATUS_SUCCESS;
            }
        }
    }
    bed_unlock(&lock);
    return status;
}

PDEVICE_OBJECT bed_device_named(const char *name)
{
    PDEVICE_OBJECT device = NULL;
    struct name *found;

    bed_lock(&lock);
    found = find_locked(name);
    if (found != NULL) {
        device = found->device;
        bed_object_reference(device);
    }
    bed_unlock(&lock);
    return device;
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                        DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                        PDEVICE_OBJECT *DeviceObject)
{
    SIZE_T head = (sizeof(DEVICE_OBJECT) + 15) & ~(SIZE_T)15;
    PDEVICE_OBJECT device;
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(Exclusive);
    bed_irql_at_most(APC_LEVEL, "IoCreateDevice");
    device = bed_object_create(BED_OBJECT_DEVICE, head + DeviceExtensionSize, NULL, __builtin_return_address(0));
    if (device == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    device->Type = IO_TYPE;
    device->Size = (USHORT)(head + DeviceExtensionSize);
    device->DriverObject = DriverObject;
    device->DeviceType = DeviceType;
    device->Characteristics = DeviceCharacteristics;
    device->StackSize = 1;
    device->Flags = DO_DEVICE_INITIALIZING;
    device->DeviceExtension = (PUCHAR)device + head;
    if (DeviceName != NULL) {
        status = add(DeviceName, device, FALSE);
    }
    if (!NT_SUCCESS(status)) {
        bed_object_release(device);
        return status;
    }
    bed_lock(&lock);
    device->NextDevice = DriverObject->DeviceObject;
    DriverObject->DeviceObject = device;
    bed_unlock(&lock);
    *DeviceObject = device;
    return STATUS_SUCCESS;
}

static void forget_names_locked(PDEVICE_OBJECT device)
{
    for (ULONG i = 0; i < NAMES; i++) {
        if (names[i].device == device && !names[i].is_link) {
            names[i].device = NULL;
        }
        if (names[i].device == device) {
            port_violation("device-link: %.80s still leads to a device that is deleted", names[i].text);
            names[i].device = NULL;
        }
    }
}

VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT *link;

    bed_irql_at_most(APC_LEVEL, "IoDeleteDevice");
    if (DeviceObject->AttachedDevice != NULL) {
        port_violation("device: %p is deleted while another is attached to it", (void *)DeviceObject);
    }
    bed_lock(&lock);
    for (link = &DeviceObject->DriverObject->DeviceObject; *link != NULL && *link != DeviceObject;) {
        link = &(*link)->NextDevice;
    }
    if (*link == NULL) {
        port_violation("device: %p is deleted twice", (void *)DeviceObject);
        abort();
    }
    *link = DeviceObject->NextDevice;
    forget_names_locked(DeviceObject);
    bed_unlock(&lock);
    bed_object_release(DeviceObject);
}

NTSTATUS IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    char text[NAME_LENGTH];
    PDEVICE_OBJECT device;
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "IoCreateSymbolicLink");
    bed_text_narrow(DeviceName, text, sizeof(text));
    device = bed_device_named(text);
    if (device == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    status = add(SymbolicLinkName, device, TRUE);
    bed_object_release(device);
    return status;
}

NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    char text[NAME_LENGTH];
    struct name *found;

    bed_irql_at_most(PASSIVE_LEVEL, "IoDeleteSymbolicLink");
    bed_text_narrow(SymbolicLinkName, text, sizeof(text));
    bed_lock(&lock);
    found = find_locked(text);
    if (found != NULL && found->is_link) {
        found->device = NULL;
    }
    bed_unlock(&lock);
    return found != NULL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length, PULONG ReturnLength)
{
    const struct name *found = NULL;
    NTSTATUS status = STATUS_SUCCESS;

    bed_irql_at_most(PASSIVE_LEVEL, "ObQueryNameString");
    bed_lock(&lock);
    for (ULONG i = 0; i < NAMES && found == NULL; i++) {
        found = names[i].device == Object && !names[i].is_link ? &names[i] : NULL;
    }
    *ReturnLength = sizeof(*ObjectNameInfo) + (found != NULL ? (ULONG)(strlen(found->text) + 1) * sizeof(WCHAR) : 0);
    if (Length < *ReturnLength) {
        status = STATUS_INFO_LENGTH_MISMATCH;
    } else {
        ObjectNameInfo->Name.Buffer = (PWSTR)(ObjectNameInfo + 1);
        bed_text_widen(found != NULL ? found->text : "", &ObjectNameInfo->Name);
    }
    bed_unlock(&lock);
    return status;
}

/* ---- stacks ---- */

PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT top = TargetDevice;

    bed_irql_at_most(DISPATCH_LEVEL, "IoAttachDeviceToDeviceStack");
    bed_lock(&lock);
    while (top->AttachedDevice != NULL) {
        top = top->AttachedDevice;
    }
    top->AttachedDevice = SourceDevice;
    SourceDevice->StackSize = (CHAR)(top->StackSize + 1);
    bed_unlock(&lock);
    return top;
}

VOID IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    bed_irql_at_most(PASSIVE_LEVEL, "IoDetachDevice");
    bed_lock(&lock);
    TargetDevice->AttachedDevice = NULL;
    bed_unlock(&lock);
}

PDEVICE_OBJECT IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT top = DeviceObject;

    bed_irql_at_most(DISPATCH_LEVEL, "IoGetAttachedDeviceReference");
    bed_lock(&lock);
    while (top->AttachedDevice != NULL) {
        top = top->AttachedDevice;
    }
    bed_object_reference(top);
    bed_unlock(&lock);
    return top;
}

ULONG bed_links_check(void)
{
    ULONG count = 0;

    for (ULONG i = 0; i < NAMES; i++) {
        if (names[i].device != NULL) {
            port_violation("name-leak: %.100s was not deleted", names[i].text);
            count++;
        }
    }
    return count;
}
