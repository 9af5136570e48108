/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each call of the driver that may fail does so once: the first in one run, the second in the next. */
#ifndef TESTS_HOST_EACH_CALL_H
#define TESTS_HOST_EACH_CALL_H

/* One run with the k-th call failing, between faults_arm(k) and faults_disarm. */
typedef void scenario(unsigned k);

/* Runs it with k = 1, 2, ... until it asks for fewer calls; answers how many failed. No run may leave violations. */
unsigned for_each_call(scenario *run);

void faults_arm(unsigned k);
void faults_disarm(void);

#endif
