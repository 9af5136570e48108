/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libwnbd/nbd_jobs.c */
#include "libwnbd/nbd_jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAXIMUM 65536u

static uint8_t memory[1 << 20];

static struct nbd_jobs *new_jobs(void)
{
    struct nbd_jobs *jobs = calloc(1, sizeof(*jobs));

    assert_non_null(jobs);
    nbd_jobs_init(jobs, MAXIMUM);
    return jobs;
}

static UINT64 handle_of(UINT32 generation, UINT32 slot)
{
    return (UINT64)generation << 32 | slot;
}

static struct nbd_job *add(struct nbd_jobs *jobs, enum io_operation operation, UINT32 slot, UINT64 offset,
                           UINT32 length)
{
    struct io_request request = {
        .operation = operation, .offset = offset, .length = length, .cookie = handle_of(1, slot)};

    return nbd_jobs_add(jobs, &request, WnbdReqTypeUnknown, memory);
}

static struct nbd_job *sent(struct nbd_jobs *jobs, enum io_operation operation, UINT32 slot, UINT64 offset,
                            UINT32 length)
{
    struct nbd_job *job = add(jobs, operation, slot, offset, length);

    assert_non_null(job);
    assert_ptr_equal(nbd_jobs_next(jobs, 7), job);
    return job;
}

static void found_while_it_is_out(void **state)
{
    struct nbd_jobs *jobs = new_jobs();
    struct nbd_job *job = add(jobs, IO_READ, 1023, 0, 512);

    (void)state;
    assert_null(nbd_jobs_find(jobs, handle_of(1, 1023))); /* it waits */
    assert_ptr_equal(nbd_jobs_next(jobs, 7), job);
    assert_null(nbd_jobs_next(jobs, 7));
    assert_ptr_equal(nbd_jobs_find(jobs, handle_of(1, 1023)), job);
    assert_null(nbd_jobs_find(jobs, handle_of(2, 1023)));
    assert_null(nbd_jobs_find(jobs, handle_of(1, 1022)));
    assert_null(nbd_jobs_find(jobs, UINT64_MAX));
    nbd_jobs_end(jobs, job);
    assert_null(nbd_jobs_find(jobs, handle_of(1, 1023)));
    free(jobs);
}

static void slot_in_use_or_out_of_range(void **state)
{
    struct nbd_jobs *jobs = new_jobs();

    (void)state;
    assert_null(add(jobs, IO_READ, REQUEST_SLOTS, 0, 512));
    assert_non_null(add(jobs, IO_READ, 5, 0, 512));
    assert_null(add(jobs, IO_READ, 5, 0, 512));
    nbd_jobs_end(jobs, nbd_jobs_next(jobs, 7));
    assert_non_null(add(jobs, IO_READ, 5, 0, 512));
    free(jobs);
}

static void long_job_goes_in_pieces(void **state)
{
    struct nbd_jobs *jobs = new_jobs();
    struct nbd_job *job = sent(jobs, IO_WRITE, 3, 1000, 2 * MAXIMUM + 512);

    (void)state;
    assert_int_equal(job->request.offset, 1000);
    assert_int_equal(job->request.length, MAXIMUM);
    add(jobs, IO_READ, 4, 0, 512);
    assert_true(nbd_jobs_advance(jobs, job));
    assert_ptr_equal(nbd_jobs_next(jobs, 7), job); /* before what came later */
    assert_true(nbd_jobs_advance(jobs, job));
    assert_ptr_equal(nbd_jobs_next(jobs, 7), job);
    assert_int_equal(job->request.offset, 1000 + 2 * MAXIMUM);
    assert_int_equal(job->request.length, 512);
    assert_ptr_equal(nbd_job_data(job, 1), memory + 2 * MAXIMUM + 1);
    assert_false(nbd_jobs_advance(jobs, job));
    nbd_jobs_end(jobs, job);
    assert_non_null(nbd_jobs_next(jobs, 7));
    free(jobs);
}

static void trim_and_flush_are_not_cut(void **state)
{
    struct nbd_jobs *jobs = new_jobs();

    (void)state;
    assert_int_equal(sent(jobs, IO_TRIM, 1, 0, UINT32_MAX)->request.length, UINT32_MAX);
    assert_false(nbd_jobs_advance(jobs, nbd_jobs_find(jobs, handle_of(1, 1))));
    assert_false(nbd_jobs_advance(jobs, sent(jobs, IO_FLUSH, 2, 0, 0)));
    free(jobs);
}

static void overlapping_write_waits(void **state)
{
    struct nbd_jobs *jobs = new_jobs();
    struct nbd_job *first = sent(jobs, IO_WRITE, 1, 4096, 2 * MAXIMUM); /* of which one piece is out */
    struct nbd_job *read = sent(jobs, IO_READ, 2, 4096, 4096);
    struct nbd_job *again;

    (void)state;
    sent(jobs, IO_WRITE, 3, 0, 4096);                         /* up to it */
    sent(jobs, IO_TRIM, 4, 4096 + 2 * MAXIMUM, 4096);         /* behind it */
    again = add(jobs, IO_WRITE, 5, 4095 + 2 * MAXIMUM, 4096); /* its last byte, and the trim */
    add(jobs, IO_WRITE, 6, 1 << 20, 4096);
    assert_null(nbd_jobs_next(jobs, 7)); /* nor does another overtake it */
    nbd_jobs_end(jobs, read);
    nbd_jobs_end(jobs, nbd_jobs_find(jobs, handle_of(1, 4)));
    assert_null(nbd_jobs_next(jobs, 7));
    nbd_jobs_end(jobs, first);
    assert_ptr_equal(nbd_jobs_next(jobs, 7), again);
    assert_non_null(nbd_jobs_next(jobs, 7));
    free(jobs);
}

static void withdrawn_in_the_order_they_were_sent(void **state)
{
    struct nbd_jobs *jobs = new_jobs();
    struct list_link given_up;

    (void)state;
    list_init(&given_up);
    for (UINT32 slot = 0; slot < 4; slot++)
        sent(jobs, IO_READ, slot, 0, MAXIMUM);
    add(jobs, IO_READ, 9, 0, 512);
    assert_int_equal(jobs->large_reads, 4);
    assert_int_equal(nbd_jobs_withdraw(jobs, &given_up), 4);
    assert_int_equal(jobs->large_reads, 0);
    for (UINT32 slot = 0; slot < 4; slot++)
        assert_int_equal(nbd_jobs_next(jobs, 7)->handle, handle_of(1, slot));
    assert_int_equal(nbd_jobs_next(jobs, 7)->handle, handle_of(1, 9));
    assert_true(list_is_empty(&given_up));
    free(jobs);
}

static void given_up_after_too_many_connections(void **state)
{
    struct nbd_jobs *jobs = new_jobs();
    struct nbd_job *job = sent(jobs, IO_WRITE, 2, 0, 512);
    struct list_link given_up;

    (void)state;
    list_init(&given_up);
    for (int i = 0; i < NBD_REPLAYS_MAX; i++) {
        assert_true(nbd_jobs_has_writes_out(jobs));
        assert_int_equal(nbd_jobs_withdraw(jobs, &given_up), 1);
        assert_false(nbd_jobs_has_writes_out(jobs));
        assert_ptr_equal(nbd_jobs_next(jobs, 7), job);
    }
    assert_int_equal(nbd_jobs_withdraw(jobs, &given_up), 0);
    assert_null(nbd_jobs_next(jobs, 7));
    assert_ptr_equal(nbd_job_of_link(given_up.next), job);
    nbd_jobs_end(jobs, job);
    assert_true(list_is_empty(&given_up));
    free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_while_it_is_out),
        cmocka_unit_test(slot_in_use_or_out_of_range),
        cmocka_unit_test(long_job_goes_in_pieces),
        cmocka_unit_test(trim_and_flush_are_not_cut),
        cmocka_unit_test(overlapping_write_waits),
        cmocka_unit_test(withdrawn_in_the_order_they_were_sent),
        cmocka_unit_test(given_up_after_too_many_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
