/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything at once on a disk that a program serves: transfers whose data is checked, batches and single commands,
 * commands that are cancelled or woken, resets and aborts, programs that die and others that go on, and an end at any
 * moment. Each seed makes other choices and other delays; BED_SEED=n runs one seed alone, BED_SEEDS=n the first n.
 *
 * A block's data depends on its place alone: a write that was aborted may still be carried out after a newer one.
 */
#include "tests/host/actor.h"
#include "tests/host/program.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/host/schedule.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK      512u
#define AREA_BYTES (4u << 20) /* of each writer */
#define WRITERS    3
#define RUN_MS     250
#define SEEDS      16
#define ACTORS     12

static const char *image;
static struct bed_file *adapter;
static UCHAR store[PROGRAM_BYTES];
static struct program *serving; /* who serves the disk; guarded by the lock, for others than the one who changes it */
static pthread_rwlock_t serving_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct program_options serving_options;

/* ---- I/O ---- */

/* The actor's blocks as they are when they have been written. */
static void fill_blocks(const struct actor *actor, UCHAR *data, ULONG at, ULONG length)
{
    for (ULONG done = 0; done < length; done += BLOCK) {
        wnbd_pattern(data + done, BLOCK, actor->number * 7919 + (at + done) / BLOCK + 1);
    }
}

/* Each block is what was written, or nothing was written to it for certain. */
static bool is_right(const struct actor *actor, const UCHAR *data, ULONG at, ULONG length, const bool *written)
{
    static const UCHAR zeroes[BLOCK];
    UCHAR wanted[BLOCK];

    for (ULONG done = 0; done < length; done += BLOCK) {
        fill_blocks(actor, wanted, at + done, BLOCK);
        if (memcmp(data + done, wanted, BLOCK) != 0 &&
            (written[(at + done) / BLOCK] || memcmp(data + done, zeroes, BLOCK) != 0)) {
            return false;
        }
    }
    return true;
}

static void *write_and_read(void *argument)
{
    struct actor *actor = argument;
    ULONGLONG offset = (ULONGLONG)actor->number * AREA_BYTES;
    bool *written = calloc(AREA_BYTES / BLOCK, sizeof(bool));
    UCHAR *data = malloc(AREA_BYTES);

    while (!actors_stopping && actor->wrong == NULL) {
        ULONG length = BLOCK << actor_choose(actor, actor_choose(actor, 4) == 0 ? 13 : 7);
        ULONG at = actor_choose(actor, (AREA_BYTES - length) / BLOCK + 1) * BLOCK;

        if (actor_choose(actor, 2) == 0) {
            fill_blocks(actor, data, at, length);
            if (NT_SUCCESS(bed_write(actor->disk, offset + at, data, length))) {
                memset(written + at / BLOCK, true, length / BLOCK);
            }
        } else if (NT_SUCCESS(bed_read(actor->disk, offset + at, data, length)) &&
                   !is_right(actor, data, at, length, written)) {
            actor->wrong = "a read brought other data than was written";
        }
        if (actor_choose(actor, 8) == 0) {
            bed_flush(actor->disk);
        }
    }
    free(written);
    free(data);
    return NULL;
}

/* ---- Commands that are given up ---- */

static void answer_all(struct program *program, const struct program_output *output)
{
    WNBD_ANSWER answers[PROGRAM_BATCH];
    struct program_output ignored;

    for (UINT32 i = 0; i < output->head.RequestCount; i++) {
        const WNBD_ARENA_REQUEST *request = &output->head.Requests[i];

        answers[i] = program_carry_out(program, request, program_data(program, request));
    }
    program_enter(program, answers, output->head.RequestCount, 0, false, &ignored);
}

/* An ENTER that was cancelled and got requests has been completed with them. */
static void enter_and_cancel(struct actor *actor, struct program *program)
{
    struct program_output output;
    struct bed_io io;

    memset(&output, 0, sizeof(output));
    program_enter_begin(program, &io, 1 + actor_choose(actor, PROGRAM_BATCH), &output);
    if (actor_choose(actor, 4) != 0) {
        bed_io_cancel(&io);
    } else if (bed_io_wait(&io, actor_choose(actor, 30), NULL) == STATUS_TIMEOUT) {
        bed_io_cancel(&io);
    }
    if (io.irp == NULL || NT_SUCCESS(bed_io_wait(&io, MAXULONG, NULL))) {
        answer_all(program, &output);
    }
}

static void fetch_and_cancel(struct actor *actor, struct program *program, UCHAR *data)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND fetch = {.IoControlCode = IOCTL_WNBD_FETCH_REQ,
                                          .ConnectionId = program->id,
                                          .DataBuffer = data,
                                          .DataBufferSize = WNBD_DEFAULT_MAX_TRANSFER_LENGTH};
    struct bed_io io;

    bed_control_begin(&io, program->file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &fetch, sizeof(fetch), &fetch,
                      sizeof(fetch));
    if (actor_choose(actor, 4) != 0) {
        bed_io_cancel(&io);
    } else if (bed_io_wait(&io, actor_choose(actor, 30), NULL) == STATUS_TIMEOUT) {
        bed_io_cancel(&io);
    }
    if (io.irp == NULL || NT_SUCCESS(bed_io_wait(&io, MAXULONG, NULL))) {
        WNBD_ARENA_REQUEST request = {.Request = fetch.Request};
        WNBD_ANSWER answer;

        if (fetch.Request.RequestType == WnbdReqTypeRead) {
            request.DataLength = fetch.Request.Cmd.Read.BlockCount * program->options.block_size;
        }
        answer = program_carry_out(program, &request, data);
        program_send(program, &answer, data);
    }
}

static void wake(struct program *program, UINT32 count)
{
    WNBD_IOCTL_ENTER_COMMAND enter = {.IoControlCode = IOCTL_WNBD_ENTER, .ConnectionId = program->id, .Wake = count};
    WNBD_ENTER_OUTPUT output;

    bed_control(program->file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &enter,
                FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers), &output, sizeof(output), NULL);
}

static void *give_up(void *argument)
{
    struct actor *actor = argument;
    UCHAR *data = malloc(WNBD_DEFAULT_MAX_TRANSFER_LENGTH);

    while (!actors_stopping) {
        pthread_rwlock_rdlock(&serving_lock);
        if (serving != NULL && serving->file != NULL) {
            switch (actor_choose(actor, 5)) {
            case 0:
                wake(serving, actor_choose(actor, 2) == 0 ? 1 : UINT32_MAX);
                break;
            case 1:
            case 2:
                fetch_and_cancel(actor, serving, data);
                break;
            default:
                enter_and_cancel(actor, serving);
                break;
            }
        }
        pthread_rwlock_unlock(&serving_lock);
        actors_sleep(actor_choose(actor, 3));
    }
    free(data);
    return NULL;
}

/* ---- Trouble ---- */

static void *trouble(void *argument)
{
    static const ULONG kinds[] = {BED_INJECT_RESET_LUN, BED_INJECT_RESET_TARGET, BED_INJECT_FORCE_TIMEOUT,
                                  BED_INJECT_ABORT,     BED_INJECT_ABORT,        BED_INJECT_RESET_BUS,
                                  BED_INJECT_RESCAN,    BED_INJECT_FAIL_MAPPING};

    actor_trouble(argument, kinds, ARRAYSIZE(kinds), 300);
    return NULL;
}

/* Programs die, one after the other, and the next goes on where that was. */
static void *succeed(void *argument)
{
    struct actor *actor = argument;
    struct program *program = serving;

    while (!actors_stopping) {
        actors_sleep(actor_choose(actor, 1200));
        if (actor_choose(actor, 3) == 0) { /* its thread dies first */
            bed_io_cancel(&program->own);
        }
        pthread_rwlock_wrlock(&serving_lock);
        serving = NULL;
        pthread_rwlock_unlock(&serving_lock);
        program_die(program);
        program_free(program);
        free(program);
        program = malloc(sizeof(*program));
        program_take_over(program, &serving_options);
        pthread_rwlock_wrlock(&serving_lock);
        serving = program;
        pthread_rwlock_unlock(&serving_lock);
    }
    return NULL;
}

/* What a disk counts adds up at every moment. */
static void *count(void *argument)
{
    struct actor *actor = argument;
    WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = IOCTL_WNBD_STATS, .InstanceName = "vol1"};

    while (!actors_stopping && actor->wrong == NULL) {
        WNBD_DRV_STATS stats;

        if (bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &stats, sizeof(stats),
                        NULL) == STATUS_SUCCESS &&
            (stats.TotalReceivedIORequests !=
                 stats.TotalSubmittedIORequests + stats.UnsubmittedIORequests + stats.AbortedUnsubmittedIORequests ||
             stats.TotalSubmittedIORequests !=
                 stats.TotalReceivedIOReplies + stats.PendingSubmittedIORequests + stats.AbortedSubmittedIORequests)) {
            actor->wrong = "the disk's counters do not add up";
        }
        actors_sleep(1);
    }
    return NULL;
}

/* ---- One storm ---- */

/* How the disk ends, with everything still going on. */
static void end_disk(uint64_t seed)
{
    switch (seed % 4) {
    case 1:
        wnbd_unmap(adapter, "vol1");
        break;
    case 3:
        if (!serving->options.flags.KeepDisk) {
            bed_io_cancel(&serving->own);
        }
        break;
    default:
        break;
    }
}

static const char *play(uint64_t seed, const struct program_options *options)
{
    struct actor actors[ACTORS];
    struct bed_file *disk;
    unsigned actor_count = 0;
    const char *wrong;

    actors_stopping = false;
    if (!NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disk))) {
        return "the disk does not appear";
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        actors[i].disk = disk;
    }
    for (; actor_count < WRITERS; actor_count++) {
        actor_start(&actors[actor_count], write_and_read, seed, actor_count);
    }
    actor_start(&actors[actor_count], trouble, seed, actor_count);
    actor_count++;
    actor_start(&actors[actor_count], give_up, seed, actor_count);
    actor_count++;
    actor_start(&actors[actor_count], count, seed, actor_count);
    actor_count++;
    if (options->flags.KeepDisk) {
        actor_start(&actors[actor_count], succeed, seed, actor_count);
        actor_count++;
    }
    actors_sleep(RUN_MS * (unsigned)bed_clock_factor());
    if (!options->flags.KeepDisk) {
        end_disk(seed);
    }
    actors_stopping = true;
    wrong = actors_join(actors, actor_count);
    bed_close(disk);
    return wrong;
}

static void storm(uint64_t seed)
{
    struct program_options options = {
        .flags = {.KeepDisk = seed % 3 == 0, .FlushSupported = seed % 2, .FUASupported = seed % 5 == 1},
        .threads = 1 + (unsigned)(seed % 5),
        .mixed = seed % 4 >= 2,
        .one_at_a_time = seed % 7 == 5,
        .queue_depth = seed % 6 == 4 ? 3 : 0,
        .arena_size = seed % 3 == 1 ? WNBD_MIN_ARENA_SIZE : 0,
        .store = store,
    };
    const char *wrong;

    serving_options = options;
    bed_schedule_seed(seed);
    memset(store, 0, PROGRAM_BYTES);
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    adapter = wnbd_open();
    serving = malloc(sizeof(*serving));
    program_start(serving, &options);
    if (options.one_at_a_time) {
        assert_int_equal(program_map_arena(serving), STATUS_SUCCESS);
    }
    wrong = play(seed, &options);
    program_die(serving);
    program_free(serving);
    free(serving);
    bed_close(adapter);
    assert_int_equal(bed_machine_stop(seed % 2 == 0 ? BED_REMOVAL_ASKED : BED_REMOVAL_SURPRISE), STATUS_SUCCESS);
    if (wrong != NULL || port_violation_count() != 0) {
        fail_msg("seed %llu: %s", (unsigned long long)seed, wrong != NULL ? wrong : "violations");
    }
}

static void storms(void **state)
{
    const char *chosen = getenv("BED_SEED");
    const char *seeds = getenv("BED_SEEDS");

    (void)state;
    if (chosen != NULL) {
        storm(strtoull(chosen, NULL, 10));
    } else {
        for (uint64_t seed = 0; seed < (seeds != NULL ? strtoull(seeds, NULL, 10) : SEEDS); seed++) {
            storm(seed);
        }
    }
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(storms)};

    if (argument_count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_clock_speed(20);
    bed_print_options(getenv("BED_VERBOSE") == NULL, getenv("BED_FATAL") != NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
