/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of bedtest.exe share. */
#ifndef TESTS_BED_BEDTEST_H
#define TESTS_BED_BEDTEST_H

#include <windows.h>
#include <winioctl.h>
#include <ntddscsi.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

extern int failures;

/* Counts a failure and prints it with the last error. */
void fail(const char *what);

/* Opens disk `number`, waiting up to a minute for it; ends the program when it does not come. */
HANDLE open_disk(const char *number, DWORD flags);

/* A transfer on a synchronous or overlapped handle; the error number, 0 for success with all bytes moved. */
DWORD transfer(HANDLE disk, BOOL write, ULONGLONG offset, void *data, DWORD length);

/* DeviceIoControl; the error number. */
DWORD control(HANDLE device, DWORD code, void *in, DWORD in_length, void *out, DWORD out_length, DWORD *got);

/* A pattern that depends on the seed. */
void fill(BYTE *data, DWORD length, DWORD seed);

/* The commands */
void command_info(const char *number);
void command_rw(const char *number);
void command_queue(const char *number);
void command_edges(const char *number);
void command_flush(const char *number);
void command_one(const char *number, BOOL write, const char *offset, const char *length);
void command_pass(const char *number);
void command_trim(const char *number);
void command_absent(const char *number);
void command_list(void);
void command_violations(void);
void command_counts(void);
void command_counters(const char *set_name);
void command_service(void);
void command_remove(const char *number, BOOL open);
void command_cycle_adapter(const char *number);
void command_adapter(BOOL enable);
void command_notified(const char *number);
void command_inject(const char *kind, const char *number, BOOL adapter);

#endif
