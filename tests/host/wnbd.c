/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/wnbd.h"

#include <stdlib.h>
#include <string.h>

#define DISK_LIMIT_MS 600000

struct bed_file *wnbd_open(void)
{
    struct bed_file *adapter = NULL;

    bed_open_interface(&WNBD_GUID, &adapter);
    return adapter;
}

void wnbd_describe(WNBD_IOCTL_CREATE_COMMAND *command, const char *name, USHORT port)
{
    WNBD_PROPERTIES *properties = &command->Properties;

    memset(command, 0, sizeof(*command));
    command->IoControlCode = IOCTL_WNBD_CREATE;
    strncpy(properties->InstanceName, name, sizeof(properties->InstanceName) - 1);
    strcpy(properties->Owner, "test");
    properties->Flags.UseKernelNbd = 1;
    strcpy(properties->NbdProperties.Hostname, "127.0.0.1");
    properties->NbdProperties.PortNumber = port;
}

void wnbd_map_begin(struct bed_io *io, struct bed_file *adapter, const WNBD_IOCTL_CREATE_COMMAND *command,
                    WNBD_IOCTL_CREATE_OUTPUT *output)
{
    bed_control_begin(io, adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, command, sizeof(*command), output,
                      sizeof(*output));
}

NTSTATUS wnbd_map(struct bed_file *adapter, const WNBD_IOCTL_CREATE_COMMAND *command, WNBD_IOCTL_CREATE_OUTPUT *output)
{
    struct bed_io io;
    NTSTATUS status;

    wnbd_map_begin(&io, adapter, command, output);
    status = bed_io_wait(&io, MAXULONG, NULL);
    return NT_SUCCESS(status) ? output->Status : status;
}

NTSTATUS wnbd_map_port(struct bed_file *adapter, const char *name, USHORT port)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;

    wnbd_describe(&command, name, port);
    return wnbd_map(adapter, &command, &output);
}

NTSTATUS wnbd_map_several(struct bed_file *adapter, const char *name, USHORT port, UINT32 connections)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;

    wnbd_describe(&command, name, port);
    command.Properties.NbdProperties.Connections = connections;
    return wnbd_map(adapter, &command, &output);
}

void wnbd_remove_command(WNBD_IOCTL_REMOVE_COMMAND *command, const char *name)
{
    memset(command, 0, sizeof(*command));
    command->IoControlCode = IOCTL_WNBD_REMOVE;
    strncpy(command->InstanceName, name, sizeof(command->InstanceName) - 1);
}

NTSTATUS wnbd_unmap(struct bed_file *adapter, const char *name)
{
    WNBD_IOCTL_REMOVE_COMMAND command;

    wnbd_remove_command(&command, name);
    return bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), NULL, 0, NULL);
}

NTSTATUS wnbd_show(struct bed_file *adapter, const char *name, WNBD_CONNECTION_INFO *info)
{
    WNBD_IOCTL_SHOW_COMMAND command = {.IoControlCode = IOCTL_WNBD_SHOW};

    strncpy(command.InstanceName, name, sizeof(command.InstanceName) - 1);
    return bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), info, sizeof(*info),
                       NULL);
}

NTSTATUS wnbd_open_disk(struct bed_file *adapter, const char *name, struct bed_file **disk)
{
    WNBD_CONNECTION_INFO info;
    NTSTATUS status = wnbd_show(adapter, name, &info);

    return NT_SUCCESS(status) ? bed_open_disk((UCHAR)info.TargetId, DISK_LIMIT_MS, disk) : status;
}

void wnbd_pattern(UCHAR *data, ULONG length, ULONG seed)
{
    for (ULONG i = 0; i < length; i++) {
        data[i] = (UCHAR)(seed * 31 + i * 7 + i / 256);
    }
}
