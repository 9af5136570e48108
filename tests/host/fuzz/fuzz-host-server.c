/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server that says what the input says, and then closes. The disk is mapped if that can be; then some requests go
 * out.
 *
 *     first byte, modulo 3
 *     0     all that the server says, from its first byte on, follows
 *     1, 2  its handshake is right, for structured or extended replies, and the chunks of the first reply follow: each
 *           a kind, some bytes, zeroes behind them, and perhaps a length that is not theirs. Another connection's
 *           replies are right.
 */
#include "tests/host/fuzz/machine.h"

#include <string.h>

#define RESTART        100
#define TRANSFER_BYTES 32768
#define EXPORT_BYTES   (1 << 20)
#define CHUNKS_MAX     16
#define CHUNK_BYTES    (256 + UINT16_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { KIND_DONE = 1 << 3, KIND_LIES = 1 << 4 };

static struct server_chunk chunks[CHUNKS_MAX];
static uint8_t chunk_bytes[CHUNKS_MAX][CHUNK_BYTES];

static void take_chunk(struct input *input, struct server_chunk *chunk, uint8_t *bytes)
{
    static const uint16_t types[] = {0, 1, 2, 5, 6, 0x8001, 0x8002, 3};
    uint8_t kind = input_u8(input);
    uint8_t count = input_u8(input);

    input_bytes(input, bytes, count);
    chunk->flags = (kind & KIND_DONE) != 0;
    chunk->type = types[kind % 8];
    chunk->bytes = bytes;
    chunk->count = (size_t)count + input_u16(input);
    memset(bytes + count, 0, chunk->count - count);
    chunk->length = (kind & KIND_LIES) != 0 ? (uint32_t)input_u16(input) << 16 | input_u16(input) : chunk->count;
}

/* The connection ends with the chunks. */
static void take_reply(struct input *input, struct server_options *options)
{
    size_t header = options->form == SERVER_EXTENDED ? 32 : 20;

    while (input->left != 0 && options->chunk_count < CHUNKS_MAX) {
        unsigned i = options->chunk_count++;

        take_chunk(input, &chunks[i], chunk_bytes[i]);
        options->cut_reply_at += header + chunks[i].count;
    }
    options->chunks = options->chunk_count != 0 ? chunks : NULL;
}

/* One of these is the first. */
static void use(struct bed_file *disk, unsigned first)
{
    static const uint8_t read[10] = {0x28, [7] = TRANSFER_BYTES / 512 >> 8, TRANSFER_BYTES / 512 & 0xFF};
    static const uint8_t read_block[10] = {0x28, [8] = 1};
    static const uint8_t write[10] = {0x2A, [8] = 1};
    static const uint8_t status[16] = {0x9E, 0x12, [12] = 2};
    static const uint8_t flush[10] = {0x35};
    static UCHAR data[TRANSFER_BYTES];

    for (unsigned i = 0; i < 4; i++) {
        switch ((first + i) % 4) {
        case 0:
            fuzz_cdb(disk, write, sizeof(write), 0, data, 512);
            break;
        case 1:
            fuzz_cdb(disk, read, sizeof(read), 1, data, sizeof(data));
            break;
        case 2:
            fuzz_cdb(disk, status, sizeof(status), 1, data, 512);
            break;
        case 3:
            fuzz_cdb(disk, read_block, sizeof(read_block), 1, data, 512);
            break;
        }
    }
    fuzz_cdb(disk, flush, sizeof(flush), 2, NULL, 0);
}

static void map_and_use(const struct server_options *options, unsigned first)
{
    struct server *server = server_start(options);
    struct bed_file *adapter = fuzz_adapter(RESTART);
    struct bed_file *disk;

    if (NT_SUCCESS(wnbd_map_port(adapter, "vol1", server_port(server)))) {
        if (NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disk))) {
            use(disk, first);
            bed_close(disk);
        }
        wnbd_unmap(adapter, "vol1");
    }
    server_stop(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct server_options options = {.size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL};
    struct input input = {.bytes = bytes, .left = size};
    uint8_t setup = input_u8(&input);

    options.form = setup % 3;
    if (options.form == SERVER_SIMPLE) {
        options.script = input.left != 0 ? input.bytes : (const uint8_t *)"";
        options.script_length = input.left;
    } else {
        take_reply(&input, &options);
    }
    map_and_use(&options, setup / 3);
    return 0;
}
