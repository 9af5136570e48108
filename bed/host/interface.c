/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/interface.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/object.h"
#include "bed/host/pnp.h"
#include "bed/host/text.h"
#include "bed/port/violation.h"

#include <stdio.h>
#include <string.h>

#define INTERFACES  64
#define LINK_LENGTH 320
#define TAG         0x66746e49 /* "Intf" */

const GUID GUID_DEVINTERFACE_DISK = {0x53f56307, 0xb6bf, 0x11d0, {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b}};
const GUID GUID_DEVINTERFACE_STORAGEPORT = {
    0x2accfe60, 0xc130, 0x11d2, {0xb0, 0x82, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b}};

struct interface {
    char link[LINK_LENGTH]; /* empty: free */
    GUID class;
    PDEVICE_OBJECT device;
    BOOLEAN enabled;
};

static struct bed_lock lock;
static struct interface interfaces[INTERFACES]; /* guarded by lock */

static void link_text(PDEVICE_OBJECT device, const GUID *class, char link[LINK_LENGTH])
{
    char instance[BED_INSTANCE_TEXT];
    int length;

    bed_pnp_instance(device, instance);
    for (char *at = instance; *at != '\0'; at++) {
        *at = *at == '\\' ? '#' : *at;
    }
    length =
        snprintf(link, LINK_LENGTH, "\\??\\%s#{%08x-%04x-%04x-", instance, class->Data1, class->Data2, class->Data3);
    for (int i = 0; i < 8; i++) {
        length += snprintf(link + length, LINK_LENGTH - (size_t)length, i == 2 ? "-%02x" : "%02x", class->Data4[i]);
    }
    snprintf(link + length, LINK_LENGTH - (size_t)length, "}");
}

static struct interface *find_locked(const char *link)
{
    for (ULONG i = 0; i < INTERFACES; i++) {
        if (strcmp(interfaces[i].link, link) == 0) {
            return &interfaces[i];
        }
    }
    return NULL;
}

static NTSTATUS add(PDEVICE_OBJECT device, const GUID *class, const char *link)
{
    struct interface *interface;

    bed_lock(&lock);
    interface = find_locked(link);
    interface = interface != NULL ? interface : find_locked("");
    if (interface != NULL) {
        snprintf(interface->link, LINK_LENGTH, "%s", link);
        interface->class = *class;
        interface->device = device;
    }
    bed_unlock(&lock);
    return interface != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject, const GUID *InterfaceClassGuid,
                                   PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName)
{
    char link[LINK_LENGTH];
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "IoRegisterDeviceInterface");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_INTERFACE)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (ReferenceString != NULL) {
        port_violation("interface: reference strings are not supported by the bed");
    }
    link_text(PhysicalDeviceObject, InterfaceClassGuid, link);
    status = add(PhysicalDeviceObject, InterfaceClassGuid, link);
    if (NT_SUCCESS(status)) {
        SymbolicLinkName->Buffer = ExAllocatePoolWithTag(PagedPool, (strlen(link) + 1) * sizeof(WCHAR), TAG);
        bed_text_widen(link, SymbolicLinkName);
    }
    return status;
}

NTSTATUS IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    char link[LINK_LENGTH];
    struct interface *interface;

    bed_irql_at_most(PASSIVE_LEVEL, "IoSetDeviceInterfaceState");
    if (Enable && BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_INTERFACE)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    bed_text_narrow(SymbolicLinkName, link, sizeof(link));
    bed_lock(&lock);
    interface = link[0] != '\0' ? find_locked(link) : NULL;
    if (interface != NULL) {
        interface->enabled = Enable;
    }
    bed_unlock(&lock);
    return interface != NULL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

PDEVICE_OBJECT bed_interface_find(const GUID *class)
{
    PDEVICE_OBJECT device = NULL;

    bed_lock(&lock);
    for (ULONG i = 0; i < INTERFACES && device == NULL; i++) {
        if (interfaces[i].enabled && memcmp(&interfaces[i].class, class, sizeof(*class)) == 0) {
            device = interfaces[i].device;
            bed_object_reference(device);
        }
    }
    bed_unlock(&lock);
    return device;
}

ULONG bed_interfaces_check(void)
{
    ULONG count = 0;

    bed_lock(&lock);
    for (ULONG i = 0; i < INTERFACES; i++) {
        if (interfaces[i].enabled) {
            port_violation("interface-leak: %.160s is still enabled", interfaces[i].link);
            count++;
        }
    }
    memset(interfaces, 0, sizeof(interfaces));
    bed_unlock(&lock);
    return count;
}
