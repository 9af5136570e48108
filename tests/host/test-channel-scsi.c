/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCSI commands beside READ and WRITE on a disk that a program serves: what it is asked, and what becomes of its
 * answer.
 */
#include "tests/host/hand.h"
#include "tests/host/pass.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK    512u
#define SEEN_MAX 32

#define RESERVATION_CONFLICT 0x18

/* What the program was asked, with the beginning of its data. */
static struct {
    WNBD_IO_REQUEST request;
    UINT32 length;
    UCHAR data[64];
} seen[SEEN_MAX];
static volatile LONG seen_count;

/* How it answers PERSISTENT RESERVE IN and OUT. */
static WNBD_ANSWER reservation;

static bool watches(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    UINT32 i = (UINT32)seen_count++;
    WnbdRequestType type = request->Request.RequestType;

    (void)program;
    assert_true(i < SEEN_MAX);
    seen[i].request = request->Request;
    seen[i].length = request->DataLength;
    if (type == WnbdReqTypePersistResOut || type == WnbdReqTypeUnmap) {
        memcpy(seen[i].data, data, request->DataLength < 64 ? request->DataLength : 64);
    }
    if (type == WnbdReqTypePersistResIn) {
        memset(data, 0xA5, request->DataLength);
    }
    if (type == WnbdReqTypePersistResIn || type == WnbdReqTypePersistResOut) {
        reservation.RequestHandle = answer->RequestHandle;
        *answer = reservation;
        return true;
    }
    return false;
}

static struct bed_file *start(struct program *program, WNBD_FLAGS flags)
{
    struct program_options options = {.threads = 1, .flags = flags, .does = watches};
    struct bed_file *disk = hand_start(program, &options);

    seen_count = 0;
    memset(&reservation, 0, sizeof(reservation));
    return disk;
}

static bool run(struct bed_file *disk, struct pass *pass, const UCHAR *cdb, UCHAR cdb_length, UCHAR direction,
                ULONG length)
{
    struct bed_io io;

    seen_count = 0;
    pass_begin(&io, disk, pass, cdb, cdb_length, direction, length);
    return pass_wait(&io, pass);
}

/* ---- Reservations ---- */

static bool reserve_in(struct bed_file *disk, struct pass *pass, ULONG length)
{
    UCHAR cdb[10] = {0x5E, 2};

    memset(pass->data, 0x11, sizeof(pass->data));
    store_be16(cdb + 7, (uint16_t)length);
    return run(disk, pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN, length);
}

static void reserve_in_takes_what_the_program_says(void **state)
{
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){.PersistResSupported = 1});
    struct pass pass = {0};

    (void)state;
    for (ULONG given = 0; given <= 48; given += 8) { /* too little, enough, and too much */
        reservation.DataLength = given;
        assert_true(reserve_in(disk, &pass, 32));
        assert_int_equal(seen_count, 1);
        assert_int_equal(seen[0].request.RequestType, WnbdReqTypePersistResIn);
        assert_int_equal(seen[0].request.Cmd.PersistResIn.ServiceAction, 2);
        assert_int_equal(seen[0].request.Cmd.PersistResIn.AllocationLength, 32);
        assert_int_equal(seen[0].length, 32);
        for (ULONG i = 0; i < 32; i++) {
            assert_int_equal(pass.data[i], i < given ? 0xA5 : 0);
        }
        assert_int_equal(pass.data[32], 0x11);
    }
    hand_stop(&program, disk);
}

static void reserve_out_reaches_the_program(void **state)
{
    static const UCHAR cdb[10] = {0x5F, 1, 0x05, [8] = 24}; /* RESERVE, LU_SCOPE, type 5 */
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){.PersistResSupported = 1});
    struct pass pass = {0};

    (void)state;
    wnbd_pattern(pass.data, 16, 3);
    assert_true(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 24));
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].request.RequestType, WnbdReqTypePersistResOut);
    assert_int_equal(seen[0].request.Cmd.PersistResOut.ServiceAction, 1);
    assert_int_equal(seen[0].request.Cmd.PersistResOut.Scope, 0);
    assert_int_equal(seen[0].request.Cmd.PersistResOut.Type, 5);
    assert_int_equal(seen[0].request.Cmd.PersistResOut.ParameterListLength, 24);
    assert_int_equal(seen[0].length, 24);
    assert_memory_equal(seen[0].data, pass.data, 24);
    hand_stop(&program, disk);
}

/* Any status that the program gives arrives; sense with CHECK CONDITION alone. */
static void status_arrives_as_it_is(void **state)
{
    static const UCHAR cdb[10] = {0x5F, 1, 0x05, [8] = 24};
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){.PersistResSupported = 1});
    struct pass pass = {0};

    (void)state;
    reservation.ScsiStatus = RESERVATION_CONFLICT;
    assert_false(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 24));
    assert_int_equal(pass.header.ScsiStatus, RESERVATION_CONFLICT);
    assert_false(reserve_in(disk, &pass, 32));
    assert_int_equal(pass.header.ScsiStatus, RESERVATION_CONFLICT);
    reservation.ScsiStatus = 2;
    reservation.SenseKey = 5;
    reservation.ASC = 0x26;
    assert_false(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 24));
    assert_true(pass_has_sense(&pass, 5));
    assert_int_equal(pass.sense[12], 0x26);
    hand_stop(&program, disk);
}

static void reservations_are_refused_where_there_are_none(void **state)
{
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){0});
    struct pass pass = {0};

    (void)state;
    assert_false(reserve_in(disk, &pass, 32));
    assert_true(pass_has_sense(&pass, 5));
    assert_int_equal(seen_count, 0);
    hand_stop(&program, disk);
}

/* ---- UNMAP ---- */

static void unmap_list_is_split(void **state)
{
    enum { COUNT = 5 };
    static const ULONG ranges[COUNT][2] = {{8, 8}, {100, 1}, {64, 0}, {200, 1000}, {4, 4}};
    static const UCHAR cdb[10] = {0x42, [8] = 8 + 16 * COUNT};
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){.UnmapSupported = 1});
    struct pass pass = {0};
    LONG asked = 0;

    (void)state;
    memset(program.bytes, 0xFF, 1 << 20);
    store_be16(pass.data, 6 + 16 * COUNT);
    store_be16(pass.data + 2, 16 * COUNT);
    for (ULONG i = 0; i < COUNT; i++) {
        store_be64(pass.data + 8 + 16 * i, ranges[i][0]);
        store_be32(pass.data + 16 + 16 * i, ranges[i][1]);
    }
    assert_true(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 8 + 16 * COUNT));
    for (ULONG i = 0; i < COUNT; i++) {
        WNBD_UNMAP_DESCRIPTOR descriptor;

        if (ranges[i][1] == 0) {
            continue;
        }
        memcpy(&descriptor, seen[asked].data, sizeof(descriptor));
        assert_int_equal(seen[asked].request.RequestType, WnbdReqTypeUnmap);
        assert_int_equal(seen[asked].request.Cmd.Unmap.Count, 1);
        assert_int_equal(seen[asked].length, sizeof(descriptor));
        assert_int_equal(descriptor.BlockAddress, ranges[i][0]);
        assert_int_equal(descriptor.BlockCount, ranges[i][1]);
        asked++;
    }
    assert_int_equal(seen_count, asked);
    hand_stop(&program, disk);
}

/* ---- FUA, VERIFY ---- */

static void fua_is_asked_for_or_made_of_a_flush(void **state)
{
    struct pass pass = {0};

    (void)state;
    for (unsigned fua = 0; fua < 2; fua++) {
        struct program program;
        struct bed_file *disk = start(&program, (WNBD_FLAGS){.FlushSupported = 1, .FUASupported = fua & 1});

        seen_count = 0;
        assert_true(pass_write_through(disk, &pass, 9, BLOCK));
        assert_int_equal(seen[0].request.RequestType, WnbdReqTypeWrite);
        assert_int_equal(seen[0].request.Cmd.Write.BlockAddress, 9);
        assert_int_equal(seen[0].request.Cmd.Write.ForceUnitAccess, fua);
        assert_int_equal(seen_count, fua ? 1 : 2);
        assert_true(fua || seen[1].request.RequestType == WnbdReqTypeFlush);
        hand_stop(&program, disk);
    }
}

static void verify_compares(void **state)
{
    static const UCHAR cdb[10] = {0x2F, 0x02, 0, 0, 0, 100, 0, 0, 8}; /* BYTCHK 01 */
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){0});
    struct pass pass = {0};

    (void)state;
    wnbd_pattern(pass.data, 8 * BLOCK, 2);
    memcpy(program.bytes + 100 * BLOCK, pass.data, 8 * BLOCK);
    assert_true(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 8 * BLOCK));
    assert_true(seen_count >= 1);
    assert_int_equal(seen[0].request.RequestType, WnbdReqTypeRead);
    program.bytes[107 * BLOCK + 5] ^= 1;
    assert_false(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 8 * BLOCK));
    assert_true(pass_has_sense(&pass, 0x0E));
    assert_int_equal(pass.sense[12], 0x1D);
    hand_stop(&program, disk);
}

static bool writes_badly(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    watches(program, request, data, answer);
    if (request->Request.RequestType == WnbdReqTypeWrite) {
        data[3] ^= 0x10;
    }
    return false;
}

static void write_and_verify_reads_back(void **state)
{
    static const UCHAR cdb[10] = {0x2E, 0x02, 0, 0, 0, 50, 0, 0, 8};
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){.FlushSupported = 1});
    struct pass pass = {0};

    (void)state;
    wnbd_pattern(pass.data, 8 * BLOCK, 6);
    assert_true(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 8 * BLOCK));
    assert_memory_equal(program.bytes + 50 * BLOCK, pass.data, 8 * BLOCK);
    assert_int_equal(seen[0].request.RequestType, WnbdReqTypeWrite);
    assert_int_equal(seen[seen_count - 1].request.RequestType, WnbdReqTypeRead);
    program.options.does = writes_badly;
    assert_false(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, 8 * BLOCK));
    assert_true(pass_has_sense(&pass, 0x0E));
    hand_stop(&program, disk);
}

/* ---- WRITE SAME ---- */

static void write_same_is_writes(void **state)
{
    enum { LBA = 30, BLOCKS = 70 };
    static const UCHAR cdb[10] = {0x41, 0, 0, 0, 0, LBA, 0, 0, BLOCKS};
    struct program program;
    struct bed_file *disk = start(&program, (WNBD_FLAGS){.FlushSupported = 1});
    struct pass pass = {0};

    (void)state;
    memset(program.bytes, 0x5A, 1 << 20);
    wnbd_pattern(pass.data, BLOCK, 8);
    assert_true(run(disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, BLOCK));
    for (LONG i = 0; i < seen_count; i++) {
        assert_int_equal(seen[i].request.RequestType, WnbdReqTypeWrite);
    }
    for (ULONG i = 0; i < BLOCKS; i++) {
        assert_memory_equal(program.bytes + (size_t)(LBA + i) * BLOCK, pass.data, BLOCK);
    }
    assert_int_equal(program.bytes[LBA * BLOCK - 1], 0x5A);
    assert_int_equal(program.bytes[(LBA + BLOCKS) * BLOCK], 0x5A);
    hand_stop(&program, disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve_in_takes_what_the_program_says),
        cmocka_unit_test(reserve_out_reaches_the_program),
        cmocka_unit_test(status_arrives_as_it_is),
        cmocka_unit_test(reservations_are_refused_where_there_are_none),
        cmocka_unit_test(unmap_list_is_split),
        cmocka_unit_test(fua_is_asked_for_or_made_of_a_flush),
        cmocka_unit_test(verify_compares),
        cmocka_unit_test(write_and_verify_reads_back),
        cmocka_unit_test(write_same_is_writes),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
