/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/usr_stats.h"

void usr_stats_received(PWNBD_USR_STATS stats, enum requests_put_result put)
{
    stats->TotalReceivedRequests++;
    stats->UnsubmittedRequests++;
    switch (put) {
    case REQUESTS_PUT:
    case REQUESTS_PUT_OVER_CLAIMED: /* who claimed it will count */
    case REQUESTS_BAD_HANDLE:
        break;
    case REQUESTS_PUT_OVER_QUEUED:
        stats->UnsubmittedRequests--;
        break;
    case REQUESTS_PUT_OVER_GIVEN:
        stats->PendingSubmittedRequests--;
        break;
    case REQUESTS_PUT_OVER_ANSWERED:
        stats->PendingReplies--;
        break;
    }
}

void usr_stats_submitted(PWNBD_USR_STATS stats, const WNBD_IO_REQUEST *request)
{
    stats->TotalSubmittedRequests++;
    stats->PendingSubmittedRequests++;
    if (request->RequestType == WnbdReqTypeRead) {
        stats->TotalRWRequests++;
        stats->TotalReadBlocks += request->Cmd.Read.BlockCount;
    } else if (request->RequestType == WnbdReqTypeWrite) {
        stats->TotalRWRequests++;
        stats->TotalWrittenBlocks += request->Cmd.Write.BlockCount;
    }
}

void usr_stats_returned(PWNBD_USR_STATS stats)
{
    stats->UnsubmittedRequests--;
}

static void count_error(PWNBD_USR_STATS stats, WnbdRequestType type)
{
    switch (type) {
    case WnbdReqTypeRead:
        stats->ReadErrors++;
        break;
    case WnbdReqTypeWrite:
        stats->WriteErrors++;
        break;
    case WnbdReqTypeFlush:
        stats->FlushErrors++;
        break;
    case WnbdReqTypeUnmap:
        stats->UnmapErrors++;
        break;
    case WnbdReqTypePersistResIn:
        stats->PersistResInErrors++;
        break;
    case WnbdReqTypePersistResOut:
        stats->PersistResOutErrors++;
        break;
    case WnbdReqTypeUnknown:
    case WnbdReqTypeDisconnect:
        break;
    }
}

void usr_stats_reply(PWNBD_USR_STATS stats, const WNBD_IO_RESPONSE *response, BOOL found)
{
    stats->TotalReceivedReplies++;
    if (found) {
        stats->PendingSubmittedRequests--;
        stats->PendingReplies++;
    }
    if (response->Status.ScsiStatus != 0)
        count_error(stats, response->RequestType);
}

void usr_stats_passed_on(PWNBD_USR_STATS stats, UINT32 count)
{
    stats->PendingReplies -= count;
}

void usr_stats_gone(PWNBD_USR_STATS stats, const struct requests *requests)
{
    stats->UnsubmittedRequests -= requests->queued.count;
    stats->PendingReplies -= requests->answered.count;
}
