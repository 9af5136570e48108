/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that are over before their answer has come: queue_retire, queue_release, queue_next_retired. */
#include "core/io/queue.h"
#include "tests/unit/guard.h"

#define DEPTH 4

struct fixture {
    struct io_queue queue;
    struct io_slot slots[DEPTH];
    struct io_request requests[DEPTH];
};

static void fill(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    queue_init(&fixture->queue, fixture->slots, DEPTH);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_true(queue_add(&fixture->queue, &fixture->requests[i]));
    }
}

static uint64_t retire(struct fixture *fixture, uint32_t i)
{
    uint64_t cookie = fixture->requests[i].cookie;

    queue_retire(&fixture->queue, &fixture->requests[i]);
    assert_int_equal(fixture->requests[i].cookie, 0);
    return cookie;
}

static void retired_request_is_not_found(void **state)
{
    struct fixture fixture;
    uint64_t cookie;

    (void)state;
    fill(&fixture);
    cookie = retire(&fixture, 1);
    assert_null(queue_find(&fixture.queue, cookie));
    assert_null(queue_take(&fixture.queue, cookie));
    assert_int_equal(fixture.queue.used, DEPTH);
}

static void retired_slot_is_not_used_until_it_is_released(void **state)
{
    struct io_request another = {0};
    struct fixture fixture;
    uint64_t cookie;

    (void)state;
    fill(&fixture);
    cookie = retire(&fixture, 2);
    assert_false(queue_add(&fixture.queue, &another));
    assert_true(queue_release(&fixture.queue, cookie));
    assert_int_equal(fixture.queue.used, DEPTH - 1);
    assert_true(queue_add(&fixture.queue, &another));
    assert_int_equal(queue_slot(another.cookie), queue_slot(cookie));
    assert_int_not_equal(another.cookie, cookie);
}

static void release_twice_is_refused(void **state)
{
    struct io_request another = {0};
    struct fixture fixture;
    uint64_t cookie;

    (void)state;
    fill(&fixture);
    cookie = retire(&fixture, 0);
    assert_true(queue_release(&fixture.queue, cookie));
    assert_false(queue_release(&fixture.queue, cookie));
    assert_true(queue_add(&fixture.queue, &another));
    assert_false(queue_release(&fixture.queue, cookie));
    assert_ptr_equal(queue_find(&fixture.queue, another.cookie), &another);
}

/* A request that is in the queue is taken by its answer, not released. */
static void release_of_what_is_not_retired_is_refused(void **state)
{
    struct fixture fixture;

    (void)state;
    fill(&fixture);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_false(queue_release(&fixture.queue, fixture.requests[i].cookie));
        assert_ptr_equal(queue_find(&fixture.queue, fixture.requests[i].cookie), &fixture.requests[i]);
    }
    assert_int_equal(fixture.queue.used, DEPTH);
}

static void retire_of_a_request_that_is_out_changes_nothing(void **state)
{
    struct fixture fixture;
    uint32_t position = 0;

    (void)state;
    fill(&fixture);
    assert_ptr_equal(queue_take(&fixture.queue, fixture.requests[3].cookie), &fixture.requests[3]);
    queue_retire(&fixture.queue, &fixture.requests[3]);
    assert_int_equal(queue_next_retired(&fixture.queue, &position), 0);
    assert_int_equal(fixture.queue.used, DEPTH - 1);
}

static void invented_cookies_release_nothing(void **state)
{
    struct io_slot *slots = (struct io_slot *)(void *)guard_memory(DEPTH * sizeof *slots);
    struct io_request requests[DEPTH] = {0};
    struct io_queue queue;

    (void)state;
    queue_init(&queue, slots, DEPTH);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_true(queue_add(&queue, &requests[i]));
        queue_retire(&queue, &requests[i]);
    }
    for (uint64_t generation = 0; generation < 4; generation++) {
        for (uint64_t slot = generation == 1 ? DEPTH : 0; slot < 2 * DEPTH; slot++) {
            assert_false(queue_release(&queue, generation << 32 | slot));
        }
        assert_false(queue_release(&queue, generation << 32 | UINT32_MAX));
    }
    assert_false(queue_release(&queue, UINT64_MAX));
    assert_int_equal(queue.used, DEPTH);
    guard_free((uint8_t *)slots, DEPTH * sizeof *slots);
}

static void generation_of_a_retired_slot_wraps_past_zero(void **state)
{
    struct io_request request = {0};
    struct io_queue queue;
    struct io_slot slot;
    uint64_t cookie;

    (void)state;
    queue_init(&queue, &slot, 1);
    slot.generation = UINT32_MAX;
    assert_true(queue_add(&queue, &request));
    cookie = request.cookie;
    queue_retire(&queue, &request);
    assert_true(queue_release(&queue, cookie));
    assert_true(queue_add(&queue, &request));
    assert_int_equal(request.cookie, (uint64_t)1 << 32);
    assert_false(queue_release(&queue, 0));
}

static void walk_finds_each_retired_slot_once(void **state)
{
    struct fixture fixture;
    uint32_t position = 0;
    uint32_t seen = 0;
    uint64_t cookie;

    (void)state;
    fill(&fixture);
    retire(&fixture, 0);
    retire(&fixture, 3);
    while ((cookie = queue_next_retired(&fixture.queue, &position)) != 0) {
        assert_true(queue_release(&fixture.queue, cookie));
        seen++;
    }
    assert_int_equal(seen, 2);
    assert_int_equal(fixture.queue.used, DEPTH - 2);
    position = 0;
    seen = 0;
    while (queue_next(&fixture.queue, &position) != NULL) {
        seen++;
    }
    assert_int_equal(seen, DEPTH - 2);
}

/* Against a model: what has become of each request. */
static void random_use_agrees_with_a_model(void **state)
{
    enum { MANY = 48 };
    enum fate { OUT, IN, RETIRED };
    static struct io_slot slots[MANY];
    static struct io_request requests[MANY * 2];
    static enum fate fates[MANY * 2];
    static uint64_t cookies[MANY * 2];
    struct io_queue queue;
    uint32_t random = 4711;
    uint32_t used = 0;

    (void)state;
    queue_init(&queue, slots, MANY);
    for (int step = 0; step < 200000; step++) {
        bool taken;
        uint32_t i;

        random = random * 1664525 + 1013904223;
        i = (random >> 8) % GUARD_COUNT(requests);
        switch (fates[i]) {
        case OUT:
            assert_false(queue_release(&queue, cookies[i]));
            taken = queue_add(&queue, &requests[i]);
            assert_int_equal(taken, used < MANY);
            used += taken;
            fates[i] = taken ? IN : OUT;
            cookies[i] = requests[i].cookie;
            break;
        case IN:
            assert_false(queue_release(&queue, cookies[i]));
            if ((random >> 20) % 2 == 0) {
                queue_retire(&queue, &requests[i]);
                fates[i] = RETIRED;
            } else {
                assert_ptr_equal(queue_take(&queue, cookies[i]), &requests[i]);
                fates[i] = OUT;
                used--;
            }
            break;
        case RETIRED:
            assert_null(queue_find(&queue, cookies[i]));
            assert_true(queue_release(&queue, cookies[i]));
            fates[i] = OUT;
            used--;
            break;
        }
        assert_int_equal(queue.used, used);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retired_request_is_not_found),
        cmocka_unit_test(retired_slot_is_not_used_until_it_is_released),
        cmocka_unit_test(release_twice_is_refused),
        cmocka_unit_test(release_of_what_is_not_retired_is_refused),
        cmocka_unit_test(retire_of_a_request_that_is_out_changes_nothing),
        cmocka_unit_test(invented_cookies_release_nothing),
        cmocka_unit_test(generation_of_a_retired_slot_wraps_past_zero),
        cmocka_unit_test(walk_finds_each_retired_slot_once),
        cmocka_unit_test(random_use_agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
