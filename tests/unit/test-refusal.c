/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libwnbd/refusal.c and libwnbd/usr_stats.c */
#include "guard.h"
#include "libwnbd/refusal.h"
#include "libwnbd/usr_stats.h"

static VOID read_blocks(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 address, UINT32 count, BOOLEAN fua)
{
    (void)disk, (void)handle, (void)buffer, (void)address, (void)count, (void)fua;
}

static VOID flush(PWNBD_DISK disk, UINT64 handle, UINT64 address, UINT32 count)
{
    (void)disk, (void)handle, (void)address, (void)count;
}

static VOID unmap(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR descriptors, UINT32 count)
{
    (void)disk, (void)handle, (void)descriptors, (void)count;
}

static VOID reserve_in(PWNBD_DISK disk, UINT64 handle, UINT8 action)
{
    (void)disk, (void)handle, (void)action;
}

static VOID reserve_out(PWNBD_DISK disk, UINT64 handle, UINT8 action, UINT8 scope, UINT8 type, PVOID buffer,
                        UINT32 length)
{
    (void)disk, (void)handle, (void)action, (void)scope, (void)type, (void)buffer, (void)length;
}

static const WNBD_INTERFACE all = {.Read = read_blocks,
                                   .Write = read_blocks,
                                   .Flush = flush,
                                   .Unmap = unmap,
                                   .PersistResIn = reserve_in,
                                   .PersistResOut = reserve_out};
static const WNBD_INTERFACE none;

/* 0: not refused. */
static UINT8 asc_of(const WNBD_DISK *disk, const WNBD_ARENA_REQUEST *request)
{
    WNBD_STATUS status = {0};

    if (!refusal_of(disk, request, &status))
        return 0;
    assert_int_equal(status.ScsiStatus, 2);
    assert_int_equal(status.SenseKey, 5);
    assert_int_equal(status.InformationValid, 0);
    return status.ASC;
}

static UINT8 asc_of_type(const WNBD_DISK *disk, WnbdRequestType type)
{
    WNBD_ARENA_REQUEST request = {.Request.RequestType = type, .DataLength = 64};

    return asc_of(disk, &request);
}

static const WNBD_FLAGS everything = {
    .FlushSupported = 1, .UnmapSupported = 1, .UnmapAnchorSupported = 1, .PersistResSupported = 1};

static void what_is_offered_is_not_refused(void **state)
{
    WNBD_DISK disk = {.Interface = &all, .Properties.Flags = everything};

    (void)state;
    assert_int_equal(asc_of_type(&disk, WnbdReqTypeRead), 0);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypeWrite), 0);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypeFlush), 0);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypeUnmap), 0);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypePersistResIn), 0);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypePersistResOut), 0);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypeUnknown), 0x20);
    assert_int_equal(asc_of_type(&disk, WnbdReqTypeDisconnect), 0x20);
    assert_int_equal(asc_of_type(&disk, (WnbdRequestType)77), 0x20);
}

static void what_is_not_offered_is_refused(void **state)
{
    WNBD_DISK without_callbacks = {.Interface = &none, .Properties.Flags = everything};
    WNBD_DISK without_flags = {.Interface = &all};

    (void)state;
    for (WnbdRequestType type = WnbdReqTypeUnknown; type <= WnbdReqTypePersistResOut; type++)
        assert_int_equal(asc_of_type(&without_callbacks, type), 0x20);
    assert_int_equal(asc_of_type(&without_flags, WnbdReqTypeRead), 0);
    assert_int_equal(asc_of_type(&without_flags, WnbdReqTypeWrite), 0);
    for (WnbdRequestType type = WnbdReqTypeFlush; type <= WnbdReqTypePersistResOut; type++)
        assert_int_equal(asc_of_type(&without_flags, type), 0x20);
}

static UINT8 asc_of_unmap(const WNBD_DISK *disk, UINT32 count, UINT32 anchor, UINT32 length)
{
    WNBD_ARENA_REQUEST request = {.Request = {.RequestType = WnbdReqTypeUnmap}, .DataLength = length};

    request.Request.Cmd.Unmap.Count = count;
    request.Request.Cmd.Unmap.Anchor = anchor & 1;
    return asc_of(disk, &request);
}

static void unmap_is_bounded(void **state)
{
    WNBD_DISK disk = {.Interface = &all, .Properties.Flags = everything};

    (void)state;
    assert_int_equal(asc_of_unmap(&disk, 1, 0, 16), 0);
    assert_int_equal(asc_of_unmap(&disk, 2, 0, 32), 0x26); /* 0 is 1 */
    disk.Properties.MaxUnmapDescCount = 4;
    assert_int_equal(asc_of_unmap(&disk, 4, 1, 64), 0);
    assert_int_equal(asc_of_unmap(&disk, 5, 0, 80), 0x26);
    assert_int_equal(asc_of_unmap(&disk, 4, 0, 63), 0x26);
    disk.Properties.Flags.UnmapAnchorSupported = 0;
    assert_int_equal(asc_of_unmap(&disk, 1, 1, 16), 0x24);
}

static void counters_of_one_life(void **state)
{
    WNBD_IO_REQUEST write = {.RequestType = WnbdReqTypeWrite, .Cmd.Write.BlockCount = 8};
    WNBD_IO_RESPONSE failed = {.RequestType = WnbdReqTypeWrite, .Status.ScsiStatus = 2};
    WNBD_USR_STATS stats = {0};
    WNBD_USR_STATS expected = {.TotalReceivedRequests = 1,
                               .TotalSubmittedRequests = 1,
                               .TotalReceivedReplies = 1,
                               .WriteErrors = 1,
                               .TotalRWRequests = 1,
                               .TotalWrittenBlocks = 8};

    (void)state;
    usr_stats_received(&stats, REQUESTS_PUT);
    assert_int_equal(stats.UnsubmittedRequests, 1);
    usr_stats_submitted(&stats, &write);
    assert_int_equal(stats.PendingSubmittedRequests, 1);
    usr_stats_reply(&stats, &failed, TRUE);
    assert_int_equal(stats.PendingSubmittedRequests, 0);
    assert_int_equal(stats.PendingReplies, 1);
    usr_stats_returned(&stats);
    usr_stats_passed_on(&stats, 1);
    assert_memory_equal(&stats, &expected, sizeof(stats));
}

static void an_answer_to_nothing_leaves_nothing_pending(void **state)
{
    WNBD_IO_RESPONSE response = {.RequestType = WnbdReqTypeRead};
    WNBD_USR_STATS stats = {0};

    (void)state;
    usr_stats_reply(&stats, &response, FALSE);
    assert_int_equal(stats.TotalReceivedReplies, 1);
    assert_int_equal(stats.PendingSubmittedRequests, 0);
    assert_int_equal(stats.PendingReplies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_offered_is_not_refused),
        cmocka_unit_test(what_is_not_offered_is_refused),
        cmocka_unit_test(unmap_is_bounded),
        cmocka_unit_test(counters_of_one_life),
        cmocka_unit_test(an_answer_to_nothing_leaves_nothing_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
