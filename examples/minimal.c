/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* minimal NAME: a RAM disk of 64 MiB in 60 lines. Run it as administrator; Ctrl-C ends it, and its contents. */
#include <stdio.h>
#include <string.h>
#include <wnbd.h>

#define BLOCK_SIZE  512
#define BLOCK_COUNT (64 * 1024 * 1024 / BLOCK_SIZE)
#define THREADS     4

static char blocks[BLOCK_COUNT][BLOCK_SIZE];
static WNBD_PROPERTIES properties = {.Owner = "minimal", .BlockCount = BLOCK_COUNT, .BlockSize = BLOCK_SIZE};

/* Each request wants one answer. It names the request; a Status of all zeroes is success. */
static void answer(PWNBD_DISK disk, UINT64 handle, WnbdRequestType type, void *data, UINT32 size)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = type};

    WnbdSendResponse(disk, &response, data, size);
}

/* Callbacks run on several threads at once. The driver has checked that the blocks are on the disk. */
static VOID on_read(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 first, UINT32 count, BOOLEAN fua)
{
    (void)fua;
    memcpy(buffer, blocks[first], (size_t)count * BLOCK_SIZE);
    answer(disk, handle, WnbdReqTypeRead, buffer, count * BLOCK_SIZE); /* in `buffer` itself: not copied again */
}

static VOID on_write(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 first, UINT32 count, BOOLEAN fua)
{
    (void)fua;
    memcpy(blocks[first], buffer, (size_t)count * BLOCK_SIZE);
    answer(disk, handle, WnbdReqTypeWrite, NULL, 0);
}

/* Windows is asked to let go of the disk; after 30 s it goes anyway. Until then the dispatcher serves it. */
static BOOL WINAPI on_ctrl_c(DWORD event)
{
    (void)event;
    return WnbdRemoveEx(properties.InstanceName, NULL) == ERROR_SUCCESS;
}

int main(int argc, char **argv)
{
    static WNBD_INTERFACE callbacks = {.Read = on_read, .Write = on_write};
    PWNBD_DISK disk;
    DWORD error;

    snprintf(properties.InstanceName, sizeof(properties.InstanceName), "%s", argc > 1 ? argv[1] : "minimal");
    error = WnbdCreate(&properties, &callbacks, NULL, &disk); /* why it failed is told on stderr by the library */
    if (error != ERROR_SUCCESS)
        return (int)error;
    SetConsoleCtrlHandler(on_ctrl_c, TRUE);
    error = WnbdStartDispatcher(disk, THREADS);
    if (error == ERROR_SUCCESS)
        error = WnbdWaitDispatcher(disk); /* until the disk is removed, here or by `wnbd-client unmap` */
    WnbdClose(disk);
    return (int)error;
}
