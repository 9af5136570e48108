/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/each_call.h"

#include "bed/host/fault.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define K_MAX 2000

void faults_arm(unsigned k)
{
    bed_fault_arm(BED_FAULT_ALL, k);
}

void faults_disarm(void)
{
    bed_fault_arm(0, 0);
}

unsigned for_each_call(scenario *run)
{
    bool happened = true;
    unsigned k;

    for (k = 1; happened && k < K_MAX; k++) {
        run(k);
        happened = bed_fault_happened_once();
        if (port_violation_count() != 0) {
            fail_msg("violations when call %u fails", k);
        }
    }
    assert_true(k < K_MAX);
    print_message("%u calls\n", k - 2);
    return k - 2;
}
