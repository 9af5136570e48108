/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list and show. Programs read this output, so its shape is fixed. */
#include "wnbd-client/commands.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/report.h"

#include <stdio.h>
#include <stdlib.h>

static BOOL is_nbd(const WNBD_PROPERTIES *properties)
{
    return properties->Flags.UseKernelNbd || properties->Flags.UseUserspaceNbd;
}

static void print_row(const WNBD_CONNECTION_INFO *info)
{
    printf("%-10d  %-10d  %-5s  %-15s  %s\n", info->Properties.Pid, info->DiskNumber,
           is_nbd(&info->Properties) ? "true" : "false", info->Properties.Owner, info->Properties.InstanceName);
}

static void print_list(const WNBD_CONNECTION_LIST *list)
{
    printf("%-10s  %-10s  %-5s  %-15s  %s\n", "Pid", "DiskNumber", "Nbd", "Owner", "InstanceName");
    for (UINT32 i = 0; i < list->Count; i++)
        print_row(&list->Connections[i]);
}

/* *list is for free(), also after a failure. */
static DWORD read_list(PWNBD_CONNECTION_LIST *list)
{
    DWORD size = 0;
    DWORD given;
    DWORD error;

    *list = NULL;
    do {
        given = size;
        free(*list);
        *list = given ? malloc(given) : NULL;
        if (given && !*list)
            return ERROR_NOT_ENOUGH_MEMORY;
        error = WnbdList(*list, &size);
    } while (error == ERROR_SUCCESS && size > given);
    return error;
}

/* The columns have no room for it: a disk without its server is told beside them. */
static void note_lost_server(const char *name)
{
    WNBD_SERVER_STATUS status;

    if (WnbdGetServerStatus(name, &status) != ERROR_SUCCESS)
        return;
    if (status.State == WnbdServerReconnecting)
        report_note("'%s' has been without its server for %llu s, requests wait (%s)", name,
                    (unsigned long long)status.LostForMs / 1000, status.LastError);
    else if (status.State == WnbdServerLost)
        report_note("'%s' has been without its server for %llu s, requests fail until it is back (%s)", name,
                    (unsigned long long)status.LostForMs / 1000, status.LastError);
}

static void note_lost_servers(const WNBD_CONNECTION_LIST *list)
{
    for (UINT32 i = 0; i < list->Count; i++) {
        if (is_nbd(&list->Connections[i].Properties))
            note_lost_server(list->Connections[i].Properties.InstanceName);
    }
}

int command_list(const struct arguments *arguments)
{
    PWNBD_CONNECTION_LIST list;
    DWORD error;

    if (argument_flag(arguments, "persistent"))
        return persistent_list();
    error = read_list(&list);
    if (error == ERROR_SUCCESS) {
        print_list(list);
        note_lost_servers(list);
        persistent_note_missing(list);
    }
    free(list);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot list the disks");
}

#define FIELD "%-25s : "

static void print_number(const char *name, long long value)
{
    printf(FIELD "%lld\n", name, value);
}

static void print_text(const char *name, const char *value)
{
    printf(FIELD "%s\n", name, value);
}

static void print_wide(const char *name, const WCHAR *value)
{
    char text[WNBD_MAX_NAME_LENGTH * 3 + 1] = "";

    WideCharToMultiByte(CP_UTF8, 0, value, -1, text, sizeof(text) - 1, NULL, NULL);
    print_text(name, text);
}

static void print_properties(const WNBD_PROPERTIES *properties)
{
    print_text("InstanceName", properties->InstanceName);
    print_text("SerialNumber", properties->SerialNumber);
    print_text("Owner", properties->Owner);
    print_number("ReadOnly", properties->Flags.ReadOnly);
    print_number("FlushSupported", properties->Flags.FlushSupported);
    print_number("FUASupported", properties->Flags.FUASupported);
    print_number("UnmapSupported", properties->Flags.UnmapSupported);
    print_number("UnmapAnchorSupported", properties->Flags.UnmapAnchorSupported);
    print_number("UseUserspaceNbd", properties->Flags.UseUserspaceNbd);
    printf(FIELD "%llu\n", "BlockCount", (unsigned long long)properties->BlockCount);
    print_number("BlockSize", properties->BlockSize);
    print_number("MaxUnmapDescCount", properties->MaxUnmapDescCount);
    print_number("Pid", properties->Pid);
}

static BOOL read_limits(INT disk_number, DWORD *lun, DWORD *adapter)
{
    WCHAR path[32];
    HANDLE disk;
    DWORD error;

    swprintf(path, ARRAYSIZE(path), L"\\\\.\\PhysicalDrive%d", disk_number);
    disk = CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (disk == INVALID_HANDLE_VALUE)
        return FALSE;
    error = WnbdIoctlGetIOLimits(disk, lun, adapter, NULL);
    CloseHandle(disk);
    return error == ERROR_SUCCESS;
}

static void print_limits(INT disk_number)
{
    DWORD lun;
    DWORD adapter;
    BOOL is_known = disk_number >= 0 && read_limits(disk_number, &lun, &adapter);

    print_number("MaxIOReqPerLun", is_known ? (long long)lun : -1);
    print_number("MaxIOReqPerAdapter", is_known ? (long long)adapter : -1);
}

static void print_device(const WNBD_CONNECTION_INFO *info)
{
    print_number("DiskNumber", info->DiskNumber);
    print_wide("PNPDeviceID", info->PNPDeviceID);
    print_number("BusNumber", info->BusNumber);
    print_number("TargetId", info->TargetId);
    print_number("Lun", info->Lun);
    print_limits(info->DiskNumber);
}

static void print_server(const NBD_CONNECTION_PROPERTIES *server)
{
    printf("Nbd properties\n");
    print_text("Hostname", server->Hostname);
    print_number("PortNumber", server->PortNumber);
    print_text("ExportName", server->ExportName);
    print_number("SkipNegotiation", server->Flags.SkipNegotiation);
    printf("\n");
}

static const char *state_word(UINT32 state)
{
    switch (state) {
    case WnbdServerConnected:
        return "connected";
    case WnbdServerReconnecting:
        return "reconnecting";
    case WnbdServerLost:
        return "lost";
    default:
        return "unknown";
    }
}

static const char *replies_word(UINT32 replies)
{
    switch (replies) {
    case WnbdRepliesSimple:
        return "simple";
    case WnbdRepliesStructured:
        return "structured";
    case WnbdRepliesExtended:
        return "extended";
    default:
        return "unknown";
    }
}

/* The disk may have gone since it was shown: then there is nothing to tell. */
static void print_server_status(const char *name, UINT32 connections)
{
    WNBD_SERVER_STATUS status;

    if (WnbdGetServerStatus(name, &status) != ERROR_SUCCESS)
        return;
    printf("Server connection\n");
    print_text("State", state_word(status.State));
    print_number("Connections", status.Connections);
    print_number("ConnectionsWanted", connections);
    print_text("Replies", replies_word(status.Replies));
    print_number("LostForMs", (long long)status.LostForMs);
    print_number("Reconnects", (long long)status.Reconnects);
    print_number("ReplayedRequests", (long long)status.ReplayedRequests);
    print_number("UnfencedConnections", (long long)status.UnfencedConnections);
    print_text("LastError", status.LastError);
    printf("\n");
}

int command_show(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "instance-name", "");
    WNBD_CONNECTION_INFO info;
    DWORD error = WnbdShow(name, &info);

    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot show '%s'", name);
    printf("Connection info\n");
    print_properties(&info.Properties);
    print_device(&info);
    printf("\n");
    if (is_nbd(&info.Properties))
        print_server(&info.Properties.NbdProperties);
    if (info.Properties.Flags.UseKernelNbd) /* of others the driver knows nothing */
        print_server_status(name, info.Properties.NbdProperties.Connections);
    return ERROR_SUCCESS;
}
