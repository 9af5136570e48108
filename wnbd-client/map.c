/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map: an export becomes a disk, or nothing is left behind. Disks of this program itself are serve.c's. */
#include "wnbd-client/commands.h"
#include "wnbd-client/interrupt.h"
#include "wnbd-client/json.h"
#include "wnbd-client/map_print.h"
#include "wnbd-client/map_source.h"
#include "wnbd-client/map_user.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/ready.h"
#include "wnbd-client/report.h"
#include "wnbd-client/serve.h"
#include "wnbd-client/server.h"

#include <stdio.h>
#include <string.h>

#define LARGE_BLOCK_BYTES 4096
#define NO_DISK_NUMBER    ((DWORD) - 1)

static const char name_of[] = "instance-name";
static const char physical_block_size[] = "physical-block-size";

/* How the command is to go about it. */
struct options {
    bool json;
    bool wait; /* until Windows has the disk */
};

static int check_block_size(uint64_t block_size)
{
    if (block_size == WNBD_DEFAULT_BLOCK_SIZE || block_size == LARGE_BLOCK_BYTES)
        return ERROR_SUCCESS;
    return report_misuse("block-size is %llu, but must be 512 or 4096", (unsigned long long)block_size);
}

static int check_physical_block_size(uint64_t physical, uint64_t block_size)
{
    if (physical == 0 || (physical >= block_size && (physical & (physical - 1)) == 0))
        return ERROR_SUCCESS;
    return report_misuse("physical-block-size is %llu, but must be a power of two and at least block-size, %llu",
                         (unsigned long long)physical, (unsigned long long)block_size);
}

/* Without the handshake nobody else says how large the disk is; with it only the server does. */
static int check_disk_size(bool skip_handshake, uint64_t disk_size, uint64_t block_size)
{
    if (!skip_handshake)
        return ERROR_SUCCESS;
    if (disk_size == 0)
        return report_misuse("skip-handshake needs disk-size, because the server does not say how large the export is");
    if (disk_size % block_size != 0)
        return report_misuse("disk-size is %llu, which is not a multiple of the block size %llu",
                             (unsigned long long)disk_size, (unsigned long long)block_size);
    return ERROR_SUCCESS;
}

/* The command table knows no Windows, so it cannot ask the header. */
static_assert(WNBD_MAX_CONNECTIONS == 16 && WNBD_DEFAULT_CONNECTIONS == 1, "commands.c says so");
static_assert(WNBD_MAX_PHYSICAL_BLOCK_SIZE == 65536, "commands.c says so");

static int check(const struct arguments *arguments)
{
    uint64_t block_size = argument_number(arguments, "block-size", WNBD_DEFAULT_BLOCK_SIZE);
    int code = check_block_size(block_size);

    if (code == ERROR_SUCCESS)
        code = check_physical_block_size(argument_number(arguments, physical_block_size, 0), block_size);
    if (code == ERROR_SUCCESS && argument_flag(arguments, "user") && argument_number(arguments, "connections", 1) > 1)
        code = report_misuse("user has one connection; without it the driver makes several");
    if (code != ERROR_SUCCESS)
        return code;
    return check_disk_size(argument_flag(arguments, "skip-handshake"), argument_number(arguments, "disk-size", 0),
                           block_size);
}

/* Lengths have been checked by the table. */
static void copy(CHAR *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

/* Not 0: the exit code, said on stderr. */
static int fill(WNBD_PROPERTIES *properties, const struct arguments *arguments)
{
    NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;
    const char *name = argument_text(arguments, name_of, "");
    int code;

    memset(properties, 0, sizeof(*properties));
    code = server_read(arguments, name, server);
    if (code != ERROR_SUCCESS)
        return code;
    server->Flags.SkipNegotiation = argument_flag(arguments, "skip-handshake");
    server->Flags.Force = argument_flag(arguments, "force");
    copy(properties->InstanceName, sizeof(properties->InstanceName), name);
    copy(properties->Owner, sizeof(properties->Owner), "wnbd-client");
    properties->Flags.UseKernelNbd = !argument_flag(arguments, "user");
    properties->Flags.ReadOnly = argument_flag(arguments, "read-only");
    server->Connections = (UINT32)argument_number(arguments, "connections", 0);
    properties->BlockSize = (UINT32)argument_number(arguments, "block-size", WNBD_DEFAULT_BLOCK_SIZE);
    properties->Flags.LargeBlocksAllowed = !properties->Flags.UseKernelNbd; /* who has them has asked for them */
    properties->PhysicalBlockSize = (UINT32)argument_number(arguments, physical_block_size, 0);
    properties->MaxUnmapDescCount = 1;
    if (server->Flags.SkipNegotiation)
        properties->BlockCount = argument_number(arguments, "disk-size", 0) / properties->BlockSize;
    return ERROR_SUCCESS;
}

/* The disk is mapped, but nobody can use it: it goes again, and what is said is true. */
static int give_up(const char *name, DWORD error)
{
    WNBD_REMOVE_OPTIONS options = {.Flags.HardRemove = 1};
    DWORD remove_error = ERROR_SUCCESS;

    if (error != ERROR_FILE_NOT_FOUND) /* else somebody was faster: whatever has the name now is not ours to unmap */
        remove_error = WnbdRemoveEx(name, &options);
    if (remove_error != ERROR_SUCCESS && remove_error != ERROR_FILE_NOT_FOUND)
        return report_failure(error, "cannot use the disk of '%s', nor unmap it again", name);
    return ready_report(name, error);
}

static void note_connections(UINT32 asked, UINT32 got)
{
    if (asked > got)
        report_note("the disk has %u of the %u connections that were asked for%s", got, asked,
                    got == 1 ? ": the server does not say that several see the same data" : "");
}

void map_print_result(bool json, const WNBD_CONNECTION_INFO *info, DWORD disk_number)
{
    map_print(json, &info->Properties, (int)disk_number);
    report_note("NBD traffic is clear text: whoever can see or change it on its way can read or change the disk");
}

static int create(HANDLE adapter, WNBD_PROPERTIES *properties, const struct options *options)
{
    const char *name = properties->InstanceName;
    WNBD_CONNECTION_INFO info;
    DWORD disk_number = NO_DISK_NUMBER;
    DWORD error = WnbdIoctlCreate(adapter, properties, &info, NULL);

    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot map '%s'", name);
    if (options->wait)
        error = ready_wait(name, &disk_number);
    if (error != ERROR_SUCCESS)
        return give_up(name, error);
    map_print_result(options->json, &info, disk_number);
    note_connections(properties->NbdProperties.Connections, info.Properties.NbdProperties.Connections);
    return ERROR_SUCCESS;
}

static void cancel(void *adapter)
{
    CancelIoEx(adapter, NULL);
}

static int create_interruptibly(WNBD_PROPERTIES *properties, const struct options *options)
{
    HANDLE adapter;
    DWORD error = WnbdOpenAdapter(&adapter);
    int code;

    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot map '%s'", properties->InstanceName);
    error = interrupt_start(cancel, adapter);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot map '%s'", properties->InstanceName);
    code = create(adapter, properties, options);
    interrupt_end();
    CloseHandle(adapter);
    return code;
}

static int read_options(const struct arguments *arguments, struct options *options)
{
    options->wait = !argument_flag(arguments, "no-wait");
    if (argument_flag(arguments, "wait") && !options->wait)
        return report_misuse("wait and no-wait contradict each other");
    if (argument_flag(arguments, "user") && !options->wait)
        return report_misuse("no-wait does not go with user, which stays");
    return json_read_format(arguments, &options->json);
}

static int map_export(const struct arguments *arguments, const struct options *options)
{
    bool is_persistent = argument_flag(arguments, "persistent");
    WNBD_PROPERTIES properties;
    int code = fill(&properties, arguments);

    if (code != ERROR_SUCCESS)
        return code;
    if (is_persistent && persistent_is_mapped(&properties))
        return persistent_record(&properties);
    if (is_persistent && !properties.Flags.UseKernelNbd)
        return persistent_serve(&properties, options->json);
    code = properties.Flags.UseKernelNbd ? create_interruptibly(&properties, options)
                                         : map_user(&properties, options->json);
    if (code == ERROR_SUCCESS && properties.BlockCount == 0 && argument_number(arguments, "disk-size", 0) != 0)
        report_note("disk-size was ignored: without skip-handshake the server says how large the export is");
    if (code == ERROR_SUCCESS && is_persistent)
        code = persistent_record(&properties);
    return code;
}

int command_map(const struct arguments *arguments)
{
    char problem[ARGUMENTS_PROBLEM_SIZE];
    enum map_source source;
    struct options options;
    int code = check(arguments);

    if (code == ERROR_SUCCESS)
        code = read_options(arguments, &options);
    if (code != ERROR_SUCCESS)
        return code;
    if (!map_source_read(arguments, &source, problem))
        return report_misuse("%s", problem);
    return source == MAP_FROM_SERVER ? map_export(arguments, &options) : serve(arguments, source, options.json);
}
