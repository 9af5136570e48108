/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/worker.h"
#include "libwnbd/callbacks.h"
#include "libwnbd/clock.h"
#include "libwnbd/keeper.h"
#include "libwnbd/log.h"
#include "libwnbd/usr_stats.h"

/* Under the lock. The callback that was called last has returned. */
static void account(struct worker *worker, UINT64 now_ns)
{
    struct served *served = worker->served;

    if (worker->running == 0)
        return;
    pace_note(&served->crew.pace, now_ns - worker->started_ns);
    requests_end(&served->requests, worker->running);
    usr_stats_returned(&served->disk.Stats);
    worker->running = 0;
}

/* Under the lock. FALSE: no request waits in this process. */
static BOOL take(struct worker *worker, UINT64 now_ns, WNBD_ARENA_REQUEST *of)
{
    struct served *served = worker->served;
    struct request *request = requests_give(&served->requests, worker);

    if (!request)
        return FALSE;
    *of = request->of;
    worker->running = of->Request.RequestHandle;
    worker->started_ns = now_ns;
    usr_stats_submitted(&served->disk.Stats, &of->Request);
    return TRUE;
}

static BOOL next(struct worker *worker, WNBD_ARENA_REQUEST *of)
{
    struct served *served = worker->served;
    UINT64 now_ns = clock_ns();
    BOOL found;

    AcquireSRWLockExclusive(&served->lock);
    account(worker, now_ns);
    found = take(worker, now_ns, of);
    ReleaseSRWLockExclusive(&served->lock);
    return found;
}

/* Under the lock. */
static BOOL is_ending(const struct served *served)
{
    return served->closing || served->disk.Stopped;
}

/* Under the lock, which is let go meanwhile. */
static void sit(struct worker *worker)
{
    struct served *served = worker->served;

    while (worker->seat.role == CREW_SIT) {
        ReleaseSRWLockExclusive(&served->lock);
        WaitForSingleObject(worker->called, INFINITE);
        AcquireSRWLockExclusive(&served->lock);
        if (worker->seat.role == CREW_CALLED)
            crew_rise(&served->crew, &worker->seat, is_ending(served));
    }
}

/* Nothing is queued: what now? CREW_SIT is over when this returns. */
static enum crew_role choose(struct worker *worker)
{
    struct served *served = worker->served;
    const struct request_list *answered = &served->requests.answered;
    struct crew_work work;

    AcquireSRWLockExclusive(&served->lock);
    work = (struct crew_work){.answers = answered->count,
                              .much = worker->fetches_much || answered->bytes > CREW_MUCH_BYTES,
                              .ends = is_ending(served)};
    if (crew_choose(&served->crew, &worker->seat, &work) == CREW_SIT)
        sit(worker);
    else if (worker->seat.role == CREW_PASS && crew_is_headless(&served->crew))
        worker_call(served, CREW_CALLED);
    ReleaseSRWLockExclusive(&served->lock);
    return worker->seat.role;
}

BOOL worker_call(struct served *served, enum crew_role role)
{
    struct crew_seat *seat = crew_call(&served->crew, role);

    if (!seat)
        return FALSE;
    SetEvent(((struct worker *)seat)->called);
    return TRUE;
}

void worker_call_all(struct served *served)
{
    while (worker_call(served, CREW_CALLED))
        ;
}

void worker_find_killed(struct served *served)
{
    for (UINT32 i = 0; i < served->disk.DispatcherThreadsCount; i++) {
        struct crew_seat *seat = &served->workers[i].seat;
        BOOL counts = seat->role == CREW_LEAD || seat->role == CREW_CALLED;

        if (counts && WaitForSingleObject(served->disk.DispatcherThreads[i], 0) == WAIT_OBJECT_0)
            crew_return(&served->crew, seat);
    }
}

/* Under the lock. The answers of all threads go along; only when all have gone this thread may wait. */
static void prepare(struct worker *worker, enum crew_role role)
{
    struct served *served = worker->served;
    WNBD_IOCTL_ENTER_COMMAND *command = &worker->enter.command;

    command->AnswerCount = requests_take_answers(&served->requests, command->Answers, WNBD_ENTER_MAX_ANSWERS);
    command->MaxRequests = pace_batch(&served->crew.pace);
    command->Wait = role == CREW_LEAD && served->requests.answered.count == 0;
    usr_stats_passed_on(&served->disk.Stats, command->AnswerCount);
}

/* Under the lock. */
static DWORD put_all(struct served *served, const WNBD_ENTER_OUTPUT *output)
{
    UINT64 now_ns = clock_ns();

    for (UINT32 i = 0; i < output->RequestCount; i++) {
        enum requests_put_result result = requests_put(&served->requests, &output->Requests[i], now_ns);

        if (result == REQUESTS_BAD_HANDLE)
            return ERROR_INVALID_DATA;
        usr_stats_received(&served->disk.Stats, result);
    }
    return ERROR_SUCCESS;
}

static DWORD send(struct worker *worker, enum crew_role role)
{
    struct served *served = worker->served;

    AcquireSRWLockExclusive(&served->lock);
    prepare(worker, role);
    ReleaseSRWLockExclusive(&served->lock);
    return enter_send(served->disk.Handle, &worker->enter);
}

/*
 * Not the end. A program may have cancelled what is none of its business; the answers that went along have been taken.
 * And of a disk that is on its way out only a command that waits learns when it is gone.
 */
static BOOL is_to_try_again(const struct worker *worker, DWORD error)
{
    if (error == ERROR_OPERATION_ABORTED)
        return !worker->served->closing;
    return error == ERROR_INVALID_HANDLE && !worker->enter.command.Wait;
}

/* Under the lock. The command has brought requests. TRUE: the keeper is to be told. */
static BOOL share(struct worker *worker)
{
    struct served *served = worker->served;
    const struct request_list *queued = &served->requests.queued;
    UINT32 got = worker->enter.output.RequestCount;

    worker->fetches_much = got == 0 && worker->enter.command.Wait && queued->count == 0;
    if (crew_needs_leader(&served->crew, got, worker->enter.command.MaxRequests, queued->bytes))
        worker_call(served, CREW_CALLED);
    if (queued->count > 1 || (got > 0 && crew_is_headless(&served->crew)))
        return keeper_must_be_told(served);
    return FALSE;
}

/* ERROR_HANDLE_EOF: the disk is gone. */
static DWORD fetch(struct worker *worker, enum crew_role role)
{
    struct served *served = worker->served;
    DWORD error = send(worker, role);
    BOOL tell = FALSE;

    AcquireSRWLockExclusive(&served->lock);
    crew_return(&served->crew, &worker->seat);
    if (error == ERROR_SUCCESS)
        error = put_all(served, &worker->enter.output);
    else if (is_to_try_again(worker, error))
        error = ERROR_RETRY;
    if (error == ERROR_SUCCESS)
        tell = share(worker);
    ReleaseSRWLockExclusive(&served->lock);
    if (tell)
        keeper_tell(served);
    if (error == ERROR_SUCCESS && worker->enter.output.Disconnected)
        error = ERROR_HANDLE_EOF;
    return error;
}

static DWORD serve(struct worker *worker)
{
    WNBD_ARENA_REQUEST request;
    enum crew_role role;
    DWORD error;

    for (;;) {
        while (next(worker, &request))
            callbacks_run(worker->served, &request);
        if (worker->served->no_more)
            worker->served->no_more(worker->served);
        role = choose(worker);
        error = role == CREW_HELP ? ERROR_RETRY : fetch(worker, role);
        if (error != ERROR_SUCCESS && error != ERROR_RETRY)
            return error;
    }
}

/* TRUE: the first to say so. Who has asked for the end before may have been refused: a soft removal is, while programs
 * use the disk. */
static BOOL mark_stopped(struct served *served, DWORD failure)
{
    BOOL is_first;

    AcquireSRWLockExclusive(&served->lock);
    is_first = !served->disk.Stopped && !served->closing;
    served->disk.Stopping = TRUE;
    served->disk.Stopped = TRUE;
    if (is_first)
        served->failure = failure;
    usr_stats_gone(&served->disk.Stats, &served->requests);
    requests_drop_lists(&served->requests);
    worker_call_all(served);
    ReleaseSRWLockExclusive(&served->lock);
    return is_first;
}

/*
 * The disk must not be left without anybody who serves it. When the driver says that it is gone there is nothing to
 * remove, and its name may be another disk's by now. One that is to be kept waits for another process.
 */
static void stop(struct served *served, DWORD error)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};
    BOOL is_gone = error == ERROR_HANDLE_EOF || error == ERROR_INVALID_HANDLE;

    if (!mark_stopped(served, is_gone ? ERROR_SUCCESS : error) || is_gone)
        return;
    log_message(MESSAGE_SERVED_NO_MORE, "'%s' cannot be served any more: Windows error %lu",
                served->disk.Properties.InstanceName, error);
    if (!served->disk.Properties.Flags.KeepDisk)
        WnbdRemove(&served->disk, &hard);
}

static DWORD WINAPI worker_main(void *parameter)
{
    struct worker *worker = parameter;

    worker->thread_id = GetCurrentThreadId();
    stop(worker->served, serve(worker));
    return 0;
}

DWORD worker_start(struct worker *worker, struct served *served, HANDLE *thread)
{
    DWORD error = enter_open(&worker->enter, served->disk.ConnectionInfo.ConnectionId);

    if (error != ERROR_SUCCESS)
        return error;
    worker->served = served;
    worker->seat.role = CREW_HELP;
    worker->called = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!worker->called)
        return ERROR_OUTOFMEMORY;
    *thread = CreateThread(NULL, 0, worker_main, worker, 0, NULL);
    return *thread ? ERROR_SUCCESS : GetLastError();
}

void worker_close(struct worker *worker)
{
    if (worker->called)
        CloseHandle(worker->called);
    enter_close(&worker->enter);
}
