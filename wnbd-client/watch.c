/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * On a console the table is written over itself and obeys keys; elsewhere its lines follow each other, with the time
 * before each.
 */
#include "wnbd-client/watch.h"

#include "wnbd-client/console.h"
#include "wnbd-client/json.h"
#include "wnbd-client/report.h"
#include "wnbd-client/watch_sample.h"

#include <stdio.h>

#define MS_PER_SECOND 1000
#define LINES_AROUND  4 /* of a screen: title, header, legend, cursor */

struct view {
    const char *name; /* of the only disk; NULL: all */
    bool json;
    bool screen;
    enum watch_order order;
    struct watch_row rows[WATCH_ROWS_MAX];
    size_t count;
    SYSTEMTIME time;
};

int watch_is_wanted(const struct arguments *arguments, bool *wanted)
{
    *wanted = argument_text(arguments, "watch", NULL) != NULL;
    if (!*wanted && argument_text(arguments, "count", NULL))
        return report_misuse("--count is of use with --watch only");
    return ERROR_SUCCESS;
}

/* ---- Showing ---- */

static void print_json_row(const struct view *view, const struct watch_row *row)
{
    static const char *const within[] = {"p50_us", "p99_us", "p999_us"};

    json_begin_object(NULL);
    json_text(view->name ? "request" : "name", row->name);
    json_unsigned("iops", (uint64_t)(row->iops + 0.5));
    json_unsigned("read_bytes_per_second", (uint64_t)row->read_bytes);
    json_unsigned("write_bytes_per_second", (uint64_t)row->write_bytes);
    for (size_t i = 0; i < ARRAYSIZE(within); i++)
        json_known(within[i], (int64_t)row->within[i]);
    if (!view->name) {
        json_text("state", row->state);
        json_number("pending", row->pending);
        json_unsigned("reconnects", row->reconnects);
    }
    json_end_object();
}

static void print_json(const struct view *view)
{
    const SYSTEMTIME *now = &view->time;
    char time[32];

    snprintf(time, sizeof(time), "%04u-%02u-%02uT%02u:%02u:%02u", now->wYear, now->wMonth, now->wDay, now->wHour,
             now->wMinute, now->wSecond);
    json_begin_object(NULL);
    json_text("time", time);
    json_begin_array(view->name ? "requests" : "disks");
    for (size_t i = 0; i < view->count; i++)
        print_json_row(view, &view->rows[i]);
    json_end_array();
    json_end_object();
}

static void print_lines(const struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        printf("%02u:%02u:%02u  ", view->time.wHour, view->time.wMinute, view->time.wSecond);
        watch_print_row(stdout, view->name != NULL, &view->rows[i]);
        putchar('\n');
    }
}

/* The disk itself, of which the rows tell only the requests. */
static void print_title(const struct view *view)
{
    const struct watch_row *row = &view->rows[0];

    if (view->name)
        printf("%s: disk %d, %s, %lld pending, %llu reconnects", view->name, row->disk_number, row->state,
               (long long)row->pending, (unsigned long long)row->reconnects);
    else
        printf("%lu disks, %02u:%02u:%02u", (unsigned long)view->count, view->time.wHour, view->time.wMinute,
               view->time.wSecond);
    console_end_line();
}

static void print_screen(const struct view *view)
{
    size_t room = console_lines();

    console_home();
    print_title(view);
    watch_print_header(stdout, view->name != NULL);
    console_end_line();
    for (size_t i = 0; i < view->count && i + LINES_AROUND < room; i++) {
        watch_print_row(stdout, view->name != NULL, &view->rows[i]);
        console_end_line();
    }
    fputs(view->name ? "q quit" : watch_legend, stdout);
    console_end_line();
    console_clear_below();
}

static void print(const struct view *view)
{
    if (view->json)
        print_json(view);
    else if (view->screen)
        print_screen(view);
    else
        print_lines(view);
}

static void begin(struct view *view)
{
    view->screen = console_begin() && !view->json;
    if (!view->screen && !view->json) {
        printf("%-8s  ", "Time");
        watch_print_header(stdout, view->name != NULL);
        putchar('\n');
    }
}

/* ---- Watching ---- */

static void sort_and_print(struct view *view)
{
    if (!view->name)
        watch_sort(view->rows, view->count, view->order);
    print(view);
    fflush(stdout);
}

/* Until the next sample is due. True: it is over. */
static bool wait(struct view *view, DWORD period_ms)
{
    ULONGLONG end_ms = GetTickCount64() + period_ms;

    for (;;) {
        ULONGLONG now_ms = GetTickCount64();
        char key = console_wait(now_ms < end_ms ? (DWORD)(end_ms - now_ms) : 0);

        if (key == 0 || key == CONSOLE_ENDED)
            return key == CONSOLE_ENDED;
        if (watch_read_key(key, &view->order) && view->count != 0)
            sort_and_print(view);
    }
}

static void make_rows(struct view *view, const struct watch_sample *before, const struct watch_sample *after)
{
    view->count = (view->name ? watch_rows_of_kinds : watch_rows_of_disks)(before, after, view->rows);
    GetLocalTime(&view->time);
}

/* Whoever reads may go: then nothing is left to be done. */
static DWORD watch_on(struct view *view, DWORD period_ms, uint64_t tables)
{
    struct watch_sample samples[2] = {{0}};
    DWORD error = watch_take(&samples[0], view->name);

    for (uint64_t i = 0; error == ERROR_SUCCESS && i < tables && !wait(view, period_ms) && !ferror(stdout); i++) {
        struct watch_sample *before = &samples[i % 2];
        struct watch_sample *after = &samples[(i + 1) % 2];

        error = watch_take(after, view->name);
        if (error == ERROR_SUCCESS) {
            make_rows(view, before, after);
            sort_and_print(view);
        }
    }
    watch_free(&samples[0]);
    watch_free(&samples[1]);
    return error;
}

int watch(const struct arguments *arguments, const char *name, bool json)
{
    static struct view view;
    DWORD period_ms = (DWORD)argument_number(arguments, "watch", 1) * MS_PER_SECOND;
    DWORD error;

    view = (struct view){.name = name, .json = json, .order = WATCH_BY_NAME};
    begin(&view);
    error = watch_on(&view, period_ms, argument_number(arguments, "count", UINT64_MAX));
    console_end();
    if (error == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    return name ? report_failure(error, "cannot watch '%s'", name) : report_failure(error, "cannot watch the disks");
}
