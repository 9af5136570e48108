/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfers of all sizes about a power of two, with each kind of server, against a model of what it should hold; and
 * one error in a hundred replies, of each number and for each command: nothing that failed passes for done.
 */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXPORT_BYTES (34u << 20)
#define LONGEST      (32u << 20)
#define USUAL_MAX    (2u << 20)
#define USUAL_BYTES  (4u << 20) /* of an export whose transfers are no longer */
#define FLAGS        SERVER_FLAGS_ALL

/* What the server should hold, what is written, and what was read. */
static UCHAR model[EXPORT_BYTES];
static UCHAR source[EXPORT_BYTES + 65536];
static UCHAR there[EXPORT_BYTES];

/* Bytes that depend on their place, but for runs of zeroes between them. */
static void fill_source(void)
{
    uint32_t random = 1;

    for (ULONG at = 0; at < sizeof(source); at += 512) {
        bool zeroes = at / 20480 % 3 == 1;

        for (ULONG i = 0; i < 512; i += 4) {
            random = random * 1664525 + 1013904223;
            memcpy(source + at + i, zeroes ? &(uint32_t){0} : &random, 4);
        }
    }
}

static void assert_as_modelled(ULONG length)
{
    server_read(server, 0, there, length);
    assert_true(memcmp(there, model, length) == 0);
}

/* ---- Sizes ---- */

struct setting {
    enum server_form form;
    ULONG block_size;
    ULONG maximum; /* of the server, in bytes; 0: not said */
    UINT32 connections;
};

static void write_and_read(struct bed_file *disk, ULONG offset, ULONG length)
{
    static ULONG count;
    const UCHAR *data = source + ++count * 512 % 65536;

    assert_int_equal(bed_write(disk, offset, data, length), STATUS_SUCCESS);
    memcpy(model + offset, data, length);
    memset(there, 0xEE, length);
    assert_int_equal(bed_read(disk, offset, there, length), STATUS_SUCCESS);
    if (memcmp(there, data, length) != 0) {
        fail_msg("%u bytes at %u are not read back", length, offset);
    }
}

/* At the beginning of a page, and one block behind. */
static void write_and_read_twice(struct bed_file *disk, const struct setting *setting, ULONG length)
{
    if (length != 0) {
        write_and_read(disk, 65536, length);
        write_and_read(disk, 131072 + 5 * setting->block_size, length);
    }
}

static void write_and_read_all(struct bed_file *disk, const struct setting *setting)
{
    ULONG block = setting->block_size;

    for (ULONG length = block; length <= USUAL_MAX; length *= 2) {
        write_and_read_twice(disk, setting, length - block);
        write_and_read_twice(disk, setting, length);
        write_and_read_twice(disk, setting, length + block);
    }
}

static struct bed_file *map(const struct setting *setting)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    wnbd_describe(&command, "vol1", server_port(server));
    command.Properties.BlockSize = setting->block_size;
    command.Properties.NbdProperties.Connections = setting->connections;
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_await_connections("vol1", setting->connections);
    return disk;
}

static void begin(const struct setting *setting, ULONG size)
{
    struct server_options options = {.size = size, .flags = FLAGS, .form = setting->form, .maximum = setting->maximum};

    options.seed = 1 + setting->form + setting->connections;
    options.minimum = setting->maximum != 0 ? setting->block_size : 0;
    server = server_start(&options);
    memset(model, 0, size);
}

static void sweep(const struct setting *setting)
{
    struct bed_file *disk;

    begin(setting, USUAL_BYTES);
    disk = map(setting);
    assert_int_equal(server_agreed(server), setting->form);
    write_and_read_all(disk, setting);
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_as_modelled(USUAL_BYTES);
    assert_int_equal(fixture_server_status("vol1").Reconnects, 0);
    fixture_serve_no_more(disk);
}

/* With one connection or several, in turn. */
static void sizes_with_each_form_block_size_and_maximum(void **state)
{
    unsigned turn = 0;

    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        for (ULONG block_size = 512; block_size <= 4096; block_size *= 8, turn++) {
            for (ULONG maximum = 0; maximum <= 65536; maximum += 65536) {
                const struct setting setting = {form, block_size, maximum, turn++ % 2 != 0 ? 4 : 1};

                sweep(&setting);
            }
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void sweep_long(const struct setting *setting)
{
    ULONG block = setting->block_size;
    struct bed_file *disk;

    begin(setting, EXPORT_BYTES);
    disk = map(setting);
    for (ULONG length = 2 * USUAL_MAX; length <= LONGEST; length *= 2) {
        write_and_read(disk, 3 * block, length + block);
    }
    write_and_read(disk, 0, LONGEST - block);
    assert_as_modelled(EXPORT_BYTES);
    fixture_serve_no_more(disk);
}

/* The class driver divides them. */
static void sizes_longer_than_a_request(void **state)
{
    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        const struct setting small = {form, 512, 0, 4};
        const struct setting large = {form, 4096, 0, 1};

        sweep_long(&small);
        sweep_long(&large);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Errors ---- */

#define ROUNDS       120
#define ONE_IN       100
#define ERROR_BLOCKS 8
#define BLOCK        512

/* Whether it succeeded. What did is to be found in the model. */
typedef bool attempt(struct bed_file *disk, ULONG lba, ULONG round);

static bool try_read(struct bed_file *disk, ULONG lba, ULONG round)
{
    UCHAR data[ERROR_BLOCKS * BLOCK];

    (void)round;
    if (!NT_SUCCESS(bed_read(disk, lba * BLOCK, data, sizeof(data)))) {
        return false;
    }
    assert_memory_equal(data, model + lba * BLOCK, sizeof(data));
    return true;
}

static bool try_write(struct bed_file *disk, ULONG lba, ULONG round)
{
    const UCHAR *data = source + round * 64;
    bool good = NT_SUCCESS(bed_write(disk, lba * BLOCK, data, ERROR_BLOCKS * BLOCK));

    if (good) {
        memcpy(model + lba * BLOCK, data, ERROR_BLOCKS * BLOCK);
    }
    return good;
}

static bool try_flush(struct bed_file *disk, ULONG lba, ULONG round)
{
    (void)lba;
    (void)round;
    return NT_SUCCESS(bed_flush(disk));
}

/* What a pass-through came to: who asks is told why it failed. */
static bool end_of(const struct pass *pass, bool good)
{
    assert_true(good || pass->header.SenseInfoLength != 0);
    return good;
}

static bool zeroed(ULONG lba, const struct pass *pass, bool good)
{
    if (good) {
        memset(model + lba * BLOCK, 0, ERROR_BLOCKS * BLOCK);
    }
    return end_of(pass, good);
}

static bool try_unmap(struct bed_file *disk, ULONG lba, ULONG round)
{
    struct pass pass;

    (void)round;
    return zeroed(lba, &pass, pass_unmap(disk, &pass, lba, ERROR_BLOCKS));
}

static bool try_same(struct bed_file *disk, ULONG lba, ULONG round)
{
    struct pass pass;
    UCHAR flags = round % 2 != 0 ? PASS_NDOB : PASS_NDOB | PASS_UNMAP;

    return zeroed(lba, &pass, pass_write_same_16(disk, &pass, flags, lba, ERROR_BLOCKS, 0));
}

static bool try_prefetch(struct bed_file *disk, ULONG lba, ULONG round)
{
    struct pass pass;

    (void)round;
    return end_of(&pass, pass_prefetch(disk, &pass, lba, ERROR_BLOCKS));
}

/* Whether the first page is allocated is said rightly. */
static bool try_status(struct bed_file *disk, ULONG lba, ULONG round)
{
    static const UCHAR zeroes[SERVER_PAGE];
    struct pass pass;
    bool good = pass_lba_status(disk, &pass, lba, 1 + round % 4);

    if (good) {
        bool is_hole = server_agreed(server) != SERVER_SIMPLE &&
                       memcmp(model + lba * BLOCK / SERVER_PAGE * SERVER_PAGE, zeroes, SERVER_PAGE) == 0;

        assert_int_equal(pass.data[8 + 12], is_hole ? 1 : 0);
    }
    return end_of(&pass, good);
}

/* In the order of the commands; the class driver tries some again. */
static const struct {
    enum server_command command;
    attempt *try;
    bool retried;
} attempts[] = {
    {SERVER_READ, try_read, true},
    {SERVER_WRITE, try_write, true},
    {SERVER_FLUSH, try_flush, true},
    {SERVER_TRIM, try_unmap, false},
    {SERVER_CACHE, try_prefetch, false},
    {SERVER_WRITE_ZEROES, try_same, false},
    {SERVER_BLOCK_STATUS, try_status, false},
};

#define ATTEMPTS ARRAYSIZE(attempts)

#define NBD_SHUTDOWN 108

/* Who is not tried again fails as often as the server said so; a hint never does, nor what another connection did. */
static void check_failures(const struct server_options *options, const unsigned failed[ATTEMPTS],
                           unsigned errors_of[ATTEMPTS])
{
    for (size_t i = 0; i < ATTEMPTS; i++) {
        unsigned errors = server_errors(server, attempts[i].command);
        bool never = attempts[i].command == SERVER_CACHE || options->error == NBD_SHUTDOWN;

        errors_of[i] += errors;
        if (attempts[i].retried) {
            assert_true(failed[i] <= errors);
        } else {
            assert_int_equal(failed[i], never ? 0 : errors);
        }
    }
}

static void go_on_through(const struct server_options *options, unsigned errors_of[ATTEMPTS])
{
    struct bed_file *disk = fixture_serve(options);
    unsigned failed[ATTEMPTS] = {0};

    memset(model, 0, USUAL_BYTES);
    for (ULONG round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < ATTEMPTS; i++) {
            ULONG lba = (round * 13 + (ULONG)i * 5) % 1000 * ERROR_BLOCKS;

            failed[i] += !attempts[i].try(disk, lba, round);
        }
    }
    check_failures(options, failed, errors_of);
    assert_as_modelled(USUAL_BYTES);
    fixture_serve_no_more(disk);
}

static void one_error_in_a_hundred_of_each_number(void **state)
{
    static const uint32_t errors[] = {1, 5, 12, 22, 28, 75, 95, NBD_SHUTDOWN, 77};
    unsigned errors_of[ATTEMPTS] = {0};

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(errors); i++) {
        struct server_options options = {.size = USUAL_BYTES, .flags = FLAGS, .error = errors[i]};

        options.error_one_in = ONE_IN;
        options.form = i % 3;
        options.seed = i + 1;
        go_on_through(&options, errors_of);
    }
    for (size_t i = 0; i < ATTEMPTS; i++) {
        assert_true(errors_of[i] >= 4);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* Each reply is an error: who is asked once fails once. */
static void fail_once_each(const struct server_options *options)
{
    struct bed_file *disk = fixture_serve(options);

    for (size_t i = 0; i < ATTEMPTS; i++) {
        if (!attempts[i].retried) {
            bool good = attempts[i].try(disk, 0, 0);

            assert_int_equal(server_errors(server, attempts[i].command), 1);
            assert_int_equal(good, attempts[i].command == SERVER_CACHE);
        }
    }
    fixture_serve_no_more(disk);
}

static void each_error_of_each_command(void **state)
{
    static const uint32_t errors[] = {1, 5, 12, 22, 28, 75, 95, 77, UINT32_MAX};

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(errors); i++) {
        struct server_options options = {.size = USUAL_BYTES, .flags = FLAGS, .error = errors[i]};

        options.form = SERVER_STRUCTURED + i % 2;
        fail_once_each(&options);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_with_each_form_block_size_and_maximum),
        cmocka_unit_test(sizes_longer_than_a_request),
        cmocka_unit_test(each_error_of_each_command),
        cmocka_unit_test(one_error_in_a_hundred_of_each_number),
    };

    fill_source();
    return fixture_init(count, arguments) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
