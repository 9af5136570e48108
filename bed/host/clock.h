/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time: interrupt time and the performance counter run with the machine's monotonic clock, or faster. With a speed of
 * 20 what Windows does once a second happens 20 times, so that a test need not wait for its delays and limits.
 */
#ifndef BED_HOST_CLOCK_H
#define BED_HOST_CLOCK_H

#include <stdint.h>

/* The kernel's time. */
uint64_t bed_clock_ns(void);

/* The machine sleeps for so long, at once: time in which nothing runs, no wait ends, and only interrupt time moves. */
void bed_clock_sleep(uint64_t ns);

/* How long a span of it takes; UINT64_MAX stays. */
uint64_t bed_clock_real_ns(uint64_t span);

/* 1 to begin with. Only while no driver is loaded. */
void bed_clock_speed(unsigned factor);
unsigned bed_clock_factor(void);

#endif
