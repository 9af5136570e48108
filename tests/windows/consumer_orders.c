/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test tells the program to do, a line each; each has a line of answer. */
#include "consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_stats(struct consumer *consumer)
{
    WNBD_USR_STATS stats;
    DWORD error = WnbdGetUserspaceStats(consumer->disk, &stats);

    say("stats %lu received %llu submitted %llu replies %llu unsubmitted %llu pending %llu pending-replies %llu "
        "invalid %llu rw %llu read-blocks %llu written-blocks %llu errors %llu %llu %llu %llu %llu %llu",
        error, (unsigned long long)stats.TotalReceivedRequests, (unsigned long long)stats.TotalSubmittedRequests,
        (unsigned long long)stats.TotalReceivedReplies, (unsigned long long)stats.UnsubmittedRequests,
        (unsigned long long)stats.PendingSubmittedRequests, (unsigned long long)stats.PendingReplies,
        (unsigned long long)stats.InvalidRequests, (unsigned long long)stats.TotalRWRequests,
        (unsigned long long)stats.TotalReadBlocks, (unsigned long long)stats.TotalWrittenBlocks,
        (unsigned long long)stats.ReadErrors, (unsigned long long)stats.WriteErrors,
        (unsigned long long)stats.FlushErrors, (unsigned long long)stats.UnmapErrors,
        (unsigned long long)stats.PersistResInErrors, (unsigned long long)stats.PersistResOutErrors);
}

/* Type and bucket of each count that is not 0. */
static void tell_row(const char *type, const UINT64 *row, char *text, size_t size)
{
    for (int i = 0; i < WNBD_LATENCY_BUCKETS; i++) {
        size_t used = strlen(text);

        if (row[i])
            snprintf(text + used, size - used, " %s:%d:%llu", type, i, (unsigned long long)row[i]);
    }
}

static void tell_latency(struct consumer *consumer)
{
    WNBD_LATENCY latency = {0};
    DWORD error = WnbdGetLatency(consumer->disk, &latency);
    char text[4096] = "";

    tell_row("read", latency.Read, text, sizeof(text));
    tell_row("write", latency.Write, text, sizeof(text));
    tell_row("flush", latency.Flush, text, sizeof(text));
    tell_row("unmap", latency.Unmap, text, sizeof(text));
    say("latency %lu%s", error, text);
}

static void resize(struct consumer *consumer, const char *blocks)
{
    DWORD error = WnbdSetDiskSize(consumer->disk, strtoull(blocks, NULL, 0));

    say("resized %lu %llu", error, (unsigned long long)consumer->disk->Properties.BlockCount);
}

/* An answer that no request waits for. */
static void answer_nothing(struct consumer *consumer, const char *handle)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = strtoull(handle, NULL, 16), .RequestType = WnbdReqTypeRead};

    say("answered %lu", WnbdSendResponse(consumer->disk, &response, NULL, 0));
}

static void stop(struct consumer *consumer, WNBD_REMOVE_OPTIONS *options)
{
    say("stopped %lu", WnbdStopDispatcher(consumer->disk, options));
}

/* FALSE: there is nothing to follow after that. */
static BOOL follow(struct consumer *consumer, const char *order, const char *value)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};
    WNBD_REMOVE_OPTIONS soft = {.SoftRemoveTimeoutMs = 1, .SoftRemoveRetryIntervalMs = 1};

    if (strcmp(order, "stop") == 0)
        stop(consumer, NULL);
    else if (strcmp(order, "stop-hard") == 0)
        stop(consumer, &hard);
    else if (strcmp(order, "remove") == 0)
        say("removed %lu", WnbdRemove(consumer->disk, NULL));
    else if (strcmp(order, "remove-softly") == 0)
        say("removed %lu", WnbdRemove(consumer->disk, &soft));
    else if (strcmp(order, "stats") == 0)
        tell_stats(consumer);
    else if (strcmp(order, "latency") == 0)
        tell_latency(consumer);
    else if (strcmp(order, "resize") == 0)
        resize(consumer, value);
    else if (strcmp(order, "answer") == 0)
        answer_nothing(consumer, value);
    else if (strcmp(order, "crash") == 0)
        TerminateProcess(GetCurrentProcess(), 77);
    else if (strcmp(order, "close") == 0)
        return FALSE;
    else
        say("what %s", order);
    return TRUE;
}

void orders_follow(struct consumer *consumer)
{
    char line[256];
    char order[32];
    char value[64];

    while (fgets(line, sizeof(line), stdin)) {
        value[0] = '\0';
        if (sscanf(line, "%31s %63s", order, value) >= 1 && !follow(consumer, order, value))
            return;
    }
    stop(consumer, NULL);
}
