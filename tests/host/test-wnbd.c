/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wnbd.sys lives on the simulated kernel: map, write, read back, unmap, unload with nothing left. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include "core/base/bytes.h"

#include "bed/host/registry.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void nothing_mapped(void **state)
{
    (void)state;
    fixture_start_usual();
    fixture_stop();
}

static void round_trip(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    fixture_write_and_read_back(disk, 0, 512);
    fixture_write_and_read_back(disk, 4096, 64 << 10);
    fixture_write_and_read_back(disk, 1 << 20, 5 << 20);
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    fixture_unmap(disk);
    fixture_stop();
}

static void unload_with_disk_mapped(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    fixture_write_and_read_back(disk, 8192, 4096);
    bed_close(disk);
    fixture_stop();
}

static void backwards_replies(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .backwards = true};
    enum { COUNT = 16, LENGTH = 64 << 10 };
    static UCHAR data[COUNT * LENGTH];
    static UCHAR wanted[COUNT * LENGTH];
    struct bed_io io[COUNT];
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    wnbd_pattern(wanted, sizeof(wanted), 5);
    server_write(server, 0, wanted, sizeof(wanted));
    disk = fixture_map();
    for (ULONG i = 0; i < COUNT; i++) {
        bed_transfer_begin(&io[i], disk, false, i * LENGTH, data + i * LENGTH, LENGTH);
    }
    for (ULONG i = 0; i < COUNT; i++) {
        assert_int_equal(bed_io_wait(&io[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
    assert_memory_equal(data, wanted, sizeof(wanted));
    bed_close(disk);
    fixture_stop();
}

static void lost_connection(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .drop_at = 5};
    static UCHAR block[64 << 10];
    struct bed_file *disk;
    NTSTATUS status = STATUS_SUCCESS;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 5000);
    fixture_start(&options);
    disk = fixture_map();
    for (ULONG i = 0; i < 8 && NT_SUCCESS(status); i++) {
        status = bed_write(disk, i * sizeof(block), block, sizeof(block));
    }
    assert_false(NT_SUCCESS(status));
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

/* Each connection breaks in the middle of the payload; the request goes on to the next one until the disk is removed.
 */
static void cut_payload(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .cut_payload = true};
    static UCHAR block[256 << 10];
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    bed_transfer_begin(&io, disk, false, 0, block, sizeof(block));
    assert_int_equal(bed_io_wait(&io, 2000, NULL), STATUS_TIMEOUT);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    assert_false(NT_SUCCESS(bed_io_wait(&io, MAXULONG, NULL)));
    bed_close(disk);
    fixture_stop();
}

static void nobody_listens(void **state)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;

    (void)state;
    fixture_start_usual();
    wnbd_describe(&command, "vol1", 1);
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_CONNECTION_REFUSED);
    assert_string_equal(output.Message, "the server 127.0.0.1 port 1 refused the connection");
    fixture_stop();
}

/* A create command that is refused before anybody is asked. */
static void refused(void (*spoil)(WNBD_PROPERTIES *properties), NTSTATUS status)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;

    wnbd_describe(&command, "vol1", server_port(server));
    spoil(&command.Properties);
    assert_int_equal(wnbd_map(adapter, &command, &output), status);
    assert_true(strlen(output.Message) > 10);
    assert_int_equal(server_connections(server), 0);
}

static void no_name(WNBD_PROPERTIES *properties)
{
    properties->InstanceName[0] = '\0';
}

static void no_host(WNBD_PROPERTIES *properties)
{
    properties->NbdProperties.Hostname[0] = '\0';
}

static void port_0(WNBD_PROPERTIES *properties)
{
    properties->NbdProperties.PortNumber = 0;
}

static void port_65536(WNBD_PROPERTIES *properties)
{
    properties->NbdProperties.PortNumber = 65536;
}

static void block_size_1000(WNBD_PROPERTIES *properties)
{
    properties->BlockSize = 1000;
}

static void physical_block_size_of_no_power(WNBD_PROPERTIES *properties)
{
    properties->PhysicalBlockSize = 4096 + 512;
}

static void physical_block_size_below_the_block_size(WNBD_PROPERTIES *properties)
{
    properties->BlockSize = 4096;
    properties->PhysicalBlockSize = 2048;
}

static void physical_block_size_of_131072(WNBD_PROPERTIES *properties)
{
    properties->PhysicalBlockSize = 2 * WNBD_MAX_PHYSICAL_BLOCK_SIZE;
}

static void no_blocks(WNBD_PROPERTIES *properties)
{
    properties->NbdProperties.Flags.SkipNegotiation = 1;
}

static void too_many_blocks(WNBD_PROPERTIES *properties)
{
    properties->NbdProperties.Flags.SkipNegotiation = 1;
    properties->BlockCount = 1ull << 60;
}

static void one_block_too_many(WNBD_PROPERTIES *properties)
{
    properties->NbdProperties.Flags.SkipNegotiation = 1;
    properties->BlockSize = 512;
    properties->BlockCount = 1ull << 54;
}

/* Programs made for other implementations count on its being refused. */
static void served_by_a_program(WNBD_PROPERTIES *properties)
{
    properties->Flags.UseKernelNbd = 0;
    properties->BlockSize = 512;
    properties->BlockCount = 2048;
}

static void served_with_large_blocks(WNBD_PROPERTIES *properties)
{
    served_by_a_program(properties);
    properties->BlockSize = 4096;
}

static void served_with_huge_blocks(WNBD_PROPERTIES *properties)
{
    served_by_a_program(properties);
    properties->Flags.LargeBlocksAllowed = 1;
    properties->BlockSize = 8192;
}

static void commands_that_make_no_sense(void **state)
{
    (void)state;
    fixture_start_usual();
    refused(no_name, STATUS_INVALID_PARAMETER);
    refused(no_host, STATUS_INVALID_PARAMETER);
    refused(port_0, STATUS_INVALID_PARAMETER);
    refused(port_65536, STATUS_INVALID_PARAMETER);
    refused(block_size_1000, STATUS_INVALID_PARAMETER);
    refused(physical_block_size_of_no_power, STATUS_INVALID_PARAMETER);
    refused(physical_block_size_below_the_block_size, STATUS_INVALID_PARAMETER);
    refused(physical_block_size_of_131072, STATUS_INVALID_PARAMETER);
    refused(no_blocks, STATUS_INVALID_PARAMETER);
    refused(too_many_blocks, STATUS_INVALID_PARAMETER);
    refused(one_block_too_many, STATUS_INVALID_PARAMETER);
    refused(served_with_large_blocks, STATUS_INVALID_PARAMETER);
    refused(served_with_huge_blocks, STATUS_INVALID_PARAMETER);
    fixture_stop();
}

/* READ CAPACITY (16), byte 13. */
static UCHAR told_exponent(struct bed_file *disk)
{
    static const UCHAR cdb[16] = {0x9E, 0x10, [13] = 32};
    struct pass pass;
    struct bed_io io;

    pass_begin(&io, disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN, 32);
    assert_true(pass_wait(&io, &pass));
    return pass.data[13] & 0x0F;
}

static void assert_physical_block(UINT32 block_size, UINT32 asked, UINT32 told, UCHAR exponent)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    wnbd_describe(&command, "vol1", server_port(server));
    command.Properties.BlockSize = block_size;
    command.Properties.PhysicalBlockSize = asked;
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(output.Info.Properties.PhysicalBlockSize, told);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    assert_int_equal(told_exponent(disk), exponent);
    fixture_unmap(disk);
}

static void physical_blocks_as_asked_for(void **state)
{
    (void)state;
    fixture_start_usual();
    assert_physical_block(512, 0, 4096, 3); /* as the server prefers */
    assert_physical_block(512, 512, 512, 0);
    assert_physical_block(512, 65536, 65536, 7);
    assert_physical_block(4096, 0, 4096, 0);
    assert_physical_block(4096, 8192, 8192, 1);
    fixture_stop();
}

static void name_in_use(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    assert_int_equal(wnbd_map_port(adapter, "vol1", server_port(server)), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(wnbd_map_port(adapter, "vol2", server_port(server)), STATUS_SHARING_VIOLATION);
    fixture_unmap(disk);
    fixture_stop();
}

/* One block less is the largest disk there is. */
static void largest_disk(void **state)
{
    static const UCHAR capacity[16] = {0x9E, 0x10, [13] = 32};
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .handshake_less = true};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;
    struct pass pass;
    struct bed_io io;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    command.Properties.NbdProperties.Flags.SkipNegotiation = 1;
    command.Properties.BlockSize = 512;
    command.Properties.BlockCount = (1ull << 54) - 1;
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_string_equal(output.Message, "");
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    pass_begin(&io, disk, &pass, capacity, sizeof(capacity), SCSI_IOCTL_DATA_IN, 32);
    assert_true(pass_wait(&io, &pass));
    assert_true(load_be64(pass.data) == (1ull << 54) - 2);
    fixture_unmap(disk);
    fixture_stop();
}

static void export_of_no_whole_blocks(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES + 511, .flags = SERVER_FLAGS_USUAL};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(output.Info.Properties.BlockCount, FIXTURE_BYTES / 512);
    assert_string_equal(output.Message,
                        "the last 511 bytes of the export are less than a block of 512 and not part of the disk");
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_unmap(disk);
    fixture_stop();
}

static void server_without_a_handshake(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .handshake_less = true};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    command.Properties.NbdProperties.Flags.SkipNegotiation = 1;
    command.Properties.BlockSize = 512;
    command.Properties.BlockCount = FIXTURE_BYTES / 512;
    command.Properties.Flags.FlushSupported = 1;
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_write_and_read_back(disk, FIXTURE_BYTES - 4096, 4096);
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    fixture_unmap(disk);
    fixture_stop();
}

/* IOCTL cancelled while the server says nothing. */
static void cancelled_map(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .silent = true};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_io io;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    wnbd_map_begin(&io, adapter, &command, &output);
    assert_int_equal(bed_io_wait(&io, 600, NULL), STATUS_TIMEOUT);
    bed_io_cancel(&io);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(output.Status, STATUS_CANCELLED);
    fixture_stop();
}

static void map_times_out(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .silent = true};

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ConnectTimeoutMs", 2000);
    fixture_start(&options);
    assert_int_equal(wnbd_map_port(adapter, "vol1", server_port(server)), STATUS_IO_TIMEOUT);
    fixture_stop();
    bed_registry_clear();
}

/* A handshake, and then nothing: again and again. */
static void connections_of_no_use(void **state)
{
    static const uint8_t script[] = {
        'N', 'B', 'D',  'M',  'A',  'G',  'I',  'C',  'I', 'H', 'A', 'V',  'E', 'O', 'P', 'T', 0, 3,        /* hello */
        0,   3,   0xE8, 0x89, 0x04, 0x55, 0x65, 0xA9, 0,   0,   0,   11,   128, 0,   0,   1,   0, 0, 0, 0,  /* no */
        0,   3,   0xE8, 0x89, 0x04, 0x55, 0x65, 0xA9, 0,   0,   0,   8,    128, 0,   0,   1,   0, 0, 0, 0,  /* no */
        0,   3,   0xE8, 0x89, 0x04, 0x55, 0x65, 0xA9, 0,   0,   0,   7,    0,   0,   0,   3,   0, 0, 0, 12, /* info */
        0,   0,   0,    0,    0,    0,    0,    0x10, 0,   0,   0,   0x2D,                                  /* 1 MiB */
        0,   3,   0xE8, 0x89, 0x04, 0x55, 0x65, 0xA9, 0,   0,   0,   7,    0,   0,   0,   1,   0, 0, 0, 0,  /* ack */
    };
    struct server_options options = {.script = script, .script_length = sizeof(script)};
    static UCHAR block[512];
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 5000);
    fixture_start(&options);
    disk = fixture_map();
    assert_false(NT_SUCCESS(bed_read(disk, 0, block, sizeof(block)))); /* which ends */
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

static void surprise_removal_under_load(void **state)
{
    enum { COUNT = 12, LENGTH = 256 << 10 };
    static UCHAR data[COUNT][LENGTH];
    struct bed_io io[COUNT];
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    for (ULONG i = 0; i < COUNT; i++) {
        bed_transfer_begin(&io[i], disk, i % 2 == 0, i * LENGTH, data[i], LENGTH);
    }
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    for (ULONG i = 0; i < COUNT; i++) {
        bed_io_wait(&io[i], MAXULONG, NULL);
    }
    bed_close(disk);
    fixture_stop_machine(BED_REMOVAL_SURPRISE);
    server_stop(server);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_mapped),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(unload_with_disk_mapped),
        cmocka_unit_test(backwards_replies),
        cmocka_unit_test(lost_connection),
        cmocka_unit_test(cut_payload),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(commands_that_make_no_sense),
        cmocka_unit_test(physical_blocks_as_asked_for),
        cmocka_unit_test(name_in_use),
        cmocka_unit_test(largest_disk),
        cmocka_unit_test(export_of_no_whole_blocks),
        cmocka_unit_test(server_without_a_handshake),
        cmocka_unit_test(cancelled_map),
        cmocka_unit_test(map_times_out),
        cmocka_unit_test(connections_of_no_use),
        cmocka_unit_test(surprise_removal_under_load),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
