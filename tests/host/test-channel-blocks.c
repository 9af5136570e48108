/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logical and physical blocks of a disk that a program serves: what is refused, and what the disk says of the rest. */
#include "tests/host/hand.h"
#include "tests/host/pass.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define CAPACITY_LENGTH 32
#define LIMITS_LENGTH   64

struct blocks {
    UINT32 block_size;
    UINT32 asked; /* PhysicalBlockSize */
    UINT32 told;
    UCHAR exponent;
    USHORT granularity; /* in blocks; 0: not reported, as for a physical block of one */
};

static struct program_options options_of(UINT32 block_size, UINT32 physical_block_size)
{
    return (struct program_options){.threads = 1,
                                    .flags = {.LargeBlocksAllowed = 1},
                                    .block_size = block_size,
                                    .physical_block_size = physical_block_size};
}

static void ask(struct bed_file *disk, struct pass *pass, const UCHAR *cdb, UCHAR cdb_length, ULONG length)
{
    struct bed_io io;

    pass_begin(&io, disk, pass, cdb, cdb_length, SCSI_IOCTL_DATA_IN, length);
    assert_true(pass_wait(&io, pass));
    assert_int_equal(pass->header.DataTransferLength, length);
}

/* SBC-3, "READ CAPACITY (16) command": blocks to a physical one as an exponent, and the first aligned block. */
static void assert_capacity(struct bed_file *disk, const struct blocks *blocks)
{
    static const UCHAR cdb[16] = {0x9E, 0x10, [13] = CAPACITY_LENGTH};
    struct pass pass = {0};

    ask(disk, &pass, cdb, sizeof(cdb), CAPACITY_LENGTH);
    assert_int_equal(load_be64(pass.data), PROGRAM_BYTES / blocks->block_size - 1);
    assert_int_equal(load_be32(pass.data + 8), blocks->block_size);
    assert_int_equal(pass.data[13], blocks->exponent);
    assert_int_equal(load_be16(pass.data + 14), 0);
}

/* SBC-3, 6.6.3: the optimal granularity of transfers. */
static void assert_limits(struct bed_file *disk, const struct blocks *blocks)
{
    static const UCHAR cdb[6] = {0x12, 0x01, 0xB0, 0, LIMITS_LENGTH};
    struct pass pass = {0};

    ask(disk, &pass, cdb, sizeof(cdb), LIMITS_LENGTH);
    assert_int_equal(load_be16(pass.data + 6), blocks->granularity);
}

static void assert_blocks(const struct blocks *blocks)
{
    struct program_options options = options_of(blocks->block_size, blocks->asked);
    WNBD_CONNECTION_INFO info;
    struct bed_file *disk = NULL;
    struct program program;

    program_start(&program, &options);
    assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
    assert_int_equal(info.Properties.PhysicalBlockSize, blocks->told);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    assert_capacity(disk, blocks);
    assert_limits(disk, blocks);
    bed_close(disk);
    program_stop(&program);
}

static void physical_blocks_as_asked_for(void **state)
{
    static const struct blocks kinds[] = {
        {512, 0, 512, 0, 0},   {512, 512, 512, 0, 0},    {512, 4096, 4096, 3, 8},  {512, 65536, 65536, 7, 128},
        {4096, 0, 4096, 0, 0}, {4096, 4096, 4096, 0, 0}, {4096, 8192, 8192, 1, 2}, {4096, 65536, 65536, 4, 16},
    };

    (void)state;
    fixture_start_machine();
    for (unsigned i = 0; i < ARRAYSIZE(kinds); i++) {
        assert_blocks(&kinds[i]);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void physical_blocks_that_are_refused(void **state)
{
    static const UINT32 kinds[][2] = {
        {512, 1},      {512, 256},         {512, 513},  {512, 4096 + 512},
        {512, 131072}, {512, 0x80000000u}, {4096, 512}, {4096, 2048},
    };

    (void)state;
    fixture_start_machine();
    for (unsigned i = 0; i < ARRAYSIZE(kinds); i++) {
        struct program_options options = options_of(kinds[i][0], kinds[i][1]);
        struct program program;

        assert_int_equal(program_create(&program, &options), STATUS_INVALID_PARAMETER);
        program_free(&program);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(physical_blocks_as_asked_for),
        cmocka_unit_test(physical_blocks_that_are_refused),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
