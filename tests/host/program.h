/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that serves a disk of its own memory, by the commands of include/wnbd_ioctl.h alone. */
#ifndef TESTS_HOST_PROGRAM_H
#define TESTS_HOST_PROGRAM_H

#include "tests/host/wnbd.h"

#include <pthread.h>
#include <stdbool.h>

#define PROGRAM_BYTES   (64u << 20)
#define PROGRAM_BATCH   32
#define PROGRAM_THREADS 16

struct program;

/* What a program does with a request instead of carrying it out: false, it is carried out. `answer` is good and has all
 * the data that is asked for. */
typedef bool program_does(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer);

struct program_options {
    const char *name; /* NULL: "vol1" */
    WNBD_FLAGS flags;
    UINT32 block_size; /* 0: 512 */
    UINT32 physical_block_size;
    UINT32 queue_depth;
    UINT32 arena_size;
    unsigned threads;   /* that serve; 0: none, the test does it by hand */
    bool one_at_a_time; /* they use FETCH_REQ and SEND_RSP */
    bool mixed;         /* every second of them does */
    UCHAR *store;       /* PROGRAM_BYTES that outlive the program; NULL: its own */
    UINT32 fetch_room;  /* bytes of the buffer for that; 0: any request fits */
    program_does *does;
};

struct program {
    struct program_options options;
    pthread_rwlock_t file_lock;
    struct bed_file *file; /* the adapter, opened by it; NULL: closed */
    WNBD_CONNECTION_ID id;
    WNBD_ARENA arena;
    pthread_mutex_t bytes_lock;
    UCHAR *bytes; /* PROGRAM_BYTES */
    struct bed_io own;
    WNBD_IOCTL_OWN_COMMAND own_command;
    bool owns;
    NTSTATUS own_status;        /* of OWN, after program_wait */
    volatile LONG requests[8];  /* by WnbdRequestType */
    volatile LONG refused;      /* answers */
    volatile LONG disconnected; /* threads that have ended so */
    volatile LONG failed;       /* threads that have ended otherwise */
    pthread_t threads[PROGRAM_THREADS];
};

/* A disk, mapped and served. Anything that goes wrong fails the test. */
void program_start(struct program *program, const struct program_options *options);

/* The same for a disk that is kept without a program: tried until it can be attached. */
void program_take_over(struct program *program, const struct program_options *options);

/* The parts of it. */
NTSTATUS program_attach(struct program *program, const struct program_options *options);
NTSTATUS program_create(struct program *program, const struct program_options *options);
NTSTATUS program_map_arena(struct program *program);
void program_own(struct program *program);
void program_serve(struct program *program); /* starts the threads */

/* Its handle is closed, as when its process ends, and its threads end. The memory stays. */
void program_die(struct program *program);

/* Waits for its threads and its OWN: the disk is gone, or does not belong to it any more. */
void program_wait(struct program *program);

/* Unmaps the disk and ends the program. */
void program_stop(struct program *program);

/* After program_die or program_wait. */
void program_free(struct program *program);

/* One ENTER. `output` has room for PROGRAM_BATCH requests. */
struct program_output {
    WNBD_ENTER_OUTPUT head;
    WNBD_ARENA_REQUEST more[PROGRAM_BATCH - 1];
};

NTSTATUS program_enter(struct program *program, const WNBD_ANSWER *answers, UINT32 answer_count, UINT32 max, bool wait,
                       struct program_output *output);

/* The same, without answers and waiting, begun. */
void program_enter_begin(struct program *program, struct bed_io *io, UINT32 max, struct program_output *output);

/* FETCH_REQ and SEND_RSP. `data` has room for the largest request. */
NTSTATUS program_fetch(struct program *program, WNBD_IOCTL_FETCH_REQ_COMMAND *fetched, UCHAR *data);
NTSTATUS program_send(struct program *program, const WNBD_ANSWER *answer, UCHAR *data);

/* Waits until it gives a request; that one. */
WNBD_ARENA_REQUEST program_next(struct program *program);

/* The place of its data. */
UCHAR *program_data(const struct program *program, const WNBD_ARENA_REQUEST *request);

/* Does what the request asks, with the program's bytes; the answer to it. */
WNBD_ANSWER program_carry_out(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data);

/* Answers it. How many answers were refused: 0 or 1. */
UINT32 program_answer(struct program *program, const WNBD_ANSWER *answer);

#endif
