/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of a live table: their order, and how they are printed. Nothing here needs Windows. */
#ifndef WNBD_CLIENT_WATCH_TABLE_H
#define WNBD_CLIENT_WATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What has happened in one interval, of a disk or of one kind of its requests. */
struct watch_row {
    const char *name; /* borrowed, as `state` */
    const char *state;
    int disk_number; /* below 0: none */
    double iops;
    double read_bytes; /* per second */
    double write_bytes;
    double within[3]; /* microseconds: 50, 99 and 99.9 percent of the requests; below 0: there was none */
    int64_t pending;
    uint64_t reconnects;
};

/* By name and disk number rising, by the others falling. */
enum watch_order {
    WATCH_BY_NAME,
    WATCH_BY_DISK,
    WATCH_BY_IOPS,
    WATCH_BY_BYTES,
    WATCH_BY_LATENCY,
    WATCH_BY_PENDING,
    WATCH_BY_RECONNECTS,
};

/* The order that a key stands for. False: none. */
bool watch_read_key(char key, enum watch_order *order);

void watch_sort(struct watch_row *rows, size_t count, enum watch_order order);

/* A line each, without its end. `kinds`: the rows are kinds of requests of one disk. */
void watch_print_header(FILE *file, bool kinds);
void watch_print_row(FILE *file, bool kinds, const struct watch_row *row);

/* What the keys do. */
extern const char watch_legend[];

#endif
