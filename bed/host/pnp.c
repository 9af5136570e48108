/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/pnp.h"

#include "bed/host/irp.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/object.h"
#include "bed/host/sanitizer.h"
#include "bed/host/thread.h"
#include "bed/port/violation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES            160
#define REMOVAL_LIMIT_MS 60000

/* A disk that was reported. Only the PnP thread changes nodes, but for the instance all under `lock`. */
struct node {
    PDEVICE_OBJECT device; /* NULL: free. With a reference */
    char instance[BED_INSTANCE_TEXT];
    bool reported; /* by the relations just read */
    bool missing;  /* SURPRISE_REMOVAL was sent */
};

static struct bed_lock lock;
static struct node nodes[NODES];
static DRIVER_OBJECT root_driver;
static PDEVICE_OBJECT root;    /* the adapter's physical device object */
static volatile uint32_t work; /* counts up when there is something to do; the thread sleeps on it */
static volatile uint32_t idle; /* what of `work` has been done */
static volatile bool stopping;
static volatile bool surprised;
static volatile bool relations_wanted;
static volatile LONG running;

/* ---- requests ---- */

static void ended(PIRP irp, void *context)
{
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

NTSTATUS bed_pnp_send(PDEVICE_OBJECT device, UCHAR minor, void (*fill)(PIO_STACK_LOCATION stack, void *context),
                      void *context, ULONG_PTR *information)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(device);
    KEVENT event;
    PIRP irp = bed_irp_create(top->StackSize, ended, &event);
    PIO_STACK_LOCATION stack;
    NTSTATUS status;

    if (irp == NULL) {
        abort();
    }
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_PNP;
    stack->MinorFunction = minor;
    if (fill != NULL) {
        fill(stack, context);
    }
    IoCallDriver(top, irp);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    status = irp->IoStatus.Status;
    if (information != NULL) {
        *information = irp->IoStatus.Information;
    }
    IoFreeIrp(irp);
    bed_object_release(top);
    return status;
}

static void fill_id(PIO_STACK_LOCATION stack, void *context)
{
    stack->Parameters.QueryId.IdType = *(const BUS_QUERY_ID_TYPE *)context;
}

static void append_id(PDEVICE_OBJECT device, BUS_QUERY_ID_TYPE type, char *text)
{
    ULONG_PTR answer = 0;
    size_t at = strlen(text);
    PWSTR id;

    if (!NT_SUCCESS(bed_pnp_send(device, IRP_MN_QUERY_ID, fill_id, &type, &answer))) {
        return;
    }
    id = (PWSTR)answer;
    for (size_t i = 0; id[i] != 0 && at < BED_INSTANCE_TEXT - 1; i++) {
        text[at++] = (char)id[i];
    }
    text[at] = '\0';
    ExFreePool(id);
}

static void fill_capabilities(PIO_STACK_LOCATION stack, void *context)
{
    stack->Parameters.DeviceCapabilities.Capabilities = context;
}

static void fill_bus_relations(PIO_STACK_LOCATION stack, void *context)
{
    UNREFERENCED_PARAMETER(context);
    stack->Parameters.QueryDeviceRelations.Type = BusRelations;
}

/* ---- disks ---- */

static struct node *find(PDEVICE_OBJECT device)
{
    for (ULONG i = 0; i < NODES; i++) {
        if (nodes[i].device == device) {
            return &nodes[i];
        }
    }
    return NULL;
}

/* Takes the reference to the device. */
static void start_disk(PDEVICE_OBJECT device)
{
    DEVICE_CAPABILITIES capabilities = {.Size = sizeof(capabilities), .Version = 1};
    char instance[BED_INSTANCE_TEXT] = "";
    struct node *node;

    append_id(device, BusQueryDeviceID, instance);
    strncat(instance, "\\", sizeof(instance) - strlen(instance) - 1);
    append_id(device, BusQueryInstanceID, instance);
    bed_lock(&lock);
    node = find(NULL);
    if (node == NULL) {
        abort();
    }
    *node = (struct node){.device = device, .reported = true};
    memcpy(node->instance, instance, sizeof(instance));
    bed_unlock(&lock);
    bed_pnp_send(device, IRP_MN_QUERY_CAPABILITIES, fill_capabilities, &capabilities, NULL);
    bed_pnp_send(device, IRP_MN_START_DEVICE, NULL, NULL, NULL);
}

static void forget(struct node *node)
{
    PDEVICE_OBJECT device = node->device;

    bed_pnp_send(device, IRP_MN_REMOVE_DEVICE, NULL, NULL, NULL);
    bed_lock(&lock);
    node->device = NULL;
    bed_unlock(&lock);
    bed_object_release(device);
}

/* Disks that are gone: told once, removed when nobody has them open. */
static void take_missing(void)
{
    for (ULONG i = 0; i < NODES; i++) {
        struct node *node = &nodes[i];

        if (node->device == NULL || node->reported) {
            continue;
        }
        if (!node->missing) {
            node->missing = true;
            bed_pnp_send(node->device, IRP_MN_SURPRISE_REMOVAL, NULL, NULL, NULL);
        }
        if (__atomic_load_n(&node->device->ReferenceCount, __ATOMIC_SEQ_CST) == 0) {
            forget(node);
        }
    }
}

static void read_relations(void)
{
    ULONG_PTR answer = 0;
    PDEVICE_RELATIONS relations;

    if (!NT_SUCCESS(bed_pnp_send(root, IRP_MN_QUERY_DEVICE_RELATIONS, fill_bus_relations, NULL, &answer)) ||
        answer == 0) {
        return;
    }
    relations = (PDEVICE_RELATIONS)answer;
    for (ULONG i = 0; i < NODES; i++) {
        nodes[i].reported = false;
    }
    for (ULONG i = 0; i < relations->Count; i++) {
        struct node *node = find(relations->Objects[i]);

        if (node != NULL) {
            node->reported = true;
            bed_object_release(relations->Objects[i]);
        } else {
            start_disk(relations->Objects[i]);
        }
    }
    ExFreePool(relations);
}

static void pnp_thread(void *unused)
{
    UNREFERENCED_PARAMETER(unused);
    while (!stopping) {
        uint32_t seen = __atomic_load_n(&work, __ATOMIC_SEQ_CST);

        bed_observe(&work);

        if (__atomic_exchange_n(&relations_wanted, false, __ATOMIC_SEQ_CST) && !surprised) {
            read_relations();
        }
        take_missing();
        bed_publish(&idle);
        __atomic_store_n(&idle, seen, __ATOMIC_SEQ_CST);
        bed_word_wake(&idle);
        bed_word_wait(&work, seen, BED_FOREVER);
    }
    bed_publish(&running);
    InterlockedExchange(&running, 0);
    bed_word_wake(&running);
}

static void wake(void)
{
    bed_publish(&work);
    __atomic_add_fetch(&work, 1, __ATOMIC_SEQ_CST);
    bed_word_wake(&work);
}

VOID IoInvalidateDeviceRelations(PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type)
{
    bed_irql_at_most(DISPATCH_LEVEL, "IoInvalidateDeviceRelations");
    if (DeviceObject != root || Type != BusRelations) {
        port_violation("pnp: IoInvalidateDeviceRelations of %p, type %d", (void *)DeviceObject, (int)Type);
        return;
    }
    __atomic_store_n(&relations_wanted, true, __ATOMIC_SEQ_CST);
    wake();
}

void bed_pnp_handle_closed(void)
{
    wake();
}

void bed_pnp_instance(PDEVICE_OBJECT device, char text[BED_INSTANCE_TEXT])
{
    struct node *node;

    bed_lock(&lock);
    node = device != NULL ? find(device) : NULL;
    snprintf(text, BED_INSTANCE_TEXT, "%s",
             node != NULL     ? node->instance
             : device == root ? "ROOT\\SCSIADAPTER\\0000"
                              : "");
    bed_unlock(&lock);
}

/* ---- the adapter ---- */

/* The root bus has nothing to say to its device's requests. */
static NTSTATUS root_dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (IoGetCurrentIrpStackLocation(irp)->MinorFunction != IRP_MN_QUERY_DEVICE_RELATIONS) {
        irp->IoStatus.Status = STATUS_SUCCESS;
    }
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static void delete_root(void)
{
    IoDeleteDevice(root);
    root = NULL;
}

NTSTATUS bed_pnp_add_adapter(PDRIVER_OBJECT driver)
{
    NTSTATUS status;

    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        root_driver.MajorFunction[i] = root_dispatch;
    }
    status = IoCreateDevice(&root_driver, 0, NULL, FILE_DEVICE_CONTROLLER, 0, FALSE, &root);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    stopping = surprised = false;
    running = 1;
    if (!bed_thread_run(pnp_thread, NULL)) {
        abort();
    }
    status = driver->DriverExtension->AddDevice(driver, root);
    if (NT_SUCCESS(status)) {
        status = bed_pnp_send(root, IRP_MN_START_DEVICE, NULL, NULL, NULL);
        if (!NT_SUCCESS(status)) {
            bed_pnp_remove_adapter(BED_REMOVAL_ASKED);
        }
    }
    return status;
}

static bool any_disk_open(void)
{
    for (ULONG i = 0; i < NODES; i++) {
        if (nodes[i].device != NULL && nodes[i].device->ReferenceCount != 0) {
            return true;
        }
    }
    return false;
}

/* Waits until the PnP thread has seen to everything that came up to now. */
static void settle(void)
{
    uint32_t wanted;
    uint32_t done;

    bed_publish(&work);
    wanted = __atomic_add_fetch(&work, 1, __ATOMIC_SEQ_CST);
    bed_word_wake(&work);
    while ((int32_t)((done = __atomic_load_n(&idle, __ATOMIC_SEQ_CST)) - wanted) < 0) {
        bed_word_wait(&idle, done, BED_FOREVER);
    }
    bed_observe(&idle);
}

static void remove_disks(void)
{
    for (ULONG i = 0; i < NODES; i++) {
        nodes[i].reported = false;
    }
    settle();
    for (ULONG waited = 0; any_disk_open(); waited += 10) {
        LARGE_INTEGER pause = {.QuadPart = -10 * 10000};

        if (waited >= REMOVAL_LIMIT_MS) {
            port_violation("pnp: a disk is still open %u ms after the adapter was taken away", REMOVAL_LIMIT_MS);
            abort();
        }
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    settle();
}

static void stop_thread(void)
{
    stopping = true;
    wake();
    while (running != 0) {
        bed_word_wait(&running, 1, BED_FOREVER);
    }
    bed_observe(&running);
}

NTSTATUS bed_pnp_remove_adapter(enum bed_removal removal)
{
    settle();
    if (removal == BED_REMOVAL_ASKED && any_disk_open()) {
        return STATUS_DEVICE_BUSY;
    }
    surprised = true;
    if (removal == BED_REMOVAL_SURPRISE) {
        bed_pnp_send(root, IRP_MN_SURPRISE_REMOVAL, NULL, NULL, NULL);
    }
    remove_disks();
    stop_thread();
    bed_pnp_send(root, IRP_MN_REMOVE_DEVICE, NULL, NULL, NULL);
    delete_root();
    return STATUS_SUCCESS;
}
