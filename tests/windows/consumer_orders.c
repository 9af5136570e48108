/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test tells the program to do, a line each; each has a line of answer. */
#include "consumer.h"

#include "arguments.h"
#include "faults.h"

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

/* hard, or soft and not for long: with or without the hard way after it, or asking only once; else by default. */
static PWNBD_REMOVE_OPTIONS removal(const char *how, PWNBD_REMOVE_OPTIONS options)
{
    memset(options, 0, sizeof(*options));
    options->Flags.HardRemove = strcmp(how, "hard") == 0;
    options->Flags.HardRemoveFallback = strcmp(how, "fallback") == 0;
    options->SoftRemoveTimeoutMs = strcmp(how, "forever") == 0 ? 0 : 1;
    options->SoftRemoveRetryIntervalMs = options->SoftRemoveTimeoutMs;
    return how[0] == '\0' ? NULL : options;
}

static void stop(struct consumer *consumer, const char *how)
{
    WNBD_REMOVE_OPTIONS options;

    say("stopped %lu", WnbdStopDispatcher(consumer->disk, removal(how, &options)));
}

static void remove_disk(struct consumer *consumer, const char *how)
{
    WNBD_REMOVE_OPTIONS options;

    say("removed %lu", WnbdRemove(consumer->disk, removal(how, &options)));
}

/* What the program asks of its disk itself, in a way that must fail. */
static void misuse(struct consumer *consumer)
{
    say("misused %lu %lu %lu", WnbdStartDispatcher(consumer->disk, 0), WnbdStartDispatcher(consumer->disk, 256),
        WnbdStartDispatcher(consumer->disk, 1));
}

static void change_manner(struct consumer *consumer, char *words)
{
    uint32_t answer_threads = consumer->manner.answer_threads;
    struct arguments arguments;

    arguments_split(&arguments, words);
    manner_take(&arguments, &consumer->manner);
    consumer->manner.answer_threads = answer_threads;
    arguments_check_all_used(&arguments);
    say("manner");
}

static void let_fail(char *words)
{
    struct arguments arguments;

    arguments_split(&arguments, words);
    say("fails %lu", fault_let_fail(&arguments));
    arguments_check_all_used(&arguments);
}

static void heal(void)
{
    say("healed %lu", fault_heal(NULL));
}

/* FALSE: there is nothing to follow after that. `value` may be changed. */
static BOOL follow(struct consumer *consumer, const char *order, char *value)
{
    if (strcmp(order, "stop") == 0)
        stop(consumer, value);
    else if (strcmp(order, "remove") == 0)
        remove_disk(consumer, value);
    else if (strcmp(order, "stats") == 0)
        tell_stats(consumer);
    else if (strcmp(order, "latency") == 0)
        tell_latency(consumer);
    else if (strcmp(order, "resize") == 0)
        resize(consumer, value);
    else if (strcmp(order, "answer") == 0)
        answer_nothing(consumer, value);
    else if (strcmp(order, "manner") == 0)
        change_manner(consumer, value);
    else if (strcmp(order, "let-fail") == 0)
        let_fail(value);
    else if (strcmp(order, "heal") == 0)
        heal();
    else if (strcmp(order, "misuse") == 0)
        misuse(consumer);
    else if (strcmp(order, "kill-thread") == 0)
        threads_kill_worker(consumer, strtoul(value, NULL, 0));
    else if (strcmp(order, "kill-keeper") == 0)
        threads_kill_keeper(consumer);
    else if (strcmp(order, "misuse-singly") == 0)
        misuse_singly(consumer);
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

    while (fgets(line, sizeof(line), stdin)) {
        char *value = line + strcspn(line, " \r\n");

        if (*value != '\0')
            *value++ = '\0';
        value[strcspn(value, "\r\n")] = '\0';
        if (line[0] != '\0' && !follow(consumer, line, value))
            return;
    }
    stop(consumer, "");
}
