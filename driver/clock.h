/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_DRIVER_CLOCK_H
#define WNBD_DRIVER_CLOCK_H

#include <stdint.h>

#define CLOCK_TICKS_PER_MS 10000ULL

/* Windows' interrupt time: units of 100 ns since the machine started. Any IRQL. */
uint64_t clock_now(void);

/* The same, which the above is only up to a tick of the clock: for measuring requests. Any IRQL. */
uint64_t clock_precise(void);

/* Interrupt time without the time that the machine slept. Any IRQL. */
uint64_t clock_awake(void);

#endif
