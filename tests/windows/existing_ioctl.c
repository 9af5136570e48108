/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * existing_ioctl NAME: a disk in memory without the library's dispatcher, of a program that knows WNBD 0.7.0 and
 * nothing newer: made by WnbdIoctlCreate, served by two threads that fetch and answer, each call waiting for its end. A
 * line of stdin is a number of blocks to resize to; with its end the disk is removed. Lines: `mapped NUMBER PID`,
 * `write BLOCK COUNT FIRST-BYTE`, `unmap COUNT: BLOCK COUNT`, `reserve-in ACTION ROOM`, `reserve-out ACTION TYPE: HEX`,
 * `resized ERROR`, `removed ERROR`, `fetch ERROR TYPE` of each thread at its end, `replies COUNT`.
 */
#include <wnbd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE   512u
#define BLOCKS       65536u
#define BLOCKS_MAX   (2 * BLOCKS)
#define SERVERS      2
#define RESERVATIONS 24u /* bytes of parameters, kept as they came */
#define POLL_MS      50u
#define POLLS        600

static unsigned char *memory;
static unsigned char reservation[RESERVATIONS];
static HANDLE adapter;
static WNBD_CONNECTION_INFO made;

static unsigned char *at(UINT64 block)
{
    return memory + block * BLOCK_SIZE;
}

/* One string, because the other thread has lines to say too. */
static void say_reservation(const WNBD_IO_REQUEST *request, const unsigned char *data)
{
    char text[2 * RESERVATIONS + 1] = "";

    for (UINT32 i = 0; i < RESERVATIONS; i++)
        sprintf(text + 2 * i, "%02x", data[i]);
    printf("reserve-out %u %u: %s\n", request->Cmd.PersistResOut.ServiceAction, request->Cmd.PersistResOut.Type, text);
}

static void on_write(const WNBD_IO_REQUEST *request, const unsigned char *data)
{
    memcpy(at(request->Cmd.Write.BlockAddress), data, (size_t)request->Cmd.Write.BlockCount * BLOCK_SIZE);
    printf("write %llu %u %02x\n", (unsigned long long)request->Cmd.Write.BlockAddress, request->Cmd.Write.BlockCount,
           data[0]);
}

static void on_unmap(const WNBD_IO_REQUEST *request, const void *data)
{
    const WNBD_UNMAP_DESCRIPTOR *descriptor = data;

    memset(at(descriptor->BlockAddress), 0, (size_t)descriptor->BlockCount * BLOCK_SIZE);
    printf("unmap %u: %llu %u\n", request->Cmd.Unmap.Count, (unsigned long long)descriptor->BlockAddress,
           descriptor->BlockCount);
}

static void on_reserve_out(const WNBD_IO_REQUEST *request, const unsigned char *data)
{
    if (request->Cmd.PersistResOut.ParameterListLength != RESERVATIONS)
        return;
    memcpy(reservation, data, RESERVATIONS);
    say_reservation(request, data);
}

/* What is answered, in *length bytes. */
static unsigned char *carry_out(const WNBD_IO_REQUEST *request, unsigned char *data, UINT32 *length)
{
    *length = 0;
    switch (request->RequestType) {
    case WnbdReqTypeRead:
        *length = request->Cmd.Read.BlockCount * BLOCK_SIZE;
        return at(request->Cmd.Read.BlockAddress);
    case WnbdReqTypeWrite:
        on_write(request, data);
        return NULL;
    case WnbdReqTypeUnmap:
        on_unmap(request, data);
        return NULL;
    case WnbdReqTypePersistResIn:
        *length = RESERVATIONS;
        printf("reserve-in %u %u\n", request->Cmd.PersistResIn.ServiceAction,
               request->Cmd.PersistResIn.AllocationLength);
        return reservation;
    case WnbdReqTypePersistResOut:
        on_reserve_out(request, data);
        return NULL;
    case WnbdReqTypeFlush:
    case WnbdReqTypeDisconnect:
    case WnbdReqTypeUnknown:
        return NULL;
    }
    return NULL;
}

static DWORD fetch(PWNBD_IO_REQUEST request, unsigned char *data)
{
    return WnbdIoctlFetchRequest(adapter, made.ConnectionId, request, data, WNBD_DEFAULT_MAX_TRANSFER_LENGTH, NULL);
}

static void answer(const WNBD_IO_REQUEST *request, unsigned char *data)
{
    WNBD_IO_RESPONSE response = {0};
    UINT32 length;
    unsigned char *answered = carry_out(request, data, &length);
    DWORD error;

    response.RequestHandle = request->RequestHandle;
    response.RequestType = request->RequestType;
    fflush(stdout);
    error = WnbdIoctlSendResponse(adapter, made.ConnectionId, &response, answered, length, NULL);
    if (error != ERROR_SUCCESS)
        printf("answer %lu\n", error);
}

static DWORD WINAPI server_main(PVOID parameter)
{
    unsigned char *data = malloc(WNBD_DEFAULT_MAX_TRANSFER_LENGTH);
    WNBD_IO_REQUEST request = {0};
    DWORD error;

    (void)parameter;
    while ((error = fetch(&request, data)) == ERROR_SUCCESS && request.RequestType != WnbdReqTypeDisconnect)
        answer(&request, data);
    printf("fetch %lu %s\n", error, WnbdRequestTypeToStr(request.RequestType));
    free(data);
    return 0;
}

static DWORD create(const char *name)
{
    WNBD_PROPERTIES properties = {0};

    strncpy(properties.InstanceName, name, sizeof(properties.InstanceName) - 1);
    properties.BlockCount = BLOCKS;
    properties.BlockSize = BLOCK_SIZE;
    properties.MaxUnmapDescCount = 1;
    properties.Flags.UnmapSupported = 1;
    properties.Flags.FlushSupported = 1;
    properties.Flags.PersistResSupported = 1;
    return WnbdIoctlCreate(adapter, &properties, &made, NULL);
}

/* Until Windows has given the disk its number. */
static void say_mapped(const char *name)
{
    WNBD_CONNECTION_INFO info = {0};
    DWORD error = ERROR_SUCCESS;

    info.DiskNumber = -1;
    for (int i = 0; i < POLLS && error == ERROR_SUCCESS && info.DiskNumber == -1; i++) {
        Sleep(POLL_MS);
        error = WnbdIoctlShow(adapter, name, &info, NULL);
    }
    printf("mapped %d %d\n", info.DiskNumber, info.Properties.Pid);
    fflush(stdout);
}

static void follow_stdin(void)
{
    char line[64];

    while (fgets(line, sizeof(line), stdin)) {
        DWORD error = WnbdIoctlSetDiskSize(adapter, made.ConnectionId, strtoull(line, NULL, 10), NULL);

        printf("resized %lu\n", error);
        fflush(stdout);
    }
}

static void remove_disk(const char *name)
{
    WNBD_DRV_STATS stats = {0};

    if (WnbdIoctlStats(adapter, name, &stats, NULL) == ERROR_SUCCESS)
        printf("replies %lld\n", (long long)stats.TotalReceivedIOReplies);
    printf("removed %lu\n", WnbdIoctlRemove(adapter, name, NULL, NULL));
}

static void serve(const char *name)
{
    HANDLE servers[SERVERS];

    for (int i = 0; i < SERVERS; i++)
        servers[i] = CreateThread(NULL, 0, server_main, NULL, 0, NULL);
    say_mapped(name);
    follow_stdin();
    remove_disk(name);
    WaitForMultipleObjects(SERVERS, servers, TRUE, INFINITE);
    for (int i = 0; i < SERVERS; i++)
        CloseHandle(servers[i]);
}

int main(int argc, char **argv)
{
    DWORD error = argc == 2 ? WnbdOpenAdapter(&adapter) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return (int)error;
    memory = calloc(BLOCKS_MAX, BLOCK_SIZE);
    error = WnbdIoctlPing(adapter, NULL);
    if (error == ERROR_SUCCESS)
        error = create(argv[1]);
    if (error == ERROR_SUCCESS)
        serve(argv[1]);
    CloseHandle(adapter);
    return (int)error;
}
