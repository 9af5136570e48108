/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers: within the callback, or as the storage vendor's program does it: by a pool of threads in any order, each
 * with one OVERLAPPED that it uses again and again, and the disk in place of a file handle.
 */
#include "consumer.h"

#include <stdlib.h>
#include <string.h>

struct pending {
    struct pending *next;
    struct answer answer;
    uint8_t data[];
};

static CRITICAL_SECTION lock;
static CONDITION_VARIABLE arrived;
/* Guarded by lock. */
static struct pending *newest; /* they are answered in this order, the newest first */
static uint32_t waiting;
static uint32_t to_answer; /* of those that wait; what the manner's `gather` lets go */

static void set_status(const struct consumer *consumer, const struct answer *answer, PWNBD_STATUS status)
{
    const struct manner *manner = &consumer->manner;

    if (manner->fails == WnbdReqTypeUnknown || answer->type != manner->fails)
        return;
    if (manner->status != 2)
        status->ScsiStatus = manner->status;
    else if (manner->has_information)
        WnbdSetSenseEx(status, manner->sense_key, manner->asc, answer->lba);
    else
        WnbdSetSense(status, manner->sense_key, manner->asc);
}

static DWORD send_more(struct consumer *consumer, PWNBD_IO_RESPONSE response, const struct answer *answer,
                       LPOVERLAPPED overlapped)
{
    uint32_t length = answer->length + consumer->manner.excess;
    uint8_t *data = malloc(length);
    DWORD error;

    memset(data, 0xEE, length);
    memcpy(data, answer->data, answer->length);
    error = WnbdSendResponseEx(consumer->disk, response, data, length, overlapped);
    free(data);
    return error;
}

static DWORD send(struct consumer *consumer, const struct answer *answer, LPOVERLAPPED overlapped)
{
    const struct manner *manner = &consumer->manner;
    WNBD_IO_RESPONSE response = {.RequestHandle = answer->handle, .RequestType = answer->type};
    void *data = manner->without_data ? NULL : answer->data;
    uint32_t length = data ? answer->length : 0;

    if (manner->null_with_size && answer->data)
        return WnbdSendResponseEx(consumer->disk, &response, NULL, answer->length, overlapped);
    set_status(consumer, answer, &response.Status);
    if (manner->is_short && length > manner->short_bytes)
        length = manner->short_bytes;
    if (data && manner->excess)
        return send_more(consumer, &response, answer, overlapped);
    return WnbdSendResponseEx(consumer->disk, &response, data, length, overlapped);
}

static void check(const struct consumer *consumer, const struct answer *answer, DWORD error)
{
    if (error != ERROR_SUCCESS || consumer->manner.log)
        say("answer %016llx %lu", (unsigned long long)answer->handle, error);
}

static void send_here(struct consumer *consumer, const struct answer *answer)
{
    if (consumer->manner.delay_ms)
        Sleep(consumer->manner.delay_ms);
    check(consumer, answer, send(consumer, answer, NULL));
    if (consumer->manner.twice)
        say("again %016llx %lu", (unsigned long long)answer->handle, send(consumer, answer, NULL));
}

static void send_overlapped(struct consumer *consumer, const struct answer *answer, LPOVERLAPPED overlapped)
{
    DWORD bytes;
    DWORD error;

    ResetEvent(overlapped->hEvent);
    error = send(consumer, answer, overlapped);
    if (error == ERROR_IO_PENDING)
        error = GetOverlappedResult((HANDLE)consumer->disk, overlapped, &bytes, TRUE) ? 0 : GetLastError();
    else if (error == ERROR_SUCCESS && WaitForSingleObject(overlapped->hEvent, 0) != WAIT_OBJECT_0)
        say("unsignalled %016llx", (unsigned long long)answer->handle);
    check(consumer, answer, error);
}

static struct pending *take(void)
{
    struct pending *pending;

    EnterCriticalSection(&lock);
    while (to_answer == 0)
        SleepConditionVariableCS(&arrived, &lock, INFINITE);
    pending = newest;
    newest = pending->next;
    waiting--;
    to_answer--;
    LeaveCriticalSection(&lock);
    return pending;
}

static DWORD WINAPI answer_main(void *parameter)
{
    struct consumer *consumer = parameter;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, TRUE, NULL)};

    for (;;) {
        struct pending *pending = take();

        if (consumer->manner.delay_ms)
            Sleep(consumer->manner.delay_ms);
        send_overlapped(consumer, &pending->answer, &overlapped);
        free(pending);
    }
}

static void queue(const struct consumer *consumer, const struct answer *answer)
{
    struct pending *pending = malloc(sizeof(*pending) + answer->length);

    pending->answer = *answer;
    pending->answer.data = answer->data ? pending->data : NULL;
    if (answer->data)
        memcpy(pending->data, answer->data, answer->length);
    EnterCriticalSection(&lock);
    pending->next = newest;
    newest = pending;
    waiting++;
    if (waiting >= consumer->manner.gather)
        to_answer = waiting;
    LeaveCriticalSection(&lock);
    WakeAllConditionVariable(&arrived);
}

void answers_start(struct consumer *consumer)
{
    InitializeCriticalSection(&lock);
    InitializeConditionVariable(&arrived);
    for (uint32_t i = 0; i < consumer->manner.answer_threads; i++)
        CloseHandle(CreateThread(NULL, 0, answer_main, consumer, 0, NULL));
}

static bool is_to_stall(struct consumer *consumer)
{
    LONG count = InterlockedIncrement(&consumer->answers);

    return consumer->manner.stall_every && count % (LONG)consumer->manner.stall_every == 0;
}

void answers_give(struct consumer *consumer, const struct answer *answer)
{
    bool stalls = is_to_stall(consumer);

    if (consumer->manner.never)
        return;
    if (stalls)
        Sleep(consumer->manner.stall_ms);
    if (consumer->manner.answer_threads)
        queue(consumer, answer);
    else
        send_here(consumer, answer);
    if (stalls)
        Sleep(consumer->manner.linger_ms);
}
