/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that writes anything to the memory it shares with the driver harms its own disk alone. */
#include "tests/host/hand.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH (128u << 10)
#define ROUNDS 150

static volatile bool stopping;
static volatile LONG writes;

/* At full speed, in all of the arena. It races with everybody, which is what it is for. */
__attribute__((no_sanitize("thread"))) static void *scribble(void *context)
{
    const struct program *program = context;
    volatile UINT64 *words = (volatile UINT64 *)(ULONG_PTR)program->arena.Address;
    UINT64 random = 88172645463325252u;

    while (!stopping) {
        for (unsigned i = 0; i < 100000; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            words[random % (program->arena.Size / sizeof(UINT64))] = random;
        }
        InterlockedIncrement(&writes);
    }
    return NULL;
}

/* Its requests are carried out without a look at their data. */
static bool looks_away(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    (void)program;
    (void)request;
    (void)data;
    (void)answer;
    return true;
}

static void *read_and_write(void *disk)
{
    UCHAR *data = calloc(1, LENGTH);

    for (ULONG i = 0; !stopping; i++) {
        assert_int_equal(i % 2 == 0 ? bed_write(disk, i % 64 * LENGTH, data, LENGTH)
                                    : bed_read(disk, i % 64 * LENGTH, data, LENGTH),
                         STATUS_SUCCESS);
    }
    free(data);
    return NULL;
}

static void write_and_check(const struct program *good, struct bed_file *disk, ULONG round)
{
    static UCHAR written[LENGTH];
    static UCHAR read[LENGTH];
    ULONGLONG offset = round % 64 * LENGTH;

    wnbd_pattern(written, LENGTH, round);
    assert_int_equal(bed_write(disk, offset, written, LENGTH), STATUS_SUCCESS);
    assert_memory_equal(good->bytes + offset, written, LENGTH);
    assert_int_equal(bed_read(disk, offset, read, LENGTH), STATUS_SUCCESS);
    assert_memory_equal(read, written, LENGTH);
}

static void scribbling_harms_its_own_disk_alone(void **state)
{
    struct program_options hostile_options = {.threads = 2, .does = looks_away};
    struct program_options good_options = {.name = "vol2", .threads = 2, .mixed = true};
    struct program hostile;
    struct program good;
    struct bed_file *hostile_disk = hand_start(&hostile, &hostile_options);
    struct bed_file *good_disk = NULL;
    pthread_t scribbler;
    pthread_t user;

    (void)state;
    program_start(&good, &good_options);
    assert_int_equal(wnbd_open_disk(adapter, "vol2", &good_disk), STATUS_SUCCESS);
    stopping = false;
    pthread_create(&scribbler, NULL, scribble, &hostile);
    pthread_create(&user, NULL, read_and_write, hostile_disk);
    for (ULONG round = 0; round < ROUNDS; round++) {
        write_and_check(&good, good_disk, round);
    }
    stopping = true;
    pthread_join(user, NULL);
    pthread_join(scribbler, NULL);
    assert_true(writes > 0);
    assert_int_equal(hostile.refused, 0);
    bed_close(good_disk);
    program_stop(&good);
    hand_stop(&hostile, hostile_disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scribbling_harms_its_own_disk_alone)};

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
