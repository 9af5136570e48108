/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The performance counters: the one table of them. The driver's data block (performance.h) and its registration, the
 * string resources of wnbd.sys, the manifest wnbd.man and docs/counters.md are made from it. Nothing but macros: the
 * resource compiler reads it too.
 *
 * COUNTER(id, kind, field, base, scale, name, description)
 *   id     below 64, never used again for something else: those who ask know a counter by it
 *   kind   RATE     counts up; shown per second (PERF_COUNTER_BULK_COUNT, 64 bits)
 *          AMOUNT   shown as it is (PERF_COUNTER_LARGE_RAWCOUNT, 64 bits)
 *          STATE    the same (PERF_COUNTER_RAWCOUNT, 32 bits)
 *          AVERAGE  time in ticks of the performance counter, which counts up; shown in seconds for each of those that
 *                   `base` has counted meanwhile (PERF_AVERAGE_TIMER, 64 bits)
 *          BASE     of an AVERAGE, not shown (PERF_AVERAGE_BASE, 32 bits)
 *   field  of struct performance
 *   base   the id of an AVERAGE's base; 0: none
 *   scale  a graph shows the value times ten to this power
 */
#ifndef WNBD_DRIVER_PERFORMANCE_TABLE_H
#define WNBD_DRIVER_PERFORMANCE_TABLE_H

/* Who registers the set, and the set: another version of the table that says other things needs others. */
#define PERFORMANCE_PROVIDER_GUID "{b41d33e2-82f7-435f-a93e-819fd33fc9e0}"
#define PERFORMANCE_SET_GUID      "{648f43a7-48e9-4a04-81d1-8b9ee400ff8d}"

#define PERFORMANCE_SET_NAME "WNBD Disk"
#define PERFORMANCE_SET_DESCRIPTION                                                                                    \
    "Disks of WNBD, one instance for each: what they transfer, and how they stand with their servers."

#define PERFORMANCE_COUNTERS(COUNTER)                                                                                  \
    COUNTER(1, RATE, reads, 0, 0, "Reads/sec", "Read requests that were answered, per second.")                        \
    COUNTER(2, RATE, writes, 0, 0, "Writes/sec", "Write requests that were answered, per second.")                     \
    COUNTER(3, RATE, flushes, 0, 0, "Flushes/sec", "Flush requests that were answered, per second.")                   \
    COUNTER(4, RATE, unmaps, 0, 0, "Unmaps/sec", "Requests to unmap or to zero that were answered, per second.")       \
    COUNTER(5, RATE, read_bytes, 0, -4, "Read Bytes/sec", "Bytes that were read, per second.")                         \
    COUNTER(6, RATE, write_bytes, 0, -4, "Write Bytes/sec", "Bytes that were written, per second.")                    \
    COUNTER(7, AMOUNT, outstanding, 0, 0, "Requests Outstanding", "Requests that have not been answered, now.")        \
    COUNTER(8, AMOUNT, waiting, 0, 0, "Requests Waiting", "Those of them that have not been sent yet, now.")           \
    COUNTER(9, AVERAGE, read_time, 10, 3, "Avg. sec/Read", "How long a read took on average, from a histogram.")       \
    COUNTER(10, BASE, read_base, 0, 0, "Avg. sec/Read Base", "Reads that Avg. sec/Read is about.")                     \
    COUNTER(11, AVERAGE, write_time, 12, 3, "Avg. sec/Write", "How long a write took on average, from a histogram.")   \
    COUNTER(12, BASE, write_base, 0, 0, "Avg. sec/Write Base", "Writes that Avg. sec/Write is about.")                 \
    COUNTER(13, STATE, connected, 0, 1, "Connected", "1: the server, or the program, is there; 0: it is waited for.")  \
    COUNTER(14, STATE, connections, 0, 1, "Connections Open",                                                          \
            "Connections to the server, now; 0 if a program serves.")                                                  \
    COUNTER(15, AMOUNT, reconnects, 0, 0, "Reconnects", "How often a lost connection was made again.")                 \
    COUNTER(16, AMOUNT, unfenced, 0, 0, "Unfenced Connections", "Connections lost with writes out and no end seen.")   \
    COUNTER(17, AMOUNT, failed, 0, 0, "Failed Requests", "Requests that were answered with an error.")                 \
    COUNTER(18, AMOUNT, aborted, 0, 0, "Aborted Requests", "Requests ended by a time-out, a reset or a removal.")      \
    COUNTER(19, AMOUNT, late, 0, 0, "Late Replies", "Answers to requests that had been aborted.")

/* Numbers of the string resources, as the manifest names them: two for the set, two for each counter. Four for each id,
 * by additions: Microsoft's resource compiler and LLVM's know + - | & ~ and no more. */
#define PERFORMANCE_SET_NAME_STRING        100
#define PERFORMANCE_SET_DESCRIPTION_STRING 102
#define PERFORMANCE_NAME_STRING(id)        (100 + (id) + (id) + (id) + (id))
#define PERFORMANCE_DESCRIPTION_STRING(id) (102 + (id) + (id) + (id) + (id))

#endif
