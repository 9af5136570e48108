/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control requests (include/wnbd_ioctl.h). Storport calls at PASSIVE_LEVEL and has opened the device to administrators
 * only. */
#include "driver/create.h"
#include "driver/disk.h"
#include "driver/log.h"
#include "driver/option_ioctl.h"
#include "driver/serve.h"

#include "version.h"

void ioctl_complete(struct adapter *adapter, PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    StorPortCompleteServiceIrp(adapter, irp);
}

/* A command's smallest input and output, checked before its routine is called. */
struct command {
    ULONG code;
    ULONG input_size;
    ULONG output_size;
    void (*run)(struct adapter *adapter, PIRP irp);
};

static ULONG output_length(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength;
}

static void ping(struct adapter *adapter, PIRP irp)
{
    ioctl_complete(adapter, irp, STATUS_SUCCESS, 0);
}

static void version(struct adapter *adapter, PIRP irp)
{
    WNBD_VERSION *output = irp->AssociatedIrp.SystemBuffer;

    RtlZeroMemory(output, sizeof *output);
    output->Major = WNBD_VERSION_MAJOR;
    output->Minor = WNBD_VERSION_MINOR;
    output->Patch = WNBD_VERSION_PATCH;
    RtlCopyMemory(output->Description, WNBD_VERSION_TEXT, sizeof WNBD_VERSION_TEXT);
    ioctl_complete(adapter, irp, STATUS_SUCCESS, sizeof *output);
}

/* The disk a command names, with a reference. `name` is the caller's array, which need not be ended with NUL. */
static struct disk *named(struct adapter *adapter, CHAR *name)
{
    name[WNBD_MAX_NAME_LENGTH - 1] = '\0';
    return name[0] != '\0' ? disk_named(adapter, name) : NULL;
}

static bool is_mapped(struct disk *disk)
{
    return disk_state(disk) != DISK_CONNECTING;
}

/* A disk for a report: one that is mapped, or is being removed. */
static struct disk *named_and_mapped(struct adapter *adapter, CHAR *name)
{
    struct disk *disk = named(adapter, name);

    if (disk != NULL && !is_mapped(disk)) {
        disk_release(disk);
        return NULL;
    }
    return disk;
}

/* Both forms of the output begin with the description of the disk. */
static void show(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_SHOW_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    struct disk *disk = named_and_mapped(adapter, command->InstanceName);
    WNBD_IOCTL_SHOW_OUTPUT *output = irp->AssociatedIrp.SystemBuffer;
    ULONG size = output_length(irp) >= sizeof *output ? sizeof *output : sizeof output->Info;

    if (disk == NULL) {
        ioctl_complete(adapter, irp, STATUS_OBJECT_NAME_NOT_FOUND, 0);
        return;
    }
    disk_describe(disk, &output->Info);
    if (size == sizeof *output) {
        disk_describe_server(disk, &output->Server);
    }
    disk_release(disk);
    ioctl_complete(adapter, irp, STATUS_SUCCESS, size);
}

/* Both forms of the output begin with the counters. */
static void stats(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_STATS_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    struct disk *disk = named_and_mapped(adapter, command->InstanceName);
    bool all = output_length(irp) >= sizeof(WNBD_IOCTL_STATS_OUTPUT);

    if (disk == NULL) {
        ioctl_complete(adapter, irp, STATUS_OBJECT_NAME_NOT_FOUND, 0);
        return;
    }
    if (all) {
        disk_statistics_all(disk, irp->AssociatedIrp.SystemBuffer);
    } else {
        disk_statistics(disk, irp->AssociatedIrp.SystemBuffer);
    }
    disk_release(disk);
    ioctl_complete(adapter, irp, STATUS_SUCCESS, all ? sizeof(WNBD_IOCTL_STATS_OUTPUT) : sizeof(WNBD_DRV_STATS));
}

/* Describes the disk at `target` in the list's next element if there is one. */
static void list_one(struct adapter *adapter, ULONG target, WNBD_CONNECTION_LIST *list)
{
    struct disk *disk = disk_in_place(adapter, target);

    if (disk == NULL) {
        return;
    }
    if (is_mapped(disk)) {
        disk_describe(disk, &list->Connections[list->Count++]);
    }
    disk_release(disk);
}

static void list(struct adapter *adapter, PIRP irp)
{
    WNBD_CONNECTION_LIST *output = irp->AssociatedIrp.SystemBuffer;
    ULONG header = FIELD_OFFSET(WNBD_CONNECTION_LIST, Connections);
    ULONG room = (output_length(irp) - header) / sizeof output->Connections[0];

    output->ElementSize = sizeof output->Connections[0];
    output->Count = 0;
    for (ULONG target = 0; target < ADAPTER_TARGETS && output->Count < room; target++) {
        list_one(adapter, target, output);
    }
    ioctl_complete(adapter, irp, STATUS_SUCCESS, header + output->Count * sizeof output->Connections[0]);
}

/* The IRP pends until the disk is gone, which takes its thread a bounded time. */
static void remove(struct adapter *adapter, PIRP irp)
{
    WNBD_IOCTL_REMOVE_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    bool with_all = command->Options.Flags.WithAllDisks;
    struct disk *disk = named(adapter, command->InstanceName);

    if (disk == NULL) {
        ioctl_complete(adapter, irp, STATUS_OBJECT_NAME_NOT_FOUND, 0);
        return;
    }
    if (disk_await_removal(disk, irp)) {
        disk_stop(disk, with_all ? DISK_CLEARED : DISK_UNMAPPED); /* the IRP may be gone from here on */
    } else {
        ioctl_complete(adapter, irp, STATUS_OBJECT_NAME_NOT_FOUND, 0);
    }
    disk_release(disk);
}

static const struct command commands[] = {
    {IOCTL_WNBD_PING, sizeof(WNBD_IOCTL_PING_COMMAND), 0, ping},
    {IOCTL_WNBD_CREATE, sizeof(WNBD_IOCTL_CREATE_COMMAND), sizeof(WNBD_CONNECTION_INFO), create_begin},
    {IOCTL_WNBD_REMOVE, sizeof(WNBD_IOCTL_REMOVE_COMMAND), 0, remove},
    {IOCTL_WNBD_FETCH_REQ, sizeof(WNBD_IOCTL_FETCH_REQ_COMMAND), sizeof(WNBD_IO_REQUEST), serve_fetch},
    {IOCTL_WNBD_SEND_RSP, sizeof(WNBD_IOCTL_SEND_RSP_COMMAND), 0, serve_send},
    {IOCTL_WNBD_LIST, sizeof(WNBD_IOCTL_LIST_COMMAND), FIELD_OFFSET(WNBD_CONNECTION_LIST, Connections), list},
    {IOCTL_WNBD_STATS, sizeof(WNBD_IOCTL_STATS_COMMAND), sizeof(WNBD_DRV_STATS), stats},
    {IOCTL_WNBD_RELOAD_CONFIG, sizeof(WNBD_IOCTL_RELOAD_CONFIG_COMMAND), 0, option_ioctl_reload},
    {IOCTL_WNBD_VERSION, sizeof(WNBD_IOCTL_VERSION_COMMAND), sizeof(WNBD_VERSION), version},
    {IOCTL_WNBD_SHOW, sizeof(WNBD_IOCTL_SHOW_COMMAND), sizeof(WNBD_CONNECTION_INFO), show},
    {IOCTL_WNBD_GET_DRV_OPT, sizeof(WNBD_IOCTL_GET_DRV_OPT_COMMAND), sizeof(WNBD_OPTION_VALUE), option_ioctl_get},
    {IOCTL_WNBD_SET_DRV_OPT, sizeof(WNBD_IOCTL_SET_DRV_OPT_COMMAND), 0, option_ioctl_set},
    {IOCTL_WNBD_RESET_DRV_OPT, sizeof(WNBD_IOCTL_RESET_DRV_OPT_COMMAND), 0, option_ioctl_reset},
    {IOCTL_WNBD_LIST_DRV_OPT, sizeof(WNBD_IOCTL_LIST_DRV_OPT_COMMAND), FIELD_OFFSET(WNBD_OPTION_LIST, Options),
     option_ioctl_list},
    {IOCTL_WNBD_SET_DISK_SIZE, sizeof(WNBD_IOCTL_SET_SIZE_COMMAND), 0, serve_resize},
    {IOCTL_WNBD_OWN, sizeof(WNBD_IOCTL_OWN_COMMAND), 0, serve_own},
    {IOCTL_WNBD_MAP_ARENA, sizeof(WNBD_IOCTL_MAP_ARENA_COMMAND), sizeof(WNBD_ARENA), serve_map_arena},
    {IOCTL_WNBD_ENTER, FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers), FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests),
     serve_enter},
    {IOCTL_WNBD_ATTACH, sizeof(WNBD_IOCTL_ATTACH_COMMAND), sizeof(WNBD_CONNECTION_INFO), serve_attach},
};

static const struct command *find(ULONG code)
{
    for (size_t i = 0; i < ARRAYSIZE(commands); i++) {
        if (commands[i].code == code) {
            return &commands[i];
        }
    }
    return NULL;
}

/* Which command an IRP has, if it may be run: NULL and a status otherwise. */
static const struct command *check(PIRP irp, NTSTATUS *status)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    const struct command *command;

    *status = STATUS_INVALID_PARAMETER;
    if (irp->AssociatedIrp.SystemBuffer == NULL ||
        location->Parameters.DeviceIoControl.InputBufferLength < sizeof(WNBD_IOCTL_BASE_COMMAND)) {
        return NULL;
    }
    command = find(((WNBD_IOCTL_BASE_COMMAND *)irp->AssociatedIrp.SystemBuffer)->IoControlCode);
    if (command == NULL) {
        *status = STATUS_INVALID_DEVICE_REQUEST;
        return NULL;
    }
    if (location->Parameters.DeviceIoControl.InputBufferLength < command->input_size) {
        return NULL;
    }
    if (location->Parameters.DeviceIoControl.OutputBufferLength < command->output_size) {
        *status = STATUS_BUFFER_OVERFLOW;
        return NULL;
    }
    return command;
}

VOID hw_process_service_request(PVOID extension, PVOID service_irp)
{
    struct adapter *adapter = extension;
    PIRP irp = service_irp;
    NTSTATUS status;
    const struct command *command = check(irp, &status);

    if (command != NULL) {
        KeEnterCriticalRegion(); /* a thread that is suspended in here, by a debugger say, would make others wait */
        command->run(adapter, irp);
        KeLeaveCriticalRegion();
    } else {
        ioctl_complete(adapter, irp, status, 0);
    }
}

/* The adapter is going: nobody may wait here any longer. The disks end by themselves. */
VOID hw_complete_service_irp(PVOID extension)
{
    struct adapter *adapter = extension;

    adapter_end(adapter);
    for (ULONG target = 0; target < ADAPTER_TARGETS; target++) {
        struct disk *disk = disk_in_place(adapter, target);

        if (disk != NULL) {
            disk_stop(disk, DISK_LOST_PLACE);
            create_abandon(disk);
            disk_complete_removal_irps(disk);
            disk_release(disk);
        }
    }
    create_release_waiters(adapter);
}
