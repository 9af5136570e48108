/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's portable path without a socket, for callgrind to count its instructions:
 *
 *     bench-instructions read-10|write-10|read-16 simple|structured|extended COMMANDS
 *
 * For each command of 4 KiB: decode the CDB, begin it, queue it, encode its header (begin_batch); parse its reply, find
 * it, note where its payload goes, ask for the next request, take it from the queue (end_batch). Only these two
 * functions are to be counted. Batches of 16 at most 64 deep, as a busy disk has them; copying payload is not in it.
 */
#include "bench/plan.h"
#include "bench/reply.h"
#include "core/base/bytes.h"
#include "core/base/list.h"
#include "core/io/queue.h"
#include "core/nbd/encode.h"
#include "core/nbd/reader.h"
#include "core/scsi/storage.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 16
#define DEPTH 64
#define SIZE  4096u

struct command {
    struct storage_command storage;
    struct nbd_progress progress;
    uint32_t received;
    bool failed;
};

struct path {
    struct scsi_device device;
    struct io_queue queue;
    struct io_slot slots[DEPTH];
    struct nbd_reader reader;
    struct command commands[DEPTH];
    struct command *receiving;
    uint64_t done;

    uint8_t cdb_length;
    uint8_t cdbs[BATCH][16];
    enum nbd_form form;
    uint8_t headers[BATCH][NBD_REQUEST_SIZE_MAX];
    uint8_t replies[BATCH * (REPLY_HEAD_MAX + SIZE)];
    size_t replies_length;
};

__attribute__((noinline)) void begin_batch(struct path *path, struct command *commands);
__attribute__((noinline)) void end_batch(struct path *path);

/* ---- What is counted ---- */

void begin_batch(struct path *path, struct command *commands)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct storage_command *storage = &commands[i].storage;
        struct scsi_command command;
        struct scsi_sense sense;

        commands[i].received = 0;
        commands[i].failed = false;
        if (!cdb_decode(path->cdbs[i], path->cdb_length, &command, &sense) || !command_needs_storage(&command) ||
            storage_begin(storage, &path->device, &command, NULL, SIZE, &sense) != STORAGE_REQUEST ||
            !queue_add(&path->queue, &storage->request)) {
            fail("a command was refused");
        }
        nbd_encode_request(path->headers[i], &storage->request, path->form);
        nbd_progress_init(&commands[i].progress);
    }
}

static void carried_out(struct path *path, struct command *command)
{
    struct scsi_sense sense;

    if (storage_next(&command->storage, &sense) != STORAGE_DONE ||
        queue_take(&path->queue, command->storage.request.cookie) == NULL) {
        fail("a command did not end");
    }
    path->done++;
}

static void reply(struct path *path)
{
    struct io_request *request = queue_find(&path->queue, path->reader.cookie);
    struct command *command;

    if (request == NULL) {
        fail("a reply was not understood");
    }
    command = list_member(request, struct command, storage.request);
    path->receiving = command;
    nbd_reader_expect(&path->reader, request, &command->progress);
}

void end_batch(struct path *path)
{
    const uint8_t *bytes = path->replies;
    size_t length = path->replies_length;
    enum nbd_reader_step step;
    struct nbd_part part;

    while ((step = nbd_reader_step(&path->reader, &bytes, &length, &part)) != NBD_READER_MORE) {
        switch (step) {
        case NBD_READER_MORE:
        case NBD_READER_HOLE:
        case NBD_READER_EXTENT:
            break;
        case NBD_READER_REPLY:
            reply(path);
            break;
        case NBD_READER_DATA:
            path->receiving->received += part.length;
            break;
        case NBD_READER_DONE:
            path->receiving->failed = path->receiving->progress.error != 0;
            carried_out(path, path->receiving);
            break;
        case NBD_READER_BAD:
            fail(path->reader.broken);
        }
    }
}

/* ---- What is not ---- */

static void put_cdbs(struct path *path, const char *kind, uint32_t *random)
{
    bool long_form = strcmp(kind, "read-16") == 0;

    path->cdb_length = long_form ? 16 : 10;
    for (unsigned i = 0; i < BATCH; i++) {
        uint8_t *cdb = path->cdbs[i];
        uint64_t lba = random_below(random, path->device.block_count / (SIZE / 512)) * (SIZE / 512);

        memset(cdb, 0, 16);
        if (long_form) {
            cdb[0] = 0x88;
            store_be64(cdb + 2, lba);
            store_be32(cdb + 10, SIZE / 512);
        } else {
            cdb[0] = strcmp(kind, "write-10") == 0 ? 0x2A : 0x28;
            store_be32(cdb + 2, (uint32_t)lba);
            store_be16(cdb + 7, SIZE / 512);
        }
    }
}

static void put_replies(struct path *path, const struct command *commands)
{
    uint8_t *bytes = path->replies;

    for (unsigned i = 0; i < BATCH; i++) {
        const struct io_request *request = &commands[i].storage.request;

        if (request->operation == IO_READ) {
            bytes += reply_data_head(bytes, path->form, path->headers[i] + 8, request->offset, request->length);
            bytes += request->length;
        } else {
            bytes += reply_end(bytes, path->form, path->headers[i] + 8, request->offset, 0);
        }
    }
    path->replies_length = (size_t)(bytes - path->replies);
}

int main(int count, char **arguments)
{
    static struct path path;
    uint32_t random = 1;
    uint64_t wanted = count == 4 ? strtoull(arguments[3], NULL, 10) : 0;

    if (wanted == 0 || wanted % BATCH != 0 || !plan_read_form(arguments[2], &path.form)) {
        fail(
            "usage: bench-instructions read-10|write-10|read-16 simple|structured|extended COMMANDS, a multiple of 16");
    }
    path.device.block_count = 1u << 24;
    path.device.block_size = 512;
    path.device.max_transfer_blocks = 4096;
    path.device.max_request_blocks = 65536;
    queue_init(&path.queue, path.slots, DEPTH);
    nbd_reader_init(&path.reader, &(struct nbd_terms){.form = path.form});
    for (uint64_t i = 0; i < wanted; i += BATCH) {
        struct command *commands = &path.commands[i % DEPTH];

        put_cdbs(&path, arguments[1], &random);
        begin_batch(&path, commands);
        put_replies(&path, commands);
        end_batch(&path);
    }
    if (path.done != wanted) {
        fail("commands are missing");
    }
    return 0;
}
