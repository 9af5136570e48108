/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libwnbd/requests.c */
#include "requests_some.h"

static struct worker *const somebody = (struct worker *)64;

static WNBD_ANSWER answer_of(UINT64 handle)
{
    WNBD_ANSWER answer = {.RequestHandle = handle, .SenseKey = (UINT8)handle};

    return answer;
}

static void given(struct requests *requests, UINT64 handle)
{
    assert_int_equal(put(requests, handle), REQUESTS_PUT);
    assert_int_equal(requests_give(requests, somebody)->of.Request.RequestHandle, handle);
}

static void answered(struct requests *requests, UINT64 handle)
{
    WNBD_ANSWER answer = answer_of(handle);

    given(requests, handle);
    assert_non_null(requests_claim(requests, handle));
    assert_true(requests_defer(requests, &answer));
}

static void given_in_the_order_they_came(void **state)
{
    struct requests *requests = new_requests();

    (void)state;
    for (UINT32 slot = 0; slot < REQUEST_SLOTS; slot++)
        assert_int_equal(put(requests, handle_of(1, (slot * 7) % REQUEST_SLOTS)), REQUESTS_PUT);
    assert_int_equal(requests->queued.count, REQUEST_SLOTS);
    for (UINT32 slot = 0; slot < REQUEST_SLOTS; slot++) {
        struct request *request = requests_give(requests, somebody);

        assert_int_equal(request->of.Request.RequestHandle, handle_of(1, (slot * 7) % REQUEST_SLOTS));
        assert_int_equal(request->fetched_ns, request->of.Request.RequestHandle);
        assert_ptr_equal(request->runner, somebody);
    }
    assert_null(requests_give(requests, somebody));
    free(requests);
}

static void claimed_once(void **state)
{
    struct requests *requests = new_requests();
    UINT64 handle = handle_of(3, 1023);

    (void)state;
    assert_null(requests_claim(requests, handle));
    put(requests, handle);
    assert_null(requests_claim(requests, handle)); /* nobody can know it */
    requests_give(requests, somebody);
    assert_null(requests_claim(requests, handle_of(2, 1023)));
    assert_null(requests_claim(requests, handle_of(4, 1023)));
    assert_null(requests_claim(requests, handle_of(3, 0)));
    assert_non_null(requests_claim(requests, handle));
    assert_null(requests_claim(requests, handle));
    assert_true(requests_release(requests, handle));
    assert_false(requests_release(requests, handle));
    assert_null(requests_claim(requests, handle));
    free(requests);
}

static void handles_out_of_range_are_none(void **state)
{
    struct requests *requests = new_requests();

    (void)state;
    assert_int_equal(put(requests, handle_of(1, REQUEST_SLOTS)), REQUESTS_BAD_HANDLE);
    assert_int_equal(put(requests, handle_of(1, UINT32_MAX)), REQUESTS_BAD_HANDLE);
    assert_null(requests_claim(requests, UINT64_MAX));
    requests_end(requests, UINT64_MAX);
    assert_null(requests_give(requests, somebody));
    free(requests);
}

static void answers_are_taken_in_order_and_bounded(void **state)
{
    struct requests *requests = new_requests();
    WNBD_ANSWER answers[3] = {0};

    (void)state;
    for (UINT32 slot = 0; slot < 5; slot++)
        answered(requests, handle_of(1, slot));
    assert_int_equal(requests_take_answers(requests, answers, 3), 3);
    for (UINT32 slot = 0; slot < 3; slot++)
        assert_memory_equal(&answers[slot], &(WNBD_ANSWER[]){answer_of(handle_of(1, slot))}, sizeof(answers[0]));
    assert_int_equal(requests_take_answers(requests, answers, 3), 2);
    assert_int_equal(answers[1].RequestHandle, handle_of(1, 4));
    assert_int_equal(requests_take_answers(requests, answers, 3), 0);
    free(requests);
}

static void aborted_in_the_queue_is_not_given(void **state)
{
    struct requests *requests = new_requests();

    (void)state;
    for (UINT32 slot = 0; slot < 3; slot++)
        put(requests, handle_of(1, slot));
    assert_int_equal(put(requests, handle_of(2, 1)), REQUESTS_PUT_OVER_QUEUED);
    assert_int_equal(requests_give(requests, somebody)->of.Request.RequestHandle, handle_of(1, 0));
    assert_int_equal(requests_give(requests, somebody)->of.Request.RequestHandle, handle_of(1, 2));
    assert_int_equal(requests_give(requests, somebody)->of.Request.RequestHandle, handle_of(2, 1));
    assert_null(requests_give(requests, somebody));
    free(requests);
}

static void aborted_with_the_program_finds_nothing(void **state)
{
    struct requests *requests = new_requests();

    (void)state;
    given(requests, handle_of(1, 5));
    assert_int_equal(put(requests, handle_of(2, 5)), REQUESTS_PUT_OVER_GIVEN);
    assert_null(requests_claim(requests, handle_of(1, 5)));
    requests_end(requests, handle_of(1, 5)); /* the old callback returns */
    assert_ptr_equal(requests_give(requests, somebody)->runner, somebody);
    requests_end(requests, handle_of(1, 5));
    assert_ptr_equal(requests->slots[5].runner, somebody);
    requests_end(requests, handle_of(2, 5));
    assert_null(requests->slots[5].runner);
    assert_non_null(requests_claim(requests, handle_of(2, 5)));
    free(requests);
}

static void aborted_while_it_is_answered_is_not_deferred(void **state)
{
    struct requests *requests = new_requests();
    WNBD_ANSWER answer = answer_of(handle_of(1, 5));

    (void)state;
    given(requests, handle_of(1, 5));
    assert_non_null(requests_claim(requests, handle_of(1, 5)));
    assert_int_equal(put(requests, handle_of(2, 5)), REQUESTS_PUT_OVER_CLAIMED);
    assert_false(requests_defer(requests, &answer));
    assert_false(requests_release(requests, handle_of(1, 5)));
    assert_int_equal(requests->queued.count, 1);
    free(requests);
}

static void aborted_with_a_deferred_answer_is_not_sent(void **state)
{
    struct requests *requests = new_requests();
    WNBD_ANSWER answers[4] = {0};

    (void)state;
    for (UINT32 slot = 0; slot < 3; slot++)
        answered(requests, handle_of(1, slot));
    assert_int_equal(put(requests, handle_of(2, 2)), REQUESTS_PUT_OVER_ANSWERED);
    assert_int_equal(requests_take_answers(requests, answers, 4), 2);
    assert_int_equal(answers[1].RequestHandle, handle_of(1, 1));
    free(requests);
}

static void drop_lists_leaves_what_the_program_has(void **state)
{
    struct requests *requests = new_requests();
    WNBD_ANSWER answer;

    (void)state;
    answered(requests, handle_of(1, 0));
    given(requests, handle_of(1, 1));
    put(requests, handle_of(1, 2));
    requests_drop_lists(requests);
    assert_null(requests_give(requests, somebody));
    assert_int_equal(requests_take_answers(requests, &answer, 1), 0);
    assert_non_null(requests_claim(requests, handle_of(1, 1)));
    free(requests);
}

static void bytes_are_those_of_what_is_in_the_list(void **state)
{
    struct requests *requests = new_requests();
    WNBD_ARENA_REQUEST of = some_request(handle_of(1, 0));
    WNBD_ANSWER answer = answer_of(handle_of(1, 0));

    (void)state;
    of.DataLength = 4096;
    requests_put(requests, &of, 0);
    put(requests, handle_of(1, 1));
    assert_int_equal(requests->queued.bytes, 4096);
    requests_give(requests, somebody);
    assert_int_equal(requests->queued.bytes, 0);
    answer.DataLength = 512; /* the program had less */
    requests_claim(requests, answer.RequestHandle);
    requests_defer(requests, &answer);
    assert_int_equal(requests->answered.bytes, 512);
    requests_put(requests, &of, 0); /* aborted, and its slot given again */
    assert_int_equal(requests->answered.bytes, 0);
    assert_int_equal(requests->queued.bytes, 4096);
    requests_drop_lists(requests);
    assert_int_equal(requests->queued.bytes, 0);
    free(requests);
}

static void waits_since_a_tick(void **state)
{
    struct requests *requests = new_requests();
    UINT64 tick;

    (void)state;
    assert_false(request_list_waits_since(&requests->queued, 0));
    put(requests, handle_of(1, 0));
    assert_false(request_list_waits_since(&requests->queued, 0)); /* it came after that tick */
    tick = requests->queued.added;
    assert_true(request_list_waits_since(&requests->queued, tick));
    put(requests, handle_of(1, 1));
    assert_true(request_list_waits_since(&requests->queued, tick));
    requests_give(requests, somebody);
    assert_false(request_list_waits_since(&requests->queued, tick));
    requests_give(requests, somebody);
    assert_false(request_list_waits_since(&requests->queued, requests->queued.added));
    free(requests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_in_the_order_they_came),
        cmocka_unit_test(claimed_once),
        cmocka_unit_test(handles_out_of_range_are_none),
        cmocka_unit_test(answers_are_taken_in_order_and_bounded),
        cmocka_unit_test(aborted_in_the_queue_is_not_given),
        cmocka_unit_test(aborted_with_the_program_finds_nothing),
        cmocka_unit_test(aborted_while_it_is_answered_is_not_deferred),
        cmocka_unit_test(aborted_with_a_deferred_answer_is_not_sent),
        cmocka_unit_test(drop_lists_leaves_what_the_program_has),
        cmocka_unit_test(bytes_are_those_of_what_is_in_the_list),
        cmocka_unit_test(waits_since_a_tick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
