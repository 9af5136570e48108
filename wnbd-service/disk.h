/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recorded disk, with a thread that keeps it mapped from disk_start to disk_stop.
 *
 *             attempt fails         attempt fails
 *   UNTRIED ----------------> WAITING ----.
 *      |                      |  ^ ^------'
 *      | mapped        mapped |  | it went with the adapter, its NBD client in this process ended,
 *      '-------> MAPPED <-----'  | or somebody has unmapped it: then it is tried no more, but found
 *                  '-------------' when somebody maps it again
 *
 *   BAD: the record makes no sense; there is no thread.
 */
#ifndef WNBD_SERVICE_DISK_H
#define WNBD_SERVICE_DISK_H

#include "records/records.h"

enum disk_state { DISK_UNTRIED, DISK_WAITING, DISK_MAPPED, DISK_BAD };

struct disk {
    struct disk *next; /* of disks.c */

    /* fixed after init */
    WNBD_PROPERTIES properties;
    char problem[RECORD_PROBLEM_SIZE]; /* of the record; empty unless BAD */
    HANDLE stop;                       /* event: the thread is to end */
    HANDLE news;                       /* event, of disk_tell */
    HANDLE thread;

    LONG turns; /* the thread's: adapter_turns() when the disk was there, or was tried, the last time */

    /* atomic */
    LONG volatile state;        /* written by the thread only */
    LONG volatile is_forgotten; /* before stop: the disk is no longer ours to unmap */

    SRWLOCK lock;
    /* guarded by lock */
    HANDLE adapter; /* on which an attempt is under way, to be cancelled; NULL: none */
};

/* Before the first disk. */
DWORD disk_prepare(void);

/* Takes over a record, or says what is wrong with it if `problem` is not empty. Gives NULL when there is no memory. */
struct disk *disk_start(const WNBD_PROPERTIES *properties, const char *problem);

enum disk_state disk_state(struct disk *disk);

/* For the disk's thread. */
void disk_set_state(struct disk *disk, enum disk_state state);

/* The adapter, or a disk of the machine, has come or has gone. */
void disk_tell(struct disk *disk, bool has_come);

/* Its thread ends as soon as it can; an attempt is cancelled. A mapped disk is unmapped, softly, until the time
 * `end_ms` (GetTickCount64) of disk_set_end is over; a forgotten one only if this process serves it. */
void disk_stop(struct disk *disk, bool forget);

/* For how long disks are asked when the service stops. */
void disk_set_end(ULONGLONG end_ms);

/* To be called again and again after disk_stop: has the thread ended? */
bool disk_has_ended(struct disk *disk);

/* After disk_has_ended. */
void disk_free(struct disk *disk);

bool disk_is_stopping(struct disk *disk);

#endif
