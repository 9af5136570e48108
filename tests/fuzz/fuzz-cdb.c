/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any CDB, to any disk, with any data: decode it, answer it or walk through its requests, and look whether what
 * core/scsi promises holds. An input is
 *
 *     0   1  what the disk can do: enum option
 *     1   1  more of that: the physical block exponent (low 4 bits), enum more
 *     2   8  its number of blocks (reduced to what a disk can have)
 *    10   4  most blocks of a READ or WRITE
 *    14   4  most blocks of an UNMAP
 *    18   2  most descriptors of an UNMAP
 *    20   1  length of the serial number
 *    21   1  length of the CDB, 0 .. 16, and 17 times a set of enum still_more
 *    22  16  the CDB
 *    38   4  length of the initiator's buffer (no parameter list)
 *    42      the parameter list, or what a VERIFY sends; of a GET LBA STATUS or LOG SENSE the extents: 4 bytes each,
 * bit 31 hole, bits 0 .. 30 the length; the same ones each time that the backend is asked
 */
#include "core/base/bytes.h"
#include "core/scsi/cdb.h"
#include "core/scsi/emulate.h"
#include "core/scsi/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS 42

/* After so many answers a count is given up. */
#define ANSWERS_MAX 64

enum option {
    OPTION_READ_ONLY = 0x01,
    OPTION_WRITE_CACHE = 0x02,
    OPTION_FUA = 0x04,
    OPTION_UNMAP = 0x08,
    OPTION_BLOCKS_OF_4096 = 0x10,
    OPTION_NAA = 0x20,
    OPTION_NAA_ALONE = 0x40,
    OPTION_LIST_CHANGES = 0x80, /* the sender writes to the parameter list while the command is under way */
};

enum more {
    MORE_WRITE_ZEROES = 0x10,
    MORE_CACHE = 0x20,
    MORE_BLOCK_STATUS = 0x40,
    MORE_FUA_BY_FLUSH = 0x80,
};

enum still_more {
    STILL_MORE_ROOM = 0x01, /* for what VERIFY compares and WRITE SAME writes */
    STILL_MORE_RESERVATIONS = 0x02,
    STILL_MORE_WRITE_THROUGH = 0x04,
    STILL_MORE_DESCRIPTOR_SENSE = 0x08,
};

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scsi_device make_device(const uint8_t *data)
{
    uint8_t still_more = data[21] / 17;
    struct scsi_device device = {
        .block_size = data[0] & OPTION_BLOCKS_OF_4096 ? 4096 : 512,
        .physical_block_exponent = data[1] & 0x0F,
        .read_only = data[0] & OPTION_READ_ONLY,
        .write_cache = data[0] & OPTION_WRITE_CACHE,
        .fua = data[0] & OPTION_FUA,
        .fua_by_flush = data[1] & MORE_FUA_BY_FLUSH && data[0] & OPTION_FUA,
        .unmap = data[0] & OPTION_UNMAP,
        .write_zeroes = data[1] & MORE_WRITE_ZEROES,
        .cache = data[1] & MORE_CACHE,
        .block_status = data[1] & MORE_BLOCK_STATUS,
        .byte_check = still_more & STILL_MORE_ROOM,
        .pattern = still_more & STILL_MORE_ROOM,
        .persistent_reservations = still_more & STILL_MORE_RESERVATIONS,
        .descriptor_sense = (still_more & STILL_MORE_DESCRIPTOR_SENSE) != 0,
        .max_unmap_blocks = load_be32(data + 14),
        .max_unmap_descriptors = 1u + load_be16(data + 18),
        .revision = {'0', '.', '8', ' '},
        .serial_length = data[20] == 0 ? 1 : data[20],
        .naa_length = data[0] & OPTION_NAA ? 16 : 0,
        .naa_alone = data[0] & OPTION_NAA_ALONE,
    };

    device.block_count = 1 + load_be64(data + 2) % (UINT64_MAX / device.block_size);
    device.threshold_exponent = device.block_status ? device_threshold_exponent(device.block_count) : 0;
    device.max_transfer_blocks = 1 + load_be32(data + 10) % (UINT32_MAX / device.block_size);
    device.max_write_same_blocks = 1 + load_be32(data + 14) % UINT32_MAX;
    if (device.fua_by_flush) {
        device.write_cache = true;
    }
    device.write_through = device.write_cache && (still_more & STILL_MORE_WRITE_THROUGH) != 0;
    memset(device.serial, data[20], sizeof(device.serial));
    return device;
}

static void check_refusal(const struct scsi_sense *sense)
{
    CHECK(sense->key == SENSE_KEY_ILLEGAL_REQUEST || sense->key == SENSE_KEY_DATA_PROTECT ||
          sense->key == SENSE_KEY_MISCOMPARE);
    CHECK(sense->asc != 0);
}

static void check_sense_formats(const struct scsi_sense *sense, uint32_t capacity)
{
    uint8_t *bytes = malloc(capacity + 1u);

    CHECK(sense_write(sense, false, bytes, capacity) <= capacity);
    CHECK(sense_write(sense, true, bytes, capacity) <= capacity);
    free(bytes);
}

/* The buffer is as long as the initiator says and no byte longer: AddressSanitizer watches its end. */
static void check_emulation(const struct scsi_device *device, const struct scsi_command *command, uint32_t capacity)
{
    uint8_t *data = capacity == 0 ? NULL : malloc(capacity);
    struct scsi_result result;

    emulate(device, command, data, capacity, &result);
    CHECK(result.transferred <= capacity);
    CHECK(result.transferred <= command->allocation_length);
    if (result.status == SCSI_STATUS_GOOD) {
        CHECK(result.sense.key == SENSE_KEY_NO_SENSE);
    } else {
        CHECK(result.status == SCSI_STATUS_CHECK_CONDITION);
        CHECK(result.transferred == 0);
        CHECK(result.descriptor_sense == (device->descriptor_sense != 0));
        check_refusal(&result.sense);
    }
    free(data);
}

/* Whether what the command writes has to be on the medium when it ends. */
static bool is_synchronous(const struct scsi_device *device, const struct scsi_command *command)
{
    return device->write_through != 0 || command->operation == SCSI_WRITE_AND_VERIFY ||
           (command->operation == SCSI_WRITE && command->fua && device->fua);
}

static bool has_fua(const struct scsi_device *device)
{
    return device->fua && !device->fua_by_flush;
}

static void check_flags(const struct scsi_device *device, const struct scsi_command *command,
                        const struct io_request *request)
{
    uint32_t fua = is_synchronous(device, command) && has_fua(device) ? IO_FUA : 0;

    switch (request->operation) {
    case IO_WRITE:
        CHECK(request->flags == fua);
        break;
    case IO_WRITE_ZEROES:
        CHECK(request->flags == ((command->unmap ? 0 : IO_NO_HOLE) | fua));
        break;
    case IO_BLOCK_STATUS:
        CHECK(request->flags == 0 || request->flags == IO_ONE_EXTENT);
        break;
    case IO_READ:
        CHECK(request->flags == (command->operation == SCSI_READ && command->fua && has_fua(device) ? IO_FUA : 0u));
        break;
    case IO_FLUSH:
    case IO_TRIM:
    case IO_CACHE:
        CHECK(request->flags == 0);
        break;
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT:
        CHECK(request->reservation.service_action == command->service_action);
        break;
    }
}

static bool is_compared(const struct scsi_command *command, const struct io_request *request)
{
    return command->operation == SCSI_VERIFY ||
           (command->operation == SCSI_WRITE_AND_VERIFY && request->operation == IO_READ);
}

/* What is compared is read piece by piece. */
static void check_transfer(const struct scsi_device *device, const struct scsi_command *command,
                           const struct io_request *request, uint32_t data_length)
{
    uint64_t begin = command->lba * device->block_size;
    uint64_t length = (uint64_t)command->blocks * device->block_size;

    CHECK(command->blocks <= device->max_transfer_blocks);
    if (is_compared(command, request)) {
        CHECK(device->byte_check && command->byte_check != BYTE_CHECK_NONE);
        CHECK(request->length <= STORAGE_COMPARE_MAX);
        CHECK(request->offset >= begin && request->offset - begin + request->length <= length);
        return;
    }
    CHECK(request->operation == IO_READ || !device->read_only);
    CHECK(request->length <= data_length);
    CHECK(request->length == length && request->offset == begin);
}

static void check_same(const struct scsi_device *device, const struct scsi_command *command,
                       const struct io_request *request)
{
    CHECK(request->operation == IO_WRITE ? device->pattern && request->length <= STORAGE_PATTERN_MAX
                                         : device->write_zeroes);
    CHECK(!device->read_only && command->blocks != 0 && command->blocks <= device->max_write_same_blocks);
}

static bool reserves(const struct io_request *request)
{
    return request->operation == IO_RESERVE_IN || request->operation == IO_RESERVE_OUT;
}

static void check_request(const struct scsi_device *device, const struct scsi_command *command,
                          const struct io_request *request, uint32_t data_length)
{
    uint64_t disk = device->block_count * device->block_size;

    CHECK(reserves(request) || (request->offset <= disk && request->length <= disk - request->offset));
    CHECK(request->offset % device->block_size == 0);
    CHECK(reserves(request) || request->length % device->block_size == 0);
    CHECK((request->length == 0) == (request->operation == IO_FLUSH));
    check_flags(device, command, request);
    switch (request->operation) {
    case IO_WRITE:
        if (command->operation == SCSI_WRITE_SAME) {
            check_same(device, command, request);
            break;
        }
        check_transfer(device, command, request, data_length);
        break;
    case IO_READ:
        check_transfer(device, command, request, data_length);
        break;
    case IO_FLUSH:
        CHECK(device->write_cache && !device->read_only && request->offset == 0);
        break;
    case IO_TRIM:
        CHECK(device->unmap && !device->read_only && request->length <= STORAGE_TRIM_MAX);
        break;
    case IO_WRITE_ZEROES:
        check_same(device, command, request);
        break;
    case IO_CACHE:
        CHECK(device->cache && request->length / device->block_size <= device->max_transfer_blocks);
        break;
    case IO_BLOCK_STATUS:
        CHECK(device->block_status && request->length <= STORAGE_TRIM_MAX);
        CHECK(command->operation == SCSI_LOG_SENSE_PROVISIONING ||
              request->offset / device->block_size == command->lba);
        break;
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT:
        CHECK(device->persistent_reservations && request->offset == 0 && request->length <= data_length);
        CHECK(request->operation == IO_RESERVE_IN || (!device->read_only && request->length >= 24));
        break;
    }
}

/* What the backend answers to an IO_BLOCK_STATUS; now and then the connection is lost on the way. */
static void feed_extents(struct storage_command *storage, const uint8_t *extents, size_t size)
{
    for (; size >= 4; extents += 4, size -= 4) {
        uint32_t word = load_be32(extents);
        uint64_t length = word & 0x7FFFFFFF;

        if (word == UINT32_MAX) {
            storage_restart(storage);
        }
        storage_extent(storage, word & 0x40000000 ? length << 33 | length : length, (word & 0x80000000) == 0);
    }
}

/* Descriptors follow each other and stay on the disk; a last one that was cut is not looked at. */
static void check_answer(const struct scsi_device *device, const struct scsi_command *command,
                         const struct storage_command *storage, const uint8_t *answer, uint32_t capacity)
{
    uint32_t length = storage_answer_length(storage);
    uint64_t lba = command->lba;

    CHECK(length <= capacity && (command->allocation_length == 0 || length <= command->allocation_length));
    if (length < 8 || command->operation == SCSI_PERSISTENT_RESERVE_IN) {
        return;
    }
    CHECK(command->allocation_length != 0);
    CHECK(load_be32(answer) >= 20 && load_be32(answer) % 16 == 4);
    CHECK(length < 24 || load_be32(answer) + 4 == length);
    for (uint32_t at = 8; at + 16 <= length; at += 16) {
        uint32_t blocks = load_be32(answer + at + 8);

        CHECK(load_be64(answer + at) == lba);
        CHECK(blocks != 0 && blocks <= device->block_count - lba);
        CHECK(answer[at + 12] <= 1 && answer[at + 13] == 0 && answer[at + 14] == 0 && answer[at + 15] == 0);
        lba += blocks;
    }
}

/* As many threshold sets as the disk has, at most, or no count. */
static void check_count(const struct scsi_device *device, const struct storage_command *storage, const uint8_t *page,
                        uint32_t capacity)
{
    uint32_t length = storage_answer_length(storage);

    CHECK(device->block_status && length <= capacity);
    CHECK(length < 1 || page[0] == 0x8C);
    CHECK(length < 4 || (page[1] == 0 && page[2] == 0 && (page[3] == 0 || page[3] == 12)));
    CHECK(length <= 4 || page[3] == 12);
    CHECK(length < 8 || load_be32(page + 4) == 0x00022308);
    CHECK(length < 12 || load_be32(page + 8) <= ((device->block_count - 1) >> device->threshold_exponent) + 1);
    CHECK(length < 16 || (length == 16 && load_be32(page + 12) == 0x01000000));
}

/* The backend writes the whole answer to a PERSISTENT RESERVE IN and reads the whole list of an OUT. */
static void move_reservation(struct storage_command *storage, uint32_t block_size)
{
    uint8_t *data = storage_reservation_data(storage);
    uint8_t sum = 0;

    CHECK((data != NULL) == reserves(&storage->request));
    if (storage->request.operation == IO_RESERVE_IN) {
        memset(data, (int)(block_size >> 8), storage->request.length);
    }
    for (uint32_t i = 0; data != NULL && i < storage->request.length; i++) {
        sum ^= data[i];
    }
    storage->compare[0] = sum; /* so that it is read */
}

/* A WRITE SAME's request is whole blocks, as it was sent or as it is now. */
static void write_pattern(const struct storage_command *storage)
{
    static uint8_t pattern[STORAGE_PATTERN_MAX];

    if (storage->request.operation == IO_WRITE && storage_writes_pattern(storage)) {
        storage_put_pattern(storage, pattern);
        CHECK(memcmp(pattern, pattern + storage->request.length - storage->block_size, storage->block_size) == 0);
    }
}

/* What the requests of a command have come to. */
struct walk {
    uint64_t trimmed;
    uint64_t written;
    bool wrote;
    bool flushed; /* by the last request, reads aside */
};

static void note_request(struct walk *walk, const struct io_request *request)
{
    walk->trimmed += request->operation == IO_TRIM ? request->length : 0;
    if (request->operation == IO_WRITE || request->operation == IO_WRITE_ZEROES) {
        walk->wrote = true;
        walk->written += request->length;
    }
    walk->flushed = request->operation == IO_FLUSH || (walk->flushed && request->operation == IO_READ);
}

static void check_walk(const struct scsi_device *device, const struct scsi_command *command, const struct walk *walk,
                       bool list_changes)
{
    if (!list_changes && device->max_unmap_blocks != UINT32_MAX) {
        CHECK(walk->trimmed / device->block_size <= device->max_unmap_blocks);
    }
    if (command->operation == SCSI_WRITE_SAME) {
        CHECK(walk->written / device->block_size == command->blocks);
    }
    if (walk->wrote) {
        CHECK(walk->flushed == (is_synchronous(device, command) && !has_fua(device) && device->write_cache));
    }
}

/* What a VERIFY or WRITE AND VERIFY is to find: what was sent, or something else if the list changes. */
static void read_to(struct storage_command *storage, const struct scsi_command *command, const uint8_t *sent,
                    uint32_t block_size, bool list_changes)
{
    uint64_t position = storage->request.offset - command->lba * block_size;

    for (uint32_t i = 0; i < storage->request.length; i++) {
        uint64_t at = command->byte_check == BYTE_CHECK_ONE_BLOCK ? (position + i) % block_size : position + i;

        storage->compare[i] = (uint8_t)(sent[at] + (list_changes && i > 511));
    }
}

/* `extents`: what the backend answers to an IO_BLOCK_STATUS. */
static void check_storage(struct scsi_device *device, const struct scsi_command *command, uint8_t *parameters,
                          uint32_t data_length, const uint8_t *extents, size_t extents_size, bool list_changes)
{
    static uint8_t compare[STORAGE_COMPARE_MAX];
    struct storage_command storage = {.compare = compare};
    struct scsi_device before = *device; /* a MODE SELECT changes it */
    struct walk walk = {0};
    struct scsi_sense sense;
    enum storage_step step;
    uint32_t answers = 0;

    for (step = storage_begin(&storage, device, command, parameters, data_length, &sense); step == STORAGE_REQUEST;
         step = storage_next(&storage, &sense)) {
        check_request(device, command, &storage.request, data_length);
        note_request(&walk, &storage.request);
        feed_extents(&storage, extents, extents_size);
        if (storage_counts(&storage) && ++answers == ANSWERS_MAX) {
            storage_give_up(&storage);
        }
        move_reservation(&storage, device->block_size);
        write_pattern(&storage);
        if (storage.request.operation == IO_READ && storage_compares(&storage)) {
            read_to(&storage, command, parameters, device->block_size, list_changes);
        }
        for (uint32_t i = 0; list_changes && i < data_length; i++) {
            parameters[i] = (uint8_t)(parameters[i] * 5 + 1);
        }
    }
    if (step == STORAGE_REFUSED) {
        check_refusal(&sense);
        check_sense_formats(&sense, data_length % 24);
    } else if (storage_counts(&storage)) {
        check_count(device, &storage, parameters, data_length);
    } else if (storage_has_answer(&storage)) {
        check_answer(device, command, &storage, parameters, data_length);
    } else {
        check_walk(&before, command, &walk, list_changes);
    }
}

/* As with check_emulation, the buffer is as long as the initiator says. */
static void check_status(struct scsi_device *device, const struct scsi_command *command, uint32_t room,
                         const uint8_t *extents, size_t size)
{
    uint8_t *answer = room == 0 ? NULL : malloc(room);

    check_storage(device, command, answer, room, extents, size, false);
    free(answer);
}

static void check_list(struct scsi_device *device, const struct scsi_command *command, const uint8_t *data, size_t size,
                       bool list_changes)
{
    uint8_t *parameters = malloc(size);

    memcpy(parameters, data, size);
    check_storage(device, command, parameters, (uint32_t)size, NULL, 0, list_changes);
    free(parameters);
}

static void check_command(const uint8_t *data, size_t size, const struct scsi_command *command)
{
    bool has_list = command->operation == SCSI_UNMAP || command->operation == SCSI_WRITE_SAME ||
                    command->operation == SCSI_VERIFY || command->operation == SCSI_WRITE_AND_VERIFY ||
                    command->operation == SCSI_MODE_SELECT_6 || command->operation == SCSI_MODE_SELECT_10 ||
                    command->operation == SCSI_PERSISTENT_RESERVE_OUT;
    struct scsi_device device = make_device(data);
    uint32_t buffer_length = load_be32(data + 38);

    if (!command_needs_storage(command)) {
        check_emulation(&device, command, buffer_length % 1100);
    } else if (command->operation == SCSI_GET_LBA_STATUS || command->operation == SCSI_LOG_SENSE_PROVISIONING ||
               command->operation == SCSI_PERSISTENT_RESERVE_IN) {
        check_status(&device, command, buffer_length % 1024, data + PARAMETERS, size - PARAMETERS);
    } else if (has_list && size != PARAMETERS) {
        check_list(&device, command, data + PARAMETERS, size - PARAMETERS, (data[0] & OPTION_LIST_CHANGES) != 0);
    } else {
        check_storage(&device, command, NULL, buffer_length, NULL, 0, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scsi_command command;
    struct scsi_sense sense;
    size_t length;
    uint8_t *cdb;

    if (size < PARAMETERS) {
        return -1;
    }
    length = data[21] % 17;
    cdb = malloc(length + 1);
    memcpy(cdb + 1, data + 22, length); /* ends where the allocation ends, even if it is empty */
    if (cdb_decode(cdb + 1, length, &command, &sense)) {
        check_command(data, size, &command);
    } else {
        check_refusal(&sense);
    }
    free(cdb);
    return 0;
}
