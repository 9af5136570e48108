/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/keeper.h"
#include "libwnbd/ioctl.h"
#include "libwnbd/usr_stats.h"
#include "libwnbd/worker.h"

#define TICK_MS        10
#define ASLEEP_MS      500 /* between looks, all the same, whether a thread was killed: nobody would tell of that */
#define TICKS_TO_SLEEP 100
#define STACK_BYTES    (64 * 1024)

/* What has happened, as the index of what was waited for. */
enum keeper_event { KEEPER_GONE, KEEPER_CLOSE, KEEPER_WORK, KEEPER_EVENTS };

BOOL keeper_must_be_told(struct served *served)
{
    BOOL was_asleep = served->keeper.asleep;

    served->keeper.asleep = FALSE;
    return was_asleep;
}

void keeper_tell(struct served *served)
{
    SetEvent(served->keeper.work);
}

/* Under the lock. */
static BOOL is_quiet(const struct served *served)
{
    const struct keeper *keeper = &served->keeper;
    const struct requests *requests = &served->requests;

    return !crew_is_headless(&served->crew) && requests->queued.count == 0 &&
           requests->queued.added == keeper->queued_before && requests->answered.count == 0 &&
           requests->answered.added == keeper->answered_before;
}

/* Under the lock. Sleeping begins here, so that whoever adds something later tells. */
static void note_quiet(struct served *served)
{
    struct keeper *keeper = &served->keeper;

    keeper->quiet_ticks = is_quiet(served) ? keeper->quiet_ticks + 1 : 0;
    keeper->asleep = keeper->quiet_ticks >= TICKS_TO_SLEEP;
}

/* Under the lock. Calls threads for requests that a callback holds up here; how many are to be woken in the driver. */
static UINT32 find_helpers(struct served *served)
{
    struct crew *crew = &served->crew;
    UINT32 missing = served->requests.queued.count;

    pace_stalled(&crew->pace);
    while (missing > 0 && worker_call(served, CREW_HELP))
        missing--;
    return missing < crew->leading ? missing : crew->leading;
}

/* Under the lock. Who would lead has been in a callback for a whole tick. */
static void find_leader(struct served *served)
{
    struct crew *crew = &served->crew;

    if (crew_is_headless(crew) && crew->returned == served->keeper.returned_before) {
        pace_stalled(&crew->pace);
        worker_call(served, CREW_CALLED);
    }
    served->keeper.returned_before = crew->returned;
}

/* Under the lock. Puts what has waited for a whole tick into the command; FALSE: nothing has. */
static BOOL collect(struct served *served, WNBD_IOCTL_ENTER_COMMAND *command)
{
    struct keeper *keeper = &served->keeper;
    struct requests *requests = &served->requests;

    command->AnswerCount = 0;
    command->Wake = 0;
    if (request_list_waits_since(&requests->answered, keeper->answered_before)) {
        command->AnswerCount = requests_take_answers(requests, command->Answers, WNBD_ENTER_MAX_ANSWERS);
        usr_stats_passed_on(&served->disk.Stats, command->AnswerCount);
    }
    if (request_list_waits_since(&requests->queued, keeper->queued_before))
        command->Wake = find_helpers(served);
    find_leader(served);
    keeper->answered_before = requests->answered.added;
    keeper->queued_before = requests->queued.added;
    return command->AnswerCount > 0 || command->Wake > 0;
}

/* FALSE: there is nothing to do any more until somebody tells. */
static BOOL tick(struct served *served)
{
    struct keeper *keeper = &served->keeper;
    BOOL anything;
    BOOL asleep;

    AcquireSRWLockExclusive(&served->lock);
    if (!served->closing)
        worker_find_killed(served);
    note_quiet(served);
    asleep = keeper->asleep;
    anything = collect(served, &keeper->enter.command);
    ReleaseSRWLockExclusive(&served->lock);
    if (anything)
        enter_send(served->disk.Handle, &keeper->enter); /* a failure is met by the workers as well, who end then */
    return !asleep;
}

static enum keeper_event wait_for_event(struct keeper *keeper, BOOL awake)
{
    HANDLE events[KEEPER_EVENTS] = {
        [KEEPER_GONE] = keeper->gone, [KEEPER_CLOSE] = keeper->close, [KEEPER_WORK] = keeper->work};
    DWORD result = WaitForMultipleObjects(KEEPER_EVENTS, events, FALSE, awake ? TICK_MS : ASLEEP_MS);

    return result < WAIT_OBJECT_0 + KEEPER_EVENTS ? (enum keeper_event)(result - WAIT_OBJECT_0) : KEEPER_EVENTS;
}

static void keep(struct served *served)
{
    BOOL awake = FALSE;

    for (;;) {
        switch (wait_for_event(&served->keeper, awake)) {
        case KEEPER_GONE:
        case KEEPER_CLOSE:
            return;
        case KEEPER_WORK:
            served->keeper.quiet_ticks = 0;
            awake = TRUE;
            break;
        case KEEPER_EVENTS: /* time is up */
            awake = tick(served);
            break;
        }
    }
}

static DWORD own(struct served *served)
{
    struct keeper *keeper = &served->keeper;
    WNBD_IOCTL_OWN_COMMAND command = {.IoControlCode = IOCTL_WNBD_OWN,
                                      .ConnectionId = served->disk.ConnectionInfo.ConnectionId};

    keeper->overlapped.hEvent = (HANDLE)((ULONG_PTR)keeper->gone | 1); /* as in ioctl_call */
    return ioctl_command(served->disk.Handle, &command, sizeof(command), NULL, 0, &keeper->overlapped);
}

static void disown(struct served *served)
{
    CancelIoEx(served->disk.Handle, &served->keeper.overlapped);
    WaitForSingleObject(served->keeper.gone, INFINITE);
}

static DWORD WINAPI keeper_main(void *parameter)
{
    struct served *served = parameter;
    DWORD error = own(served);

    served->keeper.error = error == ERROR_IO_PENDING ? ERROR_SUCCESS : error;
    SetEvent(served->keeper.owned);
    if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING)
        keep(served);
    if (error == ERROR_IO_PENDING)
        disown(served);
    return 0;
}

static BOOL make_events(struct keeper *keeper)
{
    keeper->owned = CreateEventW(NULL, TRUE, FALSE, NULL);
    keeper->gone = CreateEventW(NULL, TRUE, FALSE, NULL);
    keeper->work = CreateEventW(NULL, FALSE, FALSE, NULL);
    keeper->close = CreateEventW(NULL, TRUE, FALSE, NULL);
    return keeper->owned && keeper->gone && keeper->work && keeper->close;
}

static void close_events(struct keeper *keeper)
{
    HANDLE events[] = {keeper->owned, keeper->gone, keeper->work, keeper->close};

    for (size_t i = 0; i < ARRAYSIZE(events); i++) {
        if (events[i])
            CloseHandle(events[i]);
    }
}

static DWORD start_thread(struct served *served)
{
    struct keeper *keeper = &served->keeper;

    keeper->thread = CreateThread(NULL, STACK_BYTES, keeper_main, served, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (!keeper->thread)
        return ERROR_OUTOFMEMORY;
    WaitForSingleObject(keeper->owned, INFINITE);
    if (keeper->error == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    WaitForSingleObject(keeper->thread, INFINITE);
    CloseHandle(keeper->thread);
    keeper->thread = NULL;
    return keeper->error;
}

DWORD keeper_start(struct served *served)
{
    struct keeper *keeper = &served->keeper;
    DWORD error = enter_open(&keeper->enter, served->disk.ConnectionInfo.ConnectionId);

    if (error != ERROR_SUCCESS)
        return error;
    keeper->asleep = TRUE;
    error = make_events(keeper) ? start_thread(served) : ERROR_OUTOFMEMORY;
    if (error != ERROR_SUCCESS) {
        close_events(keeper);
        enter_close(&keeper->enter);
    }
    return error;
}

DWORD keeper_reason(struct served *served)
{
    DWORD used;

    return GetOverlappedResult(served->disk.Handle, &served->keeper.overlapped, &used, FALSE) ? ERROR_SUCCESS
                                                                                              : GetLastError();
}

void keeper_stop(struct served *served)
{
    struct keeper *keeper = &served->keeper;

    SetEvent(keeper->close);
    WaitForSingleObject(keeper->thread, INFINITE);
    CloseHandle(keeper->thread);
    close_events(keeper);
    enter_close(&keeper->enter);
}
