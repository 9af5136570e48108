/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the provider of WSK asks of the bed it runs in (bed/wine, bed/host): memory, threads, sleeping, the IRQL and
 * stack of a thread, name resolution, and whom to charge for sockets.
 */
#ifndef BED_WSK_ENV_H
#define BED_WSK_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "driver/ddk.h"

#ifndef ARRAYSIZE
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
#ifndef WAIT_INFINITE
#define WAIT_INFINITE 0xFFFFFFFFu
#endif

/* Zeroed memory; NULL when there is none. */
void *bed_allocate(size_t size);
void bed_free(void *block);

/* Of what a client may use too late: when its registration has ended. A bed may keep it for ever, to find that out. */
void bed_free_late(void *block);

/* A lock, free when all zero. Nobody is called with one held. */
struct bed_mutex {
    void *word;
};
void bed_mutex_acquire(struct bed_mutex *mutex);
void bed_mutex_release(struct bed_mutex *mutex);

/* Starts a thread that nobody waits for; false when there is none. */
bool bed_thread_start(void (*start)(void *argument), void *argument);
ULONG_PTR bed_thread_id(void);
void bed_sleep(ULONG milliseconds);
LONGLONG bed_now_ms(void); /* by a clock that nobody sets while a test runs */

/* Sleeps until *word is no longer `value`, is woken, or `ms` have passed (WAIT_INFINITE: for ever). May wake early. */
void bed_wait_word(const volatile LONG *word, LONG value, ULONG ms);
void bed_wake_word(const volatile LONG *word);

/* irql.h and stack.h of either bed */
unsigned char bed_irql_raise(unsigned char irql);
void bed_irql_lower(unsigned char irql);
bool bed_irql_at_most(unsigned char highest, const char *routine);
void *bed_stack_begin(void);
void bed_stack_end(void *old);
size_t bed_stack_left(const void *here);

/* Counts a registration or a socket for the driver that `owner` stands for (WskRegister's caller). */
void bed_count_network(void *owner, LONG by);
void bed_count_socket(void *owner, LONG by);

/* Looks a name and a service up (either may be NULL); `hints` is never NULL. The answer is one block for bed_free.
 * PASSIVE_LEVEL, may take its time. */
NTSTATUS bed_resolve(const WCHAR *node, const WCHAR *service, const ADDRINFOEXW *hints, ADDRINFOEXW **answer);

/* Whether this call has to fail with STATUS_INSUFFICIENT_RESOURCES, for a test's sake. */
bool bed_wsk_fault(void);

/* Whether a send that can be completed is to be completed inside WskSend, as Windows may do. */
bool bed_wsk_inline(void);

/* One thread hands `object` to another, which takes it: for race detectors. */
void bed_wsk_hand_over(const void *object);
void bed_wsk_take_over(const void *object);

/* The network reads or writes a driver's memory: for memory and race detectors. */
void bed_wsk_touch(const void *address, size_t length, bool write);

#endif
