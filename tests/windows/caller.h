/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that calls functions of wnbd.h as it is told on stdin, one a line: a test so has another process beside the
 * one that serves a disk, and calls many functions for the price of one start. After the lines of an order comes
 * `= CODE`: what the function has returned.
 */
#ifndef TESTS_WINDOWS_CALLER_H
#define TESTS_WINDOWS_CALLER_H

#include "arguments.h"

#include <wnbd.h>

/* Takes the order's words and options, calls one function, prints what it gave and returns its code. */
typedef DWORD order_function(struct arguments *arguments);

struct order {
    const char *name;
    order_function *run;
};

/* Each ends with a NULL. */
extern const struct order disk_orders[];     /* caller_disks.c: of disks, by name */
extern const struct order driver_orders[];   /* caller_driver.c: of the driver, its options and adapter */
extern const struct order handle_orders[];   /* caller_handles.c: with a handle of the adapter, or what is no handle */
extern const struct order own_disk_orders[]; /* caller_own.c: with disks of its own */
extern const struct order daemon_orders[];   /* caller_daemon.c: of the NBD clients, the library's and the driver's */

/* Opens the adapter and calls the function with it. */
typedef DWORD adapter_function(HANDLE adapter, struct arguments *arguments);

DWORD with_adapter(adapter_function *function, struct arguments *arguments);

/* A name that may be left out, empty or far too long: the words `null`, `empty` and `long`. */
const char *name_of(struct arguments *arguments);

#endif
