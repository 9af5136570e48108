/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recorded mappings: which disks are to be mapped again when the machine starts. They are keys in the registry; their
 * form is in docs/service.md. No secret is among them. Results are Win32 errors.
 */
#ifndef WNBD_RECORDS_RECORDS_H
#define WNBD_RECORDS_RECORDS_H

#include <wnbd.h>

#include <stdbool.h>
#include <stddef.h>

#define RECORDS_KEY L"SOFTWARE\\WNBD\\Mappings" /* below HKEY_LOCAL_MACHINE, the 64-bit view */

#define RECORDS_SERVICE L"wnbd-service" /* who maps what is recorded */

/* A clause that says what is wrong. */
#define RECORD_PROBLEM_SIZE 512

/* The name of a record need not be one that a disk can have: somebody may have made the key by hand. */
#define RECORD_NAME_SIZE 768

struct record_names {
    size_t count;
    char (*names)[RECORD_NAME_SIZE]; /* UTF-8 */
};

/* The names of all records. *names is for record_names_free, after a failure too. No record at all is no failure. */
DWORD record_names_read(struct record_names *names);
void record_names_free(struct record_names *names);

bool record_exists(const char *name);

/*
 * What `map` was told, for WnbdCreate. Every value is checked: the key may have been edited, or written halfway.
 *
 * 2 there is no such record; 13 ERROR_INVALID_DATA it makes no sense, `problem` says why; others of the registry.
 */
DWORD record_read(const char *name, WNBD_PROPERTIES *properties, char problem[RECORD_PROBLEM_SIZE]);

/*
 * Records, or records anew. `properties`: as given to WnbdCreate, not what it answered.
 *
 * 183 a record has that name but for the case of letters, which the registry does not tell apart; 206 the name is too
 * long for a key; others of the registry. After a failure there is no record of that name.
 */
DWORD record_write(const WNBD_PROPERTIES *properties);

/* 2 there is no such record; others of the registry. */
DWORD record_delete(const char *name);

/* What a disk has that contradicts what is recorded of it, one word or two; NULL: it is the recorded one. `disk`: of
 * WnbdShow. */
const char *record_difference(const WNBD_PROPERTIES *recorded, const WNBD_PROPERTIES *disk);

#endif
