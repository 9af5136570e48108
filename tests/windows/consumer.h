/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that serves a disk with wnbd.h, written from the interface's description alone: what the tests use in place
 * of the programs that exist. Prints one line for each event, so that a test can wait for it.
 */
#ifndef TESTS_WINDOWS_CONSUMER_H
#define TESTS_WINDOWS_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include <wnbd.h>

struct arguments;

#define ANSWER_THREADS_MAX 64

/* How requests are answered. Changes while there are none. */
struct manner {
    uint32_t answer_threads; /* 0: within the callback; else by so many threads, in any order, overlapped. Fixed */
    uint32_t gather;         /* those answer only when so many wait, the newest first; then all of these */
    uint32_t delay_ms;       /* before each answer */
    uint32_t short_bytes;    /* reads have no more data than that, if is_short */
    bool is_short;
    uint32_t excess;       /* bytes more than were asked for are said to be there, and are */
    bool without_data;     /* reads are answered without any: NULL, 0 */
    bool null_with_size;   /* reads are answered with a size and no buffer, which must fail */
    bool never;            /* not at all */
    bool twice;            /* a second time, which must fail */
    bool copies;           /* from memory of the program, not from the callback's buffer */
    bool log;              /* a line for each callback and for each answer that fails */
    uint32_t stall_every;  /* each so-manieth callback stalls; 0: none */
    uint32_t stall_ms;     /* before it answers */
    uint32_t linger_ms;    /* after it has answered */
    int fill;              /* reads have that byte everywhere; -1: what was written */
    WnbdRequestType fails; /* requests of this type do; unknown: none */
    uint8_t sense_key;
    uint8_t asc;
    uint8_t status;       /* of those that fail; 2: a check condition with that sense, another has none */
    bool has_information; /* the sense names the LBA */
};

/* The memory behind the disk; 64 KiB at a time are made when they are written first. */
struct store;

struct store *store_new(uint64_t bytes);
void store_read(struct store *store, uint64_t offset, uint8_t *data, uint32_t length);
void store_write(struct store *store, uint64_t offset, const uint8_t *data, uint32_t length);
void store_zero(struct store *store, uint64_t offset, uint64_t length);

/* The program's object for its disk: the disk's context. */
struct consumer {
    struct manner manner;
    struct store *store;
    PWNBD_DISK disk;
    uint32_t room;         /* bytes of the buffer that serve_singly has, until a request does not fit */
    bool synchronous;      /* serve_singly is */
    uint32_t generation;   /* of reservations */
    uint32_t keeper;       /* the thread that the library has made with the disk */
    volatile LONG answers; /* given so far */
};

extern const WNBD_INTERFACE callbacks;

/* One line of output, whole also when several threads print. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* An answer that is to be given. `data` is borrowed for the call; `lba` is what a sense would name. */
struct answer {
    uint64_t handle;
    WnbdRequestType type;
    uint64_t lba;
    void *data;
    uint32_t length;
};

/* As WnbdRequestTypeToStr names it, in any case; else unknown. */
WnbdRequestType type_named(const char *name);

/* Takes its options; those that are not there are as at first. */
void manner_take(struct arguments *arguments, struct manner *manner);

void answers_start(struct consumer *consumer);
void answers_give(struct consumer *consumer, const struct answer *answer);

/* Serves with FETCH_REQ and SEND_RSP until the disk is gone. */
void serve_singly(struct consumer *consumer);

/* Sends what can only fail, by the low-level functions. */
void misuse_singly(const struct consumer *consumer);

/* The id of a thread of the program that is not the calling one; 0: there is none. */
uint32_t threads_find_other(void);
void threads_kill_worker(const struct consumer *consumer, uint32_t index);
void threads_kill_keeper(const struct consumer *consumer);

/* What is read from stdin, until its end or `stop`. */
void orders_follow(struct consumer *consumer);

#endif
