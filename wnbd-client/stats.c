/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stats. Programs read this output, so its shape is fixed. */
#include "wnbd-client/commands.h"
#include "wnbd-client/json.h"
#include "wnbd-client/latency.h"
#include "wnbd-client/report.h"
#include "wnbd-client/traffic.h"
#include "wnbd-client/watch.h"

#include <stdio.h>

#define INTERRUPT_TIME_PER_MS 10000

static void print_count(const char *name, INT64 value)
{
    printf("%-30s : %lld\n", name, value);
}

/* Time stamps are interrupt time, of which GetTickCount64 is the same in milliseconds. */
static INT64 age_ms(UINT64 timestamp)
{
    ULONGLONG then_ms = timestamp / INTERRUPT_TIME_PER_MS;
    ULONGLONG now_ms = GetTickCount64();

    return now_ms > then_ms ? (INT64)(now_ms - then_ms) : 0;
}

static void print_age(const char *name, UINT64 timestamp)
{
    print_count(name, age_ms(timestamp));
}

static void print_stats(const WNBD_DRV_STATS *stats)
{
    printf("Disk stats\n");
    print_count("TotalReceivedIORequests", stats->TotalReceivedIORequests);
    print_count("TotalSubmittedIORequests", stats->TotalSubmittedIORequests);
    print_count("TotalReceivedIOReplies", stats->TotalReceivedIOReplies);
    print_count("UnsubmittedIORequests", stats->UnsubmittedIORequests);
    print_count("PendingSubmittedIORequests", stats->PendingSubmittedIORequests);
    print_count("AbortedSubmittedIORequests", stats->AbortedSubmittedIORequests);
    print_count("AbortedUnsubmittedIORequests", stats->AbortedUnsubmittedIORequests);
    print_count("CompletedAbortedIORequests", stats->CompletedAbortedIORequests);
    print_count("OutstandingIOCount", stats->OutstandingIOCount);
    print_age("TimeSinceLastReceivedReqMs", stats->LastReceivedReqTimestamp);
    print_age("TimeSinceLastSubmittedReqMs", stats->LastSubmittedReqTimestamp);
    print_age("TimeSinceLastReplyMs", stats->LastReplyTimestamp);
    printf("\n");
}

static void print_json_age(const char *name, UINT64 timestamp)
{
    json_known(name, timestamp != 0 ? age_ms(timestamp) : -1);
}

static void print_json(const char *name, const WNBD_DRV_STATS *stats, const WNBD_IOCTL_STATS_OUTPUT *all)
{
    json_begin_object(NULL);
    json_text("name", name);
    json_number("received", stats->TotalReceivedIORequests);
    json_number("submitted", stats->TotalSubmittedIORequests);
    json_number("replied", stats->TotalReceivedIOReplies);
    json_number("unsubmitted", stats->UnsubmittedIORequests);
    json_number("pending", stats->PendingSubmittedIORequests);
    json_number("aborted_submitted", stats->AbortedSubmittedIORequests);
    json_number("aborted_unsubmitted", stats->AbortedUnsubmittedIORequests);
    json_number("late_replies", stats->CompletedAbortedIORequests);
    json_number("outstanding", stats->OutstandingIOCount);
    print_json_age("since_received_ms", stats->LastReceivedReqTimestamp);
    print_json_age("since_submitted_ms", stats->LastSubmittedReqTimestamp);
    print_json_age("since_replied_ms", stats->LastReplyTimestamp);
    traffic_print_json(all);
    json_end_object();
}

/* ---- What was transferred: a block of its own, for programs that know the one above ---- */

static void print_of_kind(const char *kind, const char *what, INT64 value)
{
    char name[64];

    snprintf(name, sizeof(name), "%s%s", kind, what);
    print_count(name, value);
}

static void print_kind(const char *word, const struct traffic *traffic)
{
    print_of_kind(word, "Requests", (INT64)traffic->counts.Answered);
    print_of_kind(word, "Errors", (INT64)traffic->counts.Failed);
    print_of_kind(word, "Bytes", (INT64)traffic->counts.Bytes);
    if (traffic->counts.Answered == 0)
        return;
    print_of_kind(word, "HalfWithinUs", (INT64)latency_within(traffic->latency, 0.5));
    print_of_kind(word, "99PercentWithinUs", (INT64)latency_within(traffic->latency, 0.99));
}

static void print_traffic(const WNBD_IOCTL_STATS_OUTPUT *stats)
{
    printf("Traffic\n");
    for (enum traffic_kind kind = 0; kind < TRAFFIC_KINDS; kind++) {
        struct traffic traffic = traffic_between(NULL, stats, kind);

        print_kind(traffic_word(kind), &traffic);
    }
    printf("\n");
}

static int stats_once(const char *name, bool json)
{
    WNBD_IOCTL_STATS_OUTPUT all;
    DWORD error = WnbdGetDiskStats(name, &all);
    bool has_all = error == ERROR_SUCCESS;

    if (error == ERROR_INVALID_DATA) /* an older driver */
        error = WnbdGetDriverStats(name, &all.Stats);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot read the counters of '%s'", name);
    if (json) {
        print_json(name, &all.Stats, has_all ? &all : NULL);
        return ERROR_SUCCESS;
    }
    print_stats(&all.Stats);
    if (has_all)
        print_traffic(&all);
    return ERROR_SUCCESS;
}

int command_stats(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "instance-name", "");
    bool is_watching = false;
    bool json;
    int code = json_read_format(arguments, &json);

    if (code == ERROR_SUCCESS)
        code = watch_is_wanted(arguments, &is_watching);
    if (code != ERROR_SUCCESS)
        return code;
    return is_watching ? watch(arguments, name, json) : stats_once(name, json);
}
