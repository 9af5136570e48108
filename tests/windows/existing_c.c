/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * existing_c NAME: a disk in memory, of a program that knows WNBD 0.7.0 and nothing newer. Callbacks only queue; four
 * threads carry out and answer later, the newest first, each with one OVERLAPPED that it uses again and the disk in
 * place of a file handle. A line of stdin is a number of blocks to resize to; with its end the disk is removed. Lines:
 * `library MAJOR.MINOR`, `driver MAJOR.MINOR`, `mapped NUMBER`, `shown ERROR BLOCKS`, `listed TIMES`, `resized ERROR
 * BLOCKS`, `stopped ERROR`, `ended ERROR`, `answers COUNT overtaking COUNT failed COUNT`, `pending COUNT`.
 */
#include <wnbd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE      512u
#define BLOCKS          65536u
#define BLOCKS_MAX      (2 * BLOCKS)
#define ANSWER_THREADS  4
#define OUT_OF_RANGE    0x21 /* ASC */
#define ILLEGAL_REQUEST 0x05 /* sense key */

struct pending {
    struct pending *next;
    LONG number; /* counts the requests as they came */
    UINT64 handle;
    WnbdRequestType type;
    UINT64 offset;
    UINT32 length;
    unsigned char data[]; /* of a read or a write */
};

static unsigned char *memory;
static PWNBD_DISK disk;
static CRITICAL_SECTION lock;
static CONDITION_VARIABLE arrived;
/* Guarded by lock. */
static struct pending *newest;
static BOOL is_over;
static LONG requests, answers, overtaking, failed, last;

static void push(struct pending *pending)
{
    EnterCriticalSection(&lock);
    pending->number = ++requests;
    pending->next = newest;
    newest = pending;
    LeaveCriticalSection(&lock);
    WakeConditionVariable(&arrived);
}

/* NULL: there will be none any more. */
static struct pending *take(void)
{
    struct pending *pending;

    EnterCriticalSection(&lock);
    while (!newest && !is_over)
        SleepConditionVariableCS(&arrived, &lock, INFINITE);
    pending = newest;
    if (pending)
        newest = pending->next;
    LeaveCriticalSection(&lock);
    return pending;
}

static void count(const struct pending *pending, DWORD error)
{
    EnterCriticalSection(&lock);
    answers++;
    overtaking += pending->number < last;
    failed += error != ERROR_SUCCESS;
    last = pending->number;
    LeaveCriticalSection(&lock);
}

static BOOL carry_out(struct pending *pending)
{
    if (pending->offset + pending->length > disk->Properties.BlockCount * BLOCK_SIZE)
        return FALSE;
    if (pending->type == WnbdReqTypeRead)
        memcpy(pending->data, memory + pending->offset, pending->length);
    else if (pending->type == WnbdReqTypeWrite)
        memcpy(memory + pending->offset, pending->data, pending->length);
    else if (pending->type == WnbdReqTypeUnmap)
        memset(memory + pending->offset, 0, pending->length);
    return TRUE;
}

static DWORD answer(struct pending *pending, LPOVERLAPPED overlapped)
{
    WNBD_IO_RESPONSE response = {0};
    BOOL with_data = pending->type == WnbdReqTypeRead;
    DWORD bytes;
    DWORD error;

    response.RequestHandle = pending->handle;
    response.RequestType = pending->type;
    if (!carry_out(pending)) {
        WnbdSetSense(&response.Status, ILLEGAL_REQUEST, OUT_OF_RANGE);
        with_data = FALSE;
    }
    ResetEvent(overlapped->hEvent);
    error = WnbdSendResponseEx(disk, &response, with_data ? pending->data : NULL, with_data ? pending->length : 0,
                               overlapped);
    if (error == ERROR_IO_PENDING)
        error = GetOverlappedResult((HANDLE)disk, overlapped, &bytes, TRUE) ? ERROR_SUCCESS : GetLastError();
    else if (error == ERROR_SUCCESS && WaitForSingleObject(overlapped->hEvent, 0) != WAIT_OBJECT_0)
        error = ERROR_INVALID_STATE;
    return error;
}

static DWORD WINAPI answer_main(PVOID parameter)
{
    OVERLAPPED overlapped = {0};
    struct pending *pending;

    (void)parameter;
    overlapped.hEvent = CreateEventA(NULL, TRUE, TRUE, NULL);
    while ((pending = take()) != NULL) {
        Sleep(1); /* more come in the meantime, and are answered before older ones */
        count(pending, answer(pending, &overlapped));
        free(pending);
    }
    CloseHandle(overlapped.hEvent);
    return 0;
}

/* `data`: to be copied now, because the callback's buffer is gone when it returns. */
static void queue(UINT64 handle, WnbdRequestType type, UINT64 block, UINT32 blocks, const void *data)
{
    BOOL has_data = type == WnbdReqTypeRead || type == WnbdReqTypeWrite;
    struct pending *pending = calloc(1, sizeof(*pending) + (has_data ? (size_t)blocks * BLOCK_SIZE : 0));

    pending->handle = handle;
    pending->type = type;
    pending->offset = block * BLOCK_SIZE;
    pending->length = blocks * BLOCK_SIZE;
    if (data)
        memcpy(pending->data, data, pending->length);
    push(pending);
}

static VOID on_read(PWNBD_DISK of, UINT64 handle, PVOID buffer, UINT64 block, UINT32 blocks, BOOLEAN fua)
{
    (void)of, (void)buffer, (void)fua;
    queue(handle, WnbdReqTypeRead, block, blocks, NULL);
}

static VOID on_write(PWNBD_DISK of, UINT64 handle, PVOID buffer, UINT64 block, UINT32 blocks, BOOLEAN fua)
{
    (void)of, (void)fua;
    queue(handle, WnbdReqTypeWrite, block, blocks, buffer);
}

static VOID on_flush(PWNBD_DISK of, UINT64 handle, UINT64 block, UINT32 blocks)
{
    (void)of;
    queue(handle, WnbdReqTypeFlush, block, blocks, NULL);
}

static VOID on_unmap(PWNBD_DISK of, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR descriptors, UINT32 descriptor_count)
{
    (void)of, (void)descriptor_count;
    queue(handle, WnbdReqTypeUnmap, descriptors[0].BlockAddress, descriptors[0].BlockCount, NULL);
}

static const WNBD_INTERFACE callbacks = {.Read = on_read, .Write = on_write, .Flush = on_flush, .Unmap = on_unmap};

static void say(const char *what, unsigned long long first, unsigned long long second)
{
    printf("%s %llu %llu\n", what, first, second);
    fflush(stdout);
}

static void say_versions(void)
{
    WNBD_VERSION version = {0};

    if (WnbdGetLibVersion(&version) == ERROR_SUCCESS)
        printf("library %u.%u\n", version.Major, version.Minor);
    if (WnbdGetDriverVersion(&version) == ERROR_SUCCESS)
        printf("driver %u.%u\n", version.Major, version.Minor);
}

static DWORD list(PWNBD_CONNECTION_LIST *found)
{
    DWORD size = 0;
    DWORD room;
    DWORD error;

    *found = NULL;
    do {
        room = size;
        *found = realloc(*found, room);
        error = WnbdList(*found, &size);
    } while (error == ERROR_SUCCESS && size > room);
    return error;
}

static void look(const char *name)
{
    WNBD_CONNECTION_INFO info = {0};
    PWNBD_CONNECTION_LIST found;
    unsigned times = 0;
    DWORD error = WnbdShow(name, &info);

    say("shown", error, info.Properties.BlockCount);
    error = list(&found);
    for (UINT32 i = 0; error == ERROR_SUCCESS && i < found->Count; i++)
        times += strcmp(found->Connections[i].Properties.InstanceName, name) == 0;
    printf("listed %u\n", times);
    free(found);
}

static DWORD WINAPI stdin_main(PVOID parameter)
{
    char line[64];

    (void)parameter;
    while (fgets(line, sizeof(line), stdin)) {
        DWORD error = WnbdSetDiskSize(disk, strtoull(line, NULL, 10));

        say("resized", error, disk->Properties.BlockCount);
    }
    printf("stopped %lu\n", WnbdStopDispatcher(disk, NULL));
    return 0;
}

static DWORD create(const char *name)
{
    WNBD_PROPERTIES properties = {0};

    strncpy(properties.InstanceName, name, sizeof(properties.InstanceName) - 1);
    strncpy(properties.Owner, "existing", sizeof(properties.Owner) - 1);
    properties.BlockCount = BLOCKS;
    properties.BlockSize = BLOCK_SIZE;
    properties.MaxUnmapDescCount = 1;
    properties.Flags.UnmapSupported = 1;
    properties.Flags.FlushSupported = 1;
    properties.Flags.FUASupported = 1;
    return WnbdCreate(&properties, (PWNBD_INTERFACE)&callbacks, NULL, &disk);
}

static DWORD serve(const char *name)
{
    DWORD number = 0;
    HANDLE orders;
    DWORD error = WnbdStartDispatcher(disk, 4);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdPollDiskNumber(name, TRUE, TRUE, 30000, 100, &number);
    say_versions();
    look(name);
    say("mapped", number, error);
    orders = CreateThread(NULL, 0, stdin_main, NULL, 0, NULL);
    error = WnbdWaitDispatcher(disk);
    WaitForSingleObject(orders, INFINITE);
    CloseHandle(orders);
    printf("ended %lu\n", error);
    return error;
}

static void end_answers(HANDLE *threads)
{
    WNBD_USR_STATS stats = {0};

    EnterCriticalSection(&lock);
    is_over = TRUE;
    LeaveCriticalSection(&lock);
    WakeAllConditionVariable(&arrived);
    WaitForMultipleObjects(ANSWER_THREADS, threads, TRUE, INFINITE);
    WnbdGetUserspaceStats(disk, &stats);
    printf("answers %ld overtaking %ld failed %ld\n", answers, overtaking, failed);
    printf("pending %llu\n", (unsigned long long)stats.PendingSubmittedRequests);
}

int main(int argc, char **argv)
{
    HANDLE threads[ANSWER_THREADS];
    DWORD error;

    memory = calloc(BLOCKS_MAX, BLOCK_SIZE);
    InitializeCriticalSection(&lock);
    InitializeConditionVariable(&arrived);
    error = argc == 2 ? create(argv[1]) : ERROR_INVALID_PARAMETER;
    if (error != ERROR_SUCCESS)
        return (int)error;
    for (int i = 0; i < ANSWER_THREADS; i++)
        threads[i] = CreateThread(NULL, 0, answer_main, NULL, 0, NULL);
    error = serve(argv[1]);
    end_answers(threads);
    WnbdClose(disk);
    return (int)error;
}
