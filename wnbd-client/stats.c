/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stats. Programs read this output, so its shape is fixed. */
#include "wnbd-client/commands.h"
#include "wnbd-client/json.h"
#include "wnbd-client/report.h"

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
    if (timestamp != 0)
        json_number(name, age_ms(timestamp));
    else
        json_null(name);
}

static void print_json(const char *name, const WNBD_DRV_STATS *stats)
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
    json_end_object();
}

int command_stats(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "instance-name", "");
    WNBD_DRV_STATS stats;
    bool json;
    int code = json_read_format(arguments, &json);
    DWORD error;

    if (code != ERROR_SUCCESS)
        return code;
    error = WnbdGetDriverStats(name, &stats);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot read the counters of '%s'", name);
    if (json)
        print_json(name, &stats);
    else
        print_stats(&stats);
    return ERROR_SUCCESS;
}
