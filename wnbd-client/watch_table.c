/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/watch_table.h"

#include "wnbd-client/latency.h"

#include <stdlib.h>
#include <string.h>

#define MEGABYTE 1e6

const char watch_legend[] = "sort: n name, d disk, i IOPS, m MB/s, l latency, p pending, r reconnects; q quit";

bool watch_read_key(char key, enum watch_order *order)
{
    static const char keys[] = "ndimlpr"; /* as enum watch_order */
    const char *found = key ? strchr(keys, key) : NULL;

    if (found)
        *order = (enum watch_order)(found - keys);
    return found != NULL;
}

/* ---- Order ---- */

static enum watch_order wanted_order;

static double falling(const struct watch_row *row)
{
    switch (wanted_order) {
    case WATCH_BY_IOPS:
        return row->iops;
    case WATCH_BY_BYTES:
        return row->read_bytes + row->write_bytes;
    case WATCH_BY_LATENCY:
        return row->within[1];
    case WATCH_BY_PENDING:
        return (double)row->pending;
    case WATCH_BY_RECONNECTS:
        return (double)row->reconnects;
    case WATCH_BY_DISK:
        return -row->disk_number;
    case WATCH_BY_NAME:
        break;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    double first = falling(a);
    double second = falling(b);

    if (first != second)
        return first > second ? -1 : 1;
    return strcmp(((const struct watch_row *)a)->name, ((const struct watch_row *)b)->name);
}

void watch_sort(struct watch_row *rows, size_t count, enum watch_order order)
{
    wanted_order = order;
    qsort(rows, count, sizeof(rows[0]), compare);
}

/* ---- Text ---- */

void watch_print_header(FILE *file, bool kinds)
{
    if (kinds)
        fprintf(file, "%-7s  %8s  %8s  %8s  %8s  %8s", "Request", "IOPS", "MB/s", "50%", "99%", "99.9%");
    else
        fprintf(file, "%4s  %-12s  %8s  %8s  %8s  %8s  %8s  %8s  %7s  %5s  %s", "Disk", "State", "IOPS", "Read MB",
                "Write MB", "50%", "99%", "99.9%", "Pending", "Recon", "InstanceName");
}

static void print_latencies(FILE *file, const struct watch_row *row)
{
    char text[LATENCY_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(row->within) / sizeof(row->within[0]); i++)
        fprintf(file, "  %8s", latency_format(row->within[i], text));
}

static void print_kind(FILE *file, const struct watch_row *row)
{
    fprintf(file, "%-7s  %8.0f  %8.1f", row->name, row->iops, (row->read_bytes + row->write_bytes) / MEGABYTE);
    print_latencies(file, row);
}

void watch_print_row(FILE *file, bool kinds, const struct watch_row *row)
{
    char number[16] = "-";

    if (kinds) {
        print_kind(file, row);
        return;
    }
    if (row->disk_number >= 0)
        snprintf(number, sizeof(number), "%d", row->disk_number);
    fprintf(file, "%4s  %-12s  %8.0f  %8.1f  %8.1f", number, row->state, row->iops, row->read_bytes / MEGABYTE,
            row->write_bytes / MEGABYTE);
    print_latencies(file, row);
    fprintf(file, "  %7lld  %5llu  %s", (long long)row->pending, (unsigned long long)row->reconnects, row->name);
}
