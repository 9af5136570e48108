/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the driver stand on: a server, and a machine with the driver. One of each at a time; what goes
 * wrong here fails the test.
 */
#ifndef TESTS_HOST_FIXTURE_H
#define TESTS_HOST_FIXTURE_H

#include "tests/host/server.h"
#include "tests/host/wnbd.h"

#define FIXTURE_BYTES (64ull << 20)

extern struct server *server;
extern struct bed_file *adapter;

/* Of main: reads the arguments, sets time 20 times as fast. False: they are wrong. */
bool fixture_init(int count, char **arguments);

void fixture_start(const struct server_options *options);
void fixture_start_usual(void);
void fixture_stop(void);

/* The machine alone, with the server started or ended apart. */
void fixture_start_machine(void);
void fixture_stop_machine(enum bed_removal removal);

/* Sets an option of the driver, for this run. */
void fixture_set_option(const WCHAR *name, WnbdOptValType type, INT64 value);

/* Maps the server's export as "vol1" and opens the disk; ends both. */
struct bed_file *fixture_map(void);
struct bed_file *fixture_map_several(UINT32 connections); /* waits until all are there */
void fixture_unmap(struct bed_file *disk);

/* The same on a machine that is up, with the server: what the client does wrong fails the test. */
struct bed_file *fixture_serve(const struct server_options *options);
void fixture_serve_no_more(struct bed_file *disk);

/* Through the disk, and beside it: what the server holds. */
void fixture_write_and_read_back(struct bed_file *disk, ULONGLONG offset, ULONG length);

/* Asks the bed to do that (bed/port/control.h, enum bed_injection_kind) to the first disk, or to the adapter. */
void fixture_inject_disk(ULONG kind);
void fixture_inject_adapter(ULONG kind);
void fixture_fail(ULONG kind, ULONG count); /* BED_INJECT_FAIL_...: the next so many */

/* Disables or enables the adapter: BED_CONTROL_DISABLE, BED_CONTROL_ENABLE. */
void fixture_control_adapter(ULONG code);

WNBD_DRV_STATS fixture_statistics(const char *name);
WNBD_SERVER_STATUS fixture_server_status(const char *name);

/* Waits, at most some seconds, until that is the first thing wrong with the connection, or with the try to make one. */
void fixture_await_error(const char *name, const char *words);

/* The same, until the disk has made so many connections again. */
void fixture_await_connections(const char *name, UINT32 count);
void fixture_await_reconnects(const char *name, ULONGLONG count);

#endif
