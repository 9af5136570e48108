/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hostile or broken server: what went wrong elsewhere, shown on the whole driver. Each misbehaviour ends with an
 * error or with a new connection; nothing hangs, nothing is left, nobody reads what was not written.
 */
#include "tests/host/fixture.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANSWER_BYTES 20 /* of an answer to an option, without its data */
#define EXPORT_BYTES 12 /* of what it says about an export */

#define BLOCK 512

static NTSTATUS map_words(char *words)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    NTSTATUS status;

    memset(&output, 0, sizeof(output));
    wnbd_describe(&command, "vol1", server_port(server));
    status = wnbd_map(adapter, &command, &output);
    strcpy(words, output.Message);
    return status;
}

/* ---- The handshake ---- */

/* A script of what the server sends. */
static uint8_t script[64 << 10];
static size_t script_length;

static void put(uint64_t value, size_t length)
{
    uint8_t bytes[8];

    store_be64(bytes, value);
    memcpy(script + script_length, bytes + 8 - length, length);
    script_length += length;
}

static void put_answer(uint32_t option, uint32_t type, uint32_t length)
{
    put(0x3E889045565A9, 8);
    put(option, 4);
    put(type, 4);
    put(length, 4);
}

static void put_text(const char *text)
{
    memcpy(script + script_length, text, strlen(text));
    script_length += strlen(text);
}

enum { GO = 7, STRUCTURED_REPLY = 8, SET_META_CONTEXT = 10, EXTENDED_HEADERS = 11 };
enum { ACK = 1, SERVER = 2, INFO = 3, META_CONTEXT = 4 };

#define UNSUPPORTED 0x80000001

/* Up to what comes before the export: no form of replies but the simple one. */
static void greet(void)
{
    script_length = 0;
    put(0x4E42444D41474943, 8);
    put(0x49484156454F5054, 8);
    put(3, 2);
    put_answer(EXTENDED_HEADERS, UNSUPPORTED, 0);
    put_answer(STRUCTURED_REPLY, UNSUPPORTED, 0);
}

enum { INFO_EXPORT = 0, INFO_NAME = 1 };

static void put_export(uint64_t size, uint16_t flags)
{
    put_answer(GO, INFO, 12);
    put(INFO_EXPORT, 2);
    put(size, 8);
    put(flags, 2);
}

/* The script is refused as no NBD, in words. */
static void refuse_script(const char *what)
{
    struct server_options options = {.size = 1, .script = script, .script_length = script_length};
    char words[sizeof(((WNBD_IOCTL_CREATE_OUTPUT *)0)->Message)];
    NTSTATUS status;

    server = server_start(&options);
    status = map_words(words);
    if (status != STATUS_INVALID_NETWORK_RESPONSE || strlen(words) < 20) {
        fail_msg("%s: 0x%08x '%s'", what, (unsigned)status, words);
    }
    server_stop(server);
}

static void names_and_payloads_longer_than_anything(void **state)
{
    (void)state;
    fixture_start_machine();
    greet();
    put_answer(GO, INFO, 0xFFFFFFFF);
    put(INFO_EXPORT, 2);
    refuse_script("information of 4 GiB");
    greet();
    put_answer(GO, INFO, 1);
    put(0, 1);
    put_answer(GO, ACK, 0);
    refuse_script("information without a type");
    greet();
    put_answer(GO, INFO, 11);
    put(INFO_EXPORT, 2);
    put(1 << 20, 8);
    put(1, 1);
    put_answer(GO, ACK, 0);
    refuse_script("an export that is cut short");
    greet();
    put_answer(GO, ACK, 0x7FFFFFFF);
    refuse_script("an acknowledgement with 2 GiB of data");
    greet();
    put_answer(GO, 0x80000005, 1u << 30);
    refuse_script("an error message of 1 GiB");
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void handshakes_that_are_none(void **state)
{
    (void)state;
    fixture_start_machine();
    greet();
    script[0] ^= 1;
    refuse_script("a wrong first magic number");
    greet();
    script[8] ^= 1;
    refuse_script("a wrong second magic number");
    greet();
    put_answer(GO, ACK, 0);
    refuse_script("an acknowledgement without an export");
    greet();
    put_answer(GO + 1, ACK, 0);
    refuse_script("an answer to another option");
    greet();
    put_answer(GO, SERVER, 4);
    put(0, 4);
    refuse_script("an entry of a list that was not asked for");
    greet();
    put_export(1 << 20, 0);
    put_answer(GO, ACK, 0);
    refuse_script("an export without flags");
    greet();
    put_export(1 << 20, SERVER_FLAGS_USUAL);
    script[script_length - EXPORT_BYTES - ANSWER_BYTES] ^= 1;
    refuse_script("an answer with a wrong magic number");
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* Structured replies are agreed to, and the metadata context is to be answered. */
static void greet_structured(void)
{
    greet();
    script_length -= ANSWER_BYTES;
    put_answer(STRUCTURED_REPLY, ACK, 0);
}

static void put_context(uint32_t id, const char *name)
{
    put_answer(SET_META_CONTEXT, META_CONTEXT, (uint32_t)(4 + strlen(name)));
    put(id, 4);
    put_text(name);
}

static void forms_and_contexts_that_were_not_asked_for(void **state)
{
    (void)state;
    fixture_start_machine();
    greet();
    script_length -= 2 * ANSWER_BYTES;
    put_answer(EXTENDED_HEADERS, ACK, 4);
    put(0, 4);
    refuse_script("extended headers with data");
    greet_structured();
    put_answer(STRUCTURED_REPLY, ACK, 0);
    refuse_script("structured replies twice");
    greet_structured();
    put_context(1, "base:allocatio");
    refuse_script("a context that is cut short");
    greet_structured();
    put_context(1, "qemu:dirty-bitmap");
    refuse_script("a context that was not asked for");
    greet_structured();
    put_context(1, "base:allocation");
    put_context(2, "base:allocation");
    refuse_script("a context twice");
    greet_structured();
    put_answer(SET_META_CONTEXT, META_CONTEXT, 3);
    put(0, 3);
    refuse_script("a context without a number");
    greet_structured();
    put_answer(SET_META_CONTEXT, META_CONTEXT, 0xFFFFFFFF);
    put(1, 4);
    refuse_script("a context's name of 4 GiB");
    greet_structured();
    put_answer(SET_META_CONTEXT, META_CONTEXT, 4 + 4097);
    put(1, 4);
    script_length += 4097;
    refuse_script("a context's name of 4097 bytes");
    greet_structured();
    put_answer(SET_META_CONTEXT, INFO, 12);
    put(0, 12 - 8);
    put(0, 8);
    refuse_script("an export in place of a context");
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* 1400 pieces of information, where a server has a handful to say. */
static void information_without_end(void **state)
{
    (void)state;
    fixture_start_machine();
    greet();
    while (script_length + 64 < sizeof(script)) {
        put_answer(GO, INFO, 26);
        put(INFO_NAME, 2);
        put(0, 8);
        put(0, 8);
        put(0, 8);
    }
    refuse_script("information without end");
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* Each error reply is told apart. */
static void refusals_are_told_apart(void **state)
{
    static const struct {
        uint32_t type;
        NTSTATUS status;
    } refusals[] = {
        {0x80000002, STATUS_ACCESS_DENIED},      /* policy */
        {0x80000005, STATUS_ACCESS_DENIED},      /* TLS required */
        {0x80000006, STATUS_BAD_NETWORK_NAME},   /* unknown export */
        {0x80000007, STATUS_CONNECTION_REFUSED}, /* shutting down */
        {0x80000008, STATUS_INVALID_PARAMETER},  /* block size required */
        {0x80000009, STATUS_CONNECTION_REFUSED}, /* too big */
        {0x8000FFFF, STATUS_CONNECTION_REFUSED}, /* nobody knows */
    };
    char words[sizeof(((WNBD_IOCTL_CREATE_OUTPUT *)0)->Message)];

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(refusals); i++) {
        struct server_options options = {.size = 1, .script = script};

        greet();
        put_answer(GO, refusals[i].type, 4);
        put(0x77687921, 4);
        options.script_length = script_length;
        server = server_start(&options);
        assert_int_equal(map_words(words), refusals[i].status);
        assert_non_null(strstr(words, "why!"));
        server_stop(server);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void old_style_server(void **state)
{
    struct server_options options = {.size = 1, .script = script};
    char words[sizeof(((WNBD_IOCTL_CREATE_OUTPUT *)0)->Message)];

    (void)state;
    fixture_start_machine();
    script_length = 0;
    put(0x4E42444D41474943, 8);
    put(0x00420281861253, 8);
    put(1 << 20, 8);
    script_length += 128;
    options.script_length = script_length;
    server = server_start(&options);
    assert_int_equal(map_words(words), STATUS_NOT_SUPPORTED);
    server_stop(server);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Sizes and blocks ---- */

static NTSTATUS map_size(uint64_t size, uint64_t *blocks)
{
    struct server_options options = {.size = 1 << 20, .claimed = size, .flags = SERVER_FLAGS_USUAL};
    WNBD_CONNECTION_INFO info = {0};
    NTSTATUS status;

    if (size == 0) {
        options.size = 0;
    }
    server = server_start(&options);
    status = wnbd_map_port(adapter, "vol1", server_port(server));
    if (NT_SUCCESS(status)) {
        assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
        assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    }
    *blocks = info.Properties.BlockCount;
    server_stop(server);
    return status;
}

static void sizes_of_no_disk_and_of_the_largest(void **state)
{
    static const uint64_t refused[] = {0, 1, 511, 1ull << 63, UINT64_MAX - 511, UINT64_MAX};
    static const uint64_t taken[] = {512, 513, 1 << 20, (1 << 20) + 511, (1ull << 32) + 512, (1ull << 63) - 1};
    uint64_t blocks;

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(refused); i++) {
        assert_int_equal(map_size(refused[i], &blocks), STATUS_UNRECOGNIZED_MEDIA);
    }
    for (size_t i = 0; i < ARRAYSIZE(taken); i++) {
        assert_int_equal(map_size(taken[i], &blocks), STATUS_SUCCESS);
        assert_int_equal(blocks, taken[i] / 512);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void requests_that_the_block_sizes_forbid_are_not_sent(void **state)
{
    struct server_options options = {
        .size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .minimum = 512, .maximum = 64 << 10};
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    fixture_write_and_read_back(disk, 512, 512);
    fixture_write_and_read_back(disk, 4096 + 512, (64 << 10) + 512);
    fixture_write_and_read_back(disk, 1 << 20, 5 << 20);
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_null(server_complaint(server));
    fixture_unmap(disk);
    fixture_stop();
}

static void blocks_larger_than_sectors_are_refused_in_words(void **state)
{
    struct server_options options = {
        .size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .minimum = 4096, .maximum = 1 << 20};
    char words[sizeof(((WNBD_IOCTL_CREATE_OUTPUT *)0)->Message)];
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    (void)state;
    fixture_start(&options);
    assert_int_equal(map_words(words), STATUS_INVALID_PARAMETER);
    assert_non_null(strstr(words, "4096"));
    wnbd_describe(&command, "vol1", server_port(server));
    command.Properties.BlockSize = 4096;
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_write_and_read_back(disk, 4096, 3 << 20);
    assert_null(server_complaint(server));
    fixture_unmap(disk);
    fixture_stop();
}

/* ---- Errors ---- */

/* What the disk class makes of each error, once the retries that it deserves have failed as well. */
static void each_error_is_reported(void **state)
{
    static const uint32_t errors[] = {1, 5, 12, 22, 28, 75, 95, 108, 0, 77, UINT32_MAX};
    static UCHAR data[4096];

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(errors); i++) {
        struct server_options options = {.size = 1 << 20, .flags = SERVER_FLAGS_USUAL, .error = errors[i]};
        bool good = errors[i] == 0;
        struct bed_file *disk;

        server = server_start(&options);
        disk = fixture_map();
        assert_true(NT_SUCCESS(bed_write(disk, 0, data, sizeof(data))) == good);
        assert_true(NT_SUCCESS(bed_read(disk, 0, data, sizeof(data))) == good);
        assert_true(NT_SUCCESS(bed_flush(disk)) == good);
        /* An error is no reason to part, unless it says that the server does. */
        assert_true((server_connections(server) == 1) == (errors[i] != 108));
        fixture_unmap(disk);
        server_stop(server);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* Errors between good replies: what was said to be written is, what was said to be read is right. */
static void one_request_in_eleven_fails(void **state)
{
    struct server_options options = {.size = 1 << 20, .flags = SERVER_FLAGS_USUAL, .error = 5, .error_one_in = 11};
    UCHAR wanted[BLOCK];
    UCHAR data[BLOCK];
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    for (ULONG i = 0; i < 300; i++) {
        wnbd_pattern(wanted, BLOCK, i);
        if (NT_SUCCESS(bed_write(disk, i * BLOCK, wanted, BLOCK))) {
            server_read(server, i * BLOCK, data, BLOCK);
            assert_memory_equal(data, wanted, BLOCK);
        }
        wnbd_pattern(wanted, BLOCK, i + 1);
        server_write(server, i * BLOCK, wanted, BLOCK);
        if (NT_SUCCESS(bed_read(disk, i * BLOCK, data, BLOCK))) {
            assert_memory_equal(data, wanted, BLOCK);
        }
    }
    fixture_unmap(disk);
    fixture_stop();
}

/* "Terminating the transmission phase": who is told of a shutdown takes its leave. Nothing fails for it. */
static void server_that_shuts_down_is_left_and_found_again(void **state)
{
    struct server_options options = {.size = 1 << 20, .flags = SERVER_FLAGS_USUAL, .error = 108, .error_one_in = 5};
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    for (ULONG i = 0; i < 20; i++) {
        fixture_write_and_read_back(disk, i * BLOCK, BLOCK);
    }
    assert_true(server_connections(server) > 5);
    assert_int_equal(fixture_server_status("vol1").UnfencedConnections, 0);
    fixture_unmap(disk);
    fixture_stop();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_payloads_longer_than_anything),
        cmocka_unit_test(handshakes_that_are_none),
        cmocka_unit_test(forms_and_contexts_that_were_not_asked_for),
        cmocka_unit_test(information_without_end),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(old_style_server),
        cmocka_unit_test(sizes_of_no_disk_and_of_the_largest),
        cmocka_unit_test(requests_that_the_block_sizes_forbid_are_not_sent),
        cmocka_unit_test(blocks_larger_than_sectors_are_refused_in_words),
        cmocka_unit_test(each_error_is_reported),
        cmocka_unit_test(one_request_in_eleven_fails),
        cmocka_unit_test(server_that_shuts_down_is_left_and_found_again),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
