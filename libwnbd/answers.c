/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers of the program. One that is given within the callback of its own request is deferred: the same thread will
 * soon need another request, and asks for it with the command that takes the answers. All others are sent at once,
 * because nobody knows when a thread comes by.
 */
#include "libwnbd/answers.h"
#include "libwnbd/clock.h"
#include "libwnbd/ioctl.h"
#include "libwnbd/keeper.h"
#include "libwnbd/latency.h"
#include "libwnbd/senders.h"
#include "libwnbd/usr_stats.h"

#include <string.h>

/* SPC-4: HARDWARE ERROR, INTERNAL TARGET FAILURE: the program has answered with data that is nowhere. */
#define SENSE_HARDWARE_ERROR        0x04
#define ASC_INTERNAL_TARGET_FAILURE 0x44

/* What is known of a request when its answer has been claimed. */
struct claim {
    WNBD_ARENA_REQUEST of;
    struct worker *runner; /* borrowed: this thread, in the callback of the request; NULL: anything else */
    BOOL is_quick;
};

/* Whoever is in a callback stays in it for as long as it asks this. */
static struct worker *runner_here(const struct request *request)
{
    return request->runner && request->runner->thread_id == GetCurrentThreadId() ? request->runner : NULL;
}

/* Under the lock. */
static BOOL claim_request(struct served *served, UINT64 handle, struct claim *claim)
{
    struct request *request = requests_claim(&served->requests, handle);

    if (!request)
        return FALSE;
    claim->of = request->of;
    claim->runner = runner_here(request);
    claim->is_quick = pace_is_quick(&served->crew.pace);
    latency_count(&served->latency, request->of.Request.RequestType, clock_ns() - request->fetched_ns);
    return TRUE;
}

static DWORD claim_answer(struct served *served, const WNBD_IO_RESPONSE *response, struct claim *claim)
{
    BOOL is_running;
    BOOL found;

    AcquireSRWLockExclusive(&served->lock);
    is_running = served->disk.Started && !served->disk.Stopped;
    found = claim_request(served, response->RequestHandle, claim);
    usr_stats_reply(&served->disk.Stats, response, found);
    if (found && !is_running) {
        requests_release(&served->requests, response->RequestHandle);
        usr_stats_passed_on(&served->disk.Stats, 1);
    }
    ReleaseSRWLockExclusive(&served->lock);
    if (!is_running)
        return ERROR_PIPE_NOT_CONNECTED;
    return found ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

static void set_status(PWNBD_ANSWER answer, const WNBD_STATUS *status)
{
    answer->ScsiStatus = status->ScsiStatus;
    answer->SenseKey = status->SenseKey;
    answer->ASC = status->ASC;
    answer->ASCQ = status->ASCQ;
    answer->Information = status->Information;
    answer->InformationValid = (UINT8)status->InformationValid;
}

static BOOL has_data(const WNBD_ARENA_REQUEST *of, const WNBD_IO_RESPONSE *response)
{
    WnbdRequestType type = of->Request.RequestType;

    return response->Status.ScsiStatus == 0 && (type == WnbdReqTypeRead || type == WnbdReqTypePersistResIn);
}

/* The program may answer with a part of its buffer, so the two may overlap. */
static void place_data(const struct served *served, const WNBD_ARENA_REQUEST *of, const void *data, UINT32 size)
{
    BYTE *place = served_data(served, of);

    if (data != place && size > 0)
        memmove(place, data, size);
}

/* 87 if the data is nowhere: the answer says so then. */
static DWORD make_answer(const struct served *served, const WNBD_ARENA_REQUEST *of, const WNBD_IO_RESPONSE *response,
                         const void *data, UINT32 size, PWNBD_ANSWER answer)
{
    WNBD_STATUS failed = {0};

    answer->RequestHandle = of->Request.RequestHandle;
    if (has_data(of, response) && !data && size > 0) {
        WnbdSetSense(&failed, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
        set_status(answer, &failed);
        return ERROR_INVALID_PARAMETER;
    }
    set_status(answer, &response->Status);
    if (has_data(of, response)) {
        answer->DataLength = size < of->DataLength ? size : of->DataLength;
        place_data(served, of, data, answer->DataLength);
    }
    return ERROR_SUCCESS;
}

static DWORD defer(struct served *served, const WNBD_ANSWER *answer)
{
    BOOL tell = FALSE;
    BOOL found;

    AcquireSRWLockExclusive(&served->lock);
    found = requests_defer(&served->requests, answer);
    if (found)
        tell = keeper_must_be_told(served);
    else
        usr_stats_passed_on(&served->disk.Stats, 1);
    ReleaseSRWLockExclusive(&served->lock);
    if (tell)
        keeper_tell(served);
    return found ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

static DWORD send_now(struct served *served, struct sender *sender, const WNBD_ANSWER *answer)
{
    DWORD error;

    sender->enter.command.AnswerCount = 1;
    sender->enter.command.Answers[0] = *answer;
    error = enter_send(served->disk.Handle, &sender->enter);
    if (error == ERROR_SUCCESS && sender->enter.output.RefusedCount > 0)
        error = ERROR_NOT_FOUND;
    return error;
}

/* The driver takes answers at once; if the command pends all the same, whether it was refused is not known. */
static DWORD send_overlapped(struct served *served, const WNBD_ANSWER *answer, LPOVERLAPPED overlapped)
{
    PWNBD_ENTER_OUTPUT output = &served->outputs[(UINT32)answer->RequestHandle];
    DWORD error =
        enter_send_answer(served->disk.Handle, served->disk.ConnectionInfo.ConnectionId, answer, output, overlapped);

    return error == ERROR_SUCCESS && output->RefusedCount > 0 ? ERROR_NOT_FOUND : error;
}

/* By the program's OVERLAPPED, or else by the sender. */
static DWORD release_and_send(struct served *served, const WNBD_ANSWER *answer, LPOVERLAPPED overlapped,
                              struct sender *sender)
{
    DWORD error;
    BOOL found;

    /* Before it is sent: the driver may give the slot again at any moment after that. */
    AcquireSRWLockExclusive(&served->lock);
    found = requests_release(&served->requests, answer->RequestHandle);
    ReleaseSRWLockExclusive(&served->lock);
    if (!found)
        error = ERROR_NOT_FOUND;
    else
        error = overlapped ? send_overlapped(served, answer, overlapped) : send_now(served, sender, answer);
    AcquireSRWLockExclusive(&served->lock);
    usr_stats_passed_on(&served->disk.Stats, 1);
    ReleaseSRWLockExclusive(&served->lock);
    return error;
}

static DWORD send_at_once(struct served *served, const WNBD_ANSWER *answer, LPOVERLAPPED overlapped)
{
    struct sender *sender;
    DWORD error;

    if (overlapped)
        return release_and_send(served, answer, overlapped, NULL);
    sender = senders_take(served);
    if (!sender)
        return defer(served, answer); /* no memory: it goes with the next command of a dispatcher thread */
    error = release_and_send(served, answer, NULL, sender);
    senders_put(served, sender);
    return error;
}

/* The time it takes is not the callback's: a quick one must not pass for slow because its answers are sent at once. */
static DWORD send_and_discount(struct served *served, const WNBD_ANSWER *answer, struct worker *runner,
                               LPOVERLAPPED overlapped)
{
    UINT64 begin_ns = clock_ns();
    DWORD error = send_at_once(served, answer, overlapped);

    if (runner)
        runner->started_ns += clock_ns() - begin_ns;
    return error;
}

DWORD WnbdSendResponseEx(PWNBD_DISK Disk, PWNBD_IO_RESPONSE Response, PVOID DataBuffer, UINT32 DataBufferSize,
                         LPOVERLAPPED Overlapped)
{
    struct served *served = served_of(Disk);
    WNBD_ANSWER answer = {0};
    struct claim claim;
    DWORD error = Disk && Response ? claim_answer(served, Response, &claim) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    error = make_answer(served, &claim.of, Response, DataBuffer, DataBufferSize, &answer);
    if (error != ERROR_SUCCESS) {
        send_and_discount(served, &answer, claim.runner, NULL);
        return error;
    }
    if (claim.runner && claim.is_quick && !Overlapped)
        return defer(served, &answer);
    return send_and_discount(served, &answer, claim.runner, Overlapped);
}

DWORD WnbdSendResponse(PWNBD_DISK Disk, PWNBD_IO_RESPONSE Response, PVOID DataBuffer, UINT32 DataBufferSize)
{
    return WnbdSendResponseEx(Disk, Response, DataBuffer, DataBufferSize, NULL);
}

/* ---- Several at once ---- */

/* Under the lock. FALSE: nobody waits for it. */
static BOOL claim_and_make(struct served *served, const WNBD_IO_RESPONSE *response, PWNBD_ANSWER answer)
{
    struct claim claim;
    BOOL found = claim_request(served, response->RequestHandle, &claim);

    usr_stats_reply(&served->disk.Stats, response, found);
    if (!found)
        return FALSE;
    memset(answer, 0, sizeof(*answer));
    answer->RequestHandle = response->RequestHandle;
    set_status(answer, &response->Status);
    answer->DataLength = has_data(&claim.of, response) ? claim.of.DataLength : 0;
    return TRUE;
}

/* Under the lock. */
static void take_answers(struct served *served, const WNBD_IO_RESPONSE *responses, UINT32 count,
                         WNBD_IOCTL_ENTER_COMMAND *command)
{
    command->AnswerCount = 0;
    for (UINT32 i = 0; i < count; i++) {
        if (claim_and_make(served, &responses[i], &command->Answers[command->AnswerCount])) {
            requests_release(&served->requests, responses[i].RequestHandle);
            command->AnswerCount++;
        }
    }
}

static void pass_on(struct served *served, struct enter *enter)
{
    UINT32 count = enter->command.AnswerCount;

    if (count == 0)
        return;
    enter_send(served->disk.Handle, enter); /* a failure is met by the workers as well, who end then */
    AcquireSRWLockExclusive(&served->lock);
    usr_stats_passed_on(&served->disk.Stats, count);
    ReleaseSRWLockExclusive(&served->lock);
}

/* There is no memory for a command: they go with the next one of a dispatcher thread. */
static void defer_all(struct served *served, const WNBD_IO_RESPONSE *responses, UINT32 count)
{
    WNBD_ANSWER answer;
    BOOL found;

    for (UINT32 i = 0; i < count; i++) {
        AcquireSRWLockExclusive(&served->lock);
        found = claim_and_make(served, &responses[i], &answer);
        ReleaseSRWLockExclusive(&served->lock);
        if (found)
            defer(served, &answer);
    }
}

void answers_send(struct served *served, const WNBD_IO_RESPONSE *responses, UINT32 count)
{
    struct sender *sender = senders_take(served);

    if (!sender) {
        defer_all(served, responses, count);
        return;
    }
    AcquireSRWLockExclusive(&served->lock);
    take_answers(served, responses, count, &sender->enter.command);
    ReleaseSRWLockExclusive(&served->lock);
    pass_on(served, &sender->enter);
    senders_put(served, sender);
}
