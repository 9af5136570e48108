/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libwnbd/crew.c */
#include "guard.h"
#include "libwnbd/crew.h"

#define SEATS 4

static struct crew_seat seats[SEATS];

static enum crew_role choose(struct crew *crew, struct crew_seat *seat, struct crew_work work)
{
    return crew_choose(crew, seat, &work);
}

static struct crew new_crew(UINT64 callback_ns)
{
    struct crew crew = {0};

    crew_start(&crew);
    for (int i = 0; i < 100; i++)
        pace_note(&crew.pace, callback_ns);
    return crew;
}

/* The first leads, the others sit. */
static struct crew full_crew(UINT64 callback_ns)
{
    struct crew crew = new_crew(callback_ns);

    assert_int_equal(choose(&crew, &seats[0], (struct crew_work){0}), CREW_LEAD);
    for (int i = 1; i < SEATS; i++)
        assert_int_equal(choose(&crew, &seats[i], (struct crew_work){0}), CREW_SIT);
    return crew;
}

static void one_leads_and_the_others_sit(void **state)
{
    struct crew crew = full_crew(1000);

    (void)state;
    assert_int_equal(crew.leading, 1);
    assert_int_equal(crew.sitting, SEATS - 1);
    assert_false(crew_is_headless(&crew));
}

static void alone_always_leads(void **state)
{
    struct crew crew = new_crew(1000);

    (void)state;
    for (UINT32 answers = 0; answers < 3; answers++) {
        assert_int_equal(choose(&crew, &seats[0], (struct crew_work){.answers = answers}), CREW_LEAD);
        crew_return(&crew, &seats[0]);
        assert_false(crew_needs_leader(&crew, 32, 32, 0));
        assert_false(crew_is_headless(&crew));
    }
    assert_int_equal(crew.returned, 3);
}

static void answers_do_not_wait_for_the_one_that_leads(void **state)
{
    struct crew crew = full_crew(1000);
    struct crew_seat *seat = crew_call(&crew, CREW_HELP);

    (void)state;
    assert_int_equal(choose(&crew, seat, (struct crew_work){.answers = 1}), CREW_PASS);
    assert_int_equal(crew.leading, 1);
    crew_return(&crew, seat);
    assert_int_equal(crew.leading, 1);
    assert_int_equal(choose(&crew, seat, (struct crew_work){0}), CREW_SIT);
}

/* Small requests do not wait for it. */
static void much_data_is_not_for_the_one_that_leads(void **state)
{
    const struct crew_work much = {.answers = 1, .much = TRUE};
    struct crew crew = full_crew(1000);
    struct crew_seat *other;

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_int_equal(choose(&crew, &seats[0], much), CREW_PASS);
    assert_true(crew_is_headless(&crew)); /* somebody is to be called */
    other = crew_call(&crew, CREW_CALLED);
    assert_int_equal(crew_rise(&crew, other, FALSE), CREW_LEAD);
    crew_return(&crew, &seats[0]);
    assert_int_equal(choose(&crew, &seats[0], (struct crew_work){0}), CREW_SIT);
}

static void much_data_is_for_the_one_that_is_alone(void **state)
{
    struct crew crew = new_crew(1000);

    (void)state;
    assert_int_equal(choose(&crew, &seats[0], (struct crew_work){.much = TRUE}), CREW_LEAD);
}

static void requests_with_much_data_need_another_one(void **state)
{
    struct crew crew = full_crew(1000);

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_false(crew_needs_leader(&crew, 1, 32, CREW_MUCH_BYTES));
    assert_true(crew_needs_leader(&crew, 1, 32, CREW_MUCH_BYTES + 1));
}

static void quick_callbacks_need_nobody_else(void **state)
{
    struct crew crew = full_crew(1000);

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_true(crew_is_headless(&crew));
    assert_false(crew_needs_leader(&crew, 0, 32, 0));
    assert_false(crew_needs_leader(&crew, 1, 32, 0));
    assert_false(crew_needs_leader(&crew, 31, 32, 0));
    assert_true(crew_needs_leader(&crew, 32, 32, 0));
}

static void slow_callbacks_need_another_one(void **state)
{
    struct crew crew = full_crew(2000000);

    (void)state;
    assert_false(crew_needs_leader(&crew, 1, 1, 0)); /* somebody leads still */
    crew_return(&crew, &seats[0]);
    assert_false(crew_needs_leader(&crew, 0, 1, 0)); /* was woken for nothing */
    assert_true(crew_needs_leader(&crew, 1, 1, 0));
}

static void callbacks_that_stall_are_slow(void **state)
{
    struct crew crew = full_crew(1000);
    UINT64 slow_ns;

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_false(crew_needs_leader(&crew, 1, 32, 0));
    pace_stalled(&crew.pace);
    assert_true(crew_needs_leader(&crew, 1, 32, 0));
    assert_int_equal(pace_batch(&crew.pace), 1);
    slow_ns = new_crew(2000000).pace.average_ns;
    crew.pace.average_ns = slow_ns;
    pace_stalled(&crew.pace);
    assert_int_equal(crew.pace.average_ns, slow_ns);
}

static void the_last_to_sit_down_is_called_first(void **state)
{
    struct crew crew = full_crew(1000);

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_ptr_equal(crew_call(&crew, CREW_CALLED), &seats[3]);
    assert_int_equal(crew_rise(&crew, &seats[3], FALSE), CREW_LEAD);
    assert_int_equal(crew.leading, 1);
    assert_ptr_equal(crew_call(&crew, CREW_HELP), &seats[2]);
    assert_int_equal(choose(&crew, &seats[2], (struct crew_work){0}), CREW_SIT);
    assert_ptr_equal(crew_call(&crew, CREW_HELP), &seats[2]);
    assert_int_equal(seats[2].role, CREW_HELP);
    assert_ptr_equal(crew_call(&crew, CREW_HELP), &seats[1]);
    assert_null(crew_call(&crew, CREW_HELP));
    assert_null(crew_call(&crew, CREW_CALLED));
    assert_int_equal(crew.leading, 1);
    assert_int_equal(crew.sitting, 0);
}

static void who_called_goes_on_until_the_other_runs(void **state)
{
    struct crew crew = full_crew(2000000);

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_true(crew_needs_leader(&crew, 1, 1, 0));
    assert_ptr_equal(crew_call(&crew, CREW_CALLED), &seats[3]);
    assert_false(crew_needs_leader(&crew, 1, 1, 0));
    assert_int_equal(choose(&crew, &seats[0], (struct crew_work){0}), CREW_LEAD);
    assert_int_equal(crew_rise(&crew, &seats[3], FALSE), CREW_SIT);
    assert_int_equal(crew.sitting, SEATS - 1);
    assert_int_equal(crew.called, 0);
    assert_int_equal(crew.leading, 1);
}

static void at_the_end_everybody_looks(void **state)
{
    struct crew crew = full_crew(1000);
    struct crew_seat *seat;

    (void)state;
    while ((seat = crew_call(&crew, CREW_CALLED)) != NULL)
        assert_int_equal(crew_rise(&crew, seat, TRUE), CREW_LEAD);
    assert_int_equal(crew.leading, SEATS);
    assert_int_equal(choose(&crew, &seats[0], (struct crew_work){.ends = TRUE}), CREW_LEAD);
    assert_int_equal(choose(&crew, &seats[0], (struct crew_work){.answers = 5, .ends = TRUE}), CREW_LEAD);
    assert_int_equal(crew.sitting, 0);
}

/* Of killed threads the one that was to lead counts no more; one that sat is called, and found out then. */
static void a_killed_one_is_replaced(void **state)
{
    struct crew crew = full_crew(1000);

    (void)state;
    crew_return(&crew, &seats[0]);
    assert_int_equal(seats[0].role, CREW_HELP);
    assert_true(crew_is_headless(&crew));
    assert_ptr_equal(crew_call(&crew, CREW_CALLED), &seats[3]);
    assert_false(crew_is_headless(&crew)); /* nobody else is called before it is known */
    crew_return(&crew, &seats[3]);
    assert_true(crew_is_headless(&crew));
    assert_ptr_equal(crew_call(&crew, CREW_CALLED), &seats[2]);
    assert_int_equal(crew_rise(&crew, &seats[2], FALSE), CREW_LEAD);
    assert_int_equal(crew.leading, 1);
}

/* Whatever threads do, as long as each does what it was told: never do all sit, and nobody is lost. */
static void somebody_is_always_up(void **state)
{
    struct crew crew = new_crew(1000);
    unsigned random = 1;

    (void)state;
    for (int i = 0; i < SEATS; i++)
        seats[i].role = CREW_HELP;
    for (int step = 0; step < 100000; step++) {
        struct crew_seat *seat;
        struct crew_work work;

        random = random * 1664525 + 1013904223;
        seat = &seats[(random >> 16) % SEATS];
        if (seat->role == CREW_SIT)
            continue;
        if (seat->role == CREW_CALLED) {
            crew_rise(&crew, seat, FALSE);
            continue;
        }
        if (seat->role != CREW_HELP) {
            crew_return(&crew, seat);
            if (crew_needs_leader(&crew, (random >> 20) % 3, 2, (random >> 22) % 2 * UINT32_MAX))
                assert_non_null(crew_call(&crew, CREW_CALLED));
        }
        work = (struct crew_work){.answers = (random >> 24) % 2, .much = (random >> 25) % 2};
        if (crew_choose(&crew, seat, &work) == CREW_PASS && crew_is_headless(&crew))
            assert_non_null(crew_call(&crew, CREW_CALLED));
        assert_true(crew.sitting < SEATS);
        assert_true(crew.leading > 0 || crew.called > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_leads_and_the_others_sit),
        cmocka_unit_test(alone_always_leads),
        cmocka_unit_test(answers_do_not_wait_for_the_one_that_leads),
        cmocka_unit_test(much_data_is_not_for_the_one_that_leads),
        cmocka_unit_test(much_data_is_for_the_one_that_is_alone),
        cmocka_unit_test(requests_with_much_data_need_another_one),
        cmocka_unit_test(quick_callbacks_need_nobody_else),
        cmocka_unit_test(slow_callbacks_need_another_one),
        cmocka_unit_test(callbacks_that_stall_are_slow),
        cmocka_unit_test(the_last_to_sit_down_is_called_first),
        cmocka_unit_test(who_called_goes_on_until_the_other_runs),
        cmocka_unit_test(at_the_end_everybody_looks),
        cmocka_unit_test(a_killed_one_is_replaced),
        cmocka_unit_test(somebody_is_always_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
