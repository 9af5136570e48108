/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/queue.h"
#include "tests/unit/guard.h"

#define DEPTH 4

struct fixture {
    struct io_queue queue;
    struct io_slot slots[DEPTH];
    struct io_request requests[DEPTH + 1];
};

static void fill(struct fixture *fixture)
{
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_true(queue_add(&fixture->queue, &fixture->requests[i]));
    }
}

static void add_gives_a_cookie_that_finds(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    queue_init(&fixture.queue, fixture.slots, DEPTH);
    fill(&fixture);
    assert_int_equal(fixture.queue.used, DEPTH);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_true(fixture.requests[i].cookie != 0);
        assert_true(queue_slot(fixture.requests[i].cookie) < DEPTH);
        assert_ptr_equal(queue_find(&fixture.queue, fixture.requests[i].cookie), &fixture.requests[i]);
    }
}

static void add_to_a_full_queue_is_refused(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    queue_init(&fixture.queue, fixture.slots, DEPTH);
    fill(&fixture);
    assert_false(queue_add(&fixture.queue, &fixture.requests[DEPTH]));
    assert_int_equal(fixture.requests[DEPTH].cookie, 0);
    assert_ptr_equal(queue_take(&fixture.queue, fixture.requests[2].cookie), &fixture.requests[2]);
    assert_true(queue_add(&fixture.queue, &fixture.requests[DEPTH]));
    assert_int_equal(queue_slot(fixture.requests[DEPTH].cookie), 2);
}

static void take_twice_is_refused(void **state)
{
    struct fixture fixture = {0};
    uint64_t cookie;

    (void)state;
    queue_init(&fixture.queue, fixture.slots, DEPTH);
    fill(&fixture);
    cookie = fixture.requests[1].cookie;
    assert_ptr_equal(queue_take(&fixture.queue, cookie), &fixture.requests[1]);
    assert_int_equal(fixture.requests[1].cookie, 0);
    assert_int_equal(fixture.queue.used, DEPTH - 1);
    assert_null(queue_take(&fixture.queue, cookie));
    assert_null(queue_find(&fixture.queue, cookie));
    assert_int_equal(fixture.queue.used, DEPTH - 1);
}

static void late_cookie_does_not_find_the_next_request_of_its_slot(void **state)
{
    struct fixture fixture = {0};
    uint64_t late;

    (void)state;
    queue_init(&fixture.queue, fixture.slots, 1);
    assert_true(queue_add(&fixture.queue, &fixture.requests[0]));
    late = fixture.requests[0].cookie;
    assert_non_null(queue_take(&fixture.queue, late));
    assert_true(queue_add(&fixture.queue, &fixture.requests[1]));
    assert_int_equal(queue_slot(fixture.requests[1].cookie), queue_slot(late));
    assert_null(queue_find(&fixture.queue, late));
    assert_null(queue_take(&fixture.queue, late));
    assert_ptr_equal(queue_find(&fixture.queue, fixture.requests[1].cookie), &fixture.requests[1]);
}

static void invented_cookies_find_nothing(void **state)
{
    struct fixture fixture = {0};
    struct io_slot *slots = (struct io_slot *)(void *)guard_memory(sizeof fixture.slots);
    const uint64_t invented[] = {
        0,
        1,
        DEPTH,
        UINT32_MAX,
        UINT64_MAX,
        (uint64_t)1 << 32 | DEPTH,
        (uint64_t)1 << 32 | UINT32_MAX,
        (uint64_t)2 << 32,
    };

    (void)state;
    queue_init(&fixture.queue, slots, DEPTH);
    fill(&fixture);
    for (size_t i = 0; i < GUARD_COUNT(invented); i++) {
        assert_null(queue_find(&fixture.queue, invented[i]));
        assert_null(queue_take(&fixture.queue, invented[i]));
    }
    assert_int_equal(fixture.queue.used, DEPTH);
    guard_free((uint8_t *)slots, sizeof fixture.slots);
}

static void cookie_of_a_free_slot_finds_nothing(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    queue_init(&fixture.queue, fixture.slots, DEPTH);
    for (uint64_t slot = 0; slot < DEPTH; slot++) {
        assert_null(queue_take(&fixture.queue, (uint64_t)1 << 32 | slot));
    }
    assert_int_equal(fixture.queue.used, 0);
}

static void free_slots_are_reused_oldest_first(void **state)
{
    struct fixture fixture = {0};
    const uint32_t order[DEPTH] = {2, 0, 3, 1};

    (void)state;
    queue_init(&fixture.queue, fixture.slots, DEPTH);
    fill(&fixture);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_non_null(queue_take(&fixture.queue, fixture.requests[order[i]].cookie));
    }
    fill(&fixture);
    for (uint32_t i = 0; i < DEPTH; i++) {
        assert_int_equal(queue_slot(fixture.requests[i].cookie), order[i]);
    }
}

static void generation_wraps_past_zero(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    queue_init(&fixture.queue, fixture.slots, 1);
    fixture.slots[0].generation = UINT32_MAX;
    assert_true(queue_add(&fixture.queue, &fixture.requests[0]));
    assert_int_equal(fixture.requests[0].cookie, (uint64_t)UINT32_MAX << 32);
    assert_non_null(queue_take(&fixture.queue, fixture.requests[0].cookie));
    assert_true(queue_add(&fixture.queue, &fixture.requests[0]));
    assert_int_equal(fixture.requests[0].cookie, (uint64_t)1 << 32);
}

static void walk_drains_each_request_once(void **state)
{
    struct fixture fixture = {0};
    struct io_request *request;
    uint32_t position = 0;
    uint32_t seen = 0;

    (void)state;
    queue_init(&fixture.queue, fixture.slots, DEPTH);
    assert_null(queue_next(&fixture.queue, &position));
    position = 0;
    fill(&fixture);
    assert_non_null(queue_take(&fixture.queue, fixture.requests[1].cookie));
    while ((request = queue_next(&fixture.queue, &position)) != NULL) {
        assert_ptr_equal(queue_take(&fixture.queue, request->cookie), request);
        seen++;
    }
    assert_int_equal(seen, DEPTH - 1);
    assert_int_equal(fixture.queue.used, 0);
    fill(&fixture);
}

/* Against a model: a table of what is in the queue, by request. */
static void random_use_agrees_with_a_model(void **state)
{
    enum { MANY = 64 };
    static struct io_slot slots[MANY];
    static struct io_request requests[MANY * 2];
    uint64_t stale[MANY * 2] = {0};
    struct io_queue queue;
    uint32_t used = 0;
    uint32_t random = 12345;

    (void)state;
    queue_init(&queue, slots, MANY);
    for (int step = 0; step < 100000; step++) {
        uint32_t i;

        random = random * 1664525 + 1013904223;
        i = (random >> 8) % GUARD_COUNT(requests);
        if (requests[i].cookie == 0) {
            bool added = queue_add(&queue, &requests[i]);

            assert_int_equal(added, used < MANY);
            used += added;
        } else {
            stale[i] = requests[i].cookie;
            assert_ptr_equal(queue_take(&queue, stale[i]), &requests[i]);
            used--;
        }
        assert_int_equal(queue.used, used);
        assert_null(queue_find(&queue, stale[(random >> 16) % GUARD_COUNT(stale)]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_gives_a_cookie_that_finds),
        cmocka_unit_test(add_to_a_full_queue_is_refused),
        cmocka_unit_test(take_twice_is_refused),
        cmocka_unit_test(late_cookie_does_not_find_the_next_request_of_its_slot),
        cmocka_unit_test(invented_cookies_find_nothing),
        cmocka_unit_test(cookie_of_a_free_slot_finds_nothing),
        cmocka_unit_test(free_slots_are_reused_oldest_first),
        cmocka_unit_test(generation_wraps_past_zero),
        cmocka_unit_test(walk_drains_each_request_once),
        cmocka_unit_test(random_use_agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
