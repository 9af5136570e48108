/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/progress.h"
#include "tests/unit/guard.h"

static void one_piece(void **state)
{
    struct nbd_progress progress;

    (void)state;
    nbd_progress_init(&progress);
    assert_true(nbd_progress_add(&progress, 0, 512));
    assert_int_equal(progress.received, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
