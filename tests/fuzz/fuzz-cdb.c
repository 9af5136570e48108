/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any CDB, to any disk, with any data: decode it, answer it or walk through its requests, and look whether what
 * core/scsi promises holds. An input is
 *
 *     0   1  what the disk can do: enum option
 *     1   1  the physical block exponent (low 4 bits)
 *     2   8  its number of blocks (reduced to what a disk can have)
 *    10   4  most blocks of a READ or WRITE
 *    14   4  most blocks of an UNMAP
 *    18   2  most descriptors of an UNMAP
 *    20   1  length of the serial number
 *    21   1  length of the CDB, 0 .. 16
 *    22  16  the CDB
 *    38   4  length of the initiator's buffer (no parameter list)
 *    42      the parameter list
 */
#include "core/base/bytes.h"
#include "core/scsi/cdb.h"
#include "core/scsi/emulate.h"
#include "core/scsi/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS 42

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
    struct scsi_device device = {
        .block_size = data[0] & OPTION_BLOCKS_OF_4096 ? 4096 : 512,
        .physical_block_exponent = data[1] & 0x0F,
        .read_only = data[0] & OPTION_READ_ONLY,
        .write_cache = data[0] & OPTION_WRITE_CACHE,
        .fua = data[0] & OPTION_FUA,
        .unmap = data[0] & OPTION_UNMAP,
        .max_unmap_blocks = load_be32(data + 14),
        .max_unmap_descriptors = 1u + load_be16(data + 18),
        .revision = {'0', '.', '8', ' '},
        .serial_length = data[20] == 0 ? 1 : data[20],
        .naa_length = data[0] & OPTION_NAA ? 16 : 0,
        .naa_alone = data[0] & OPTION_NAA_ALONE,
    };

    device.block_count = 1 + load_be64(data + 2) % (UINT64_MAX / device.block_size);
    device.max_transfer_blocks = 1 + load_be32(data + 10) % (UINT32_MAX / device.block_size);
    memset(device.serial, data[20], sizeof(device.serial));
    return device;
}

static void check_refusal(const struct scsi_sense *sense)
{
    CHECK(sense->key == SENSE_KEY_ILLEGAL_REQUEST || sense->key == SENSE_KEY_DATA_PROTECT);
    CHECK(sense->asc != 0);
}

static void check_sense_formats(const struct scsi_sense *sense, uint32_t capacity)
{
    uint8_t *bytes = malloc(capacity + 1u);

    CHECK(sense_write_fixed(sense, bytes, capacity) <= capacity);
    CHECK(sense_write_descriptor(sense, bytes, capacity) <= capacity);
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
        check_refusal(&result.sense);
    }
    free(data);
}

static void check_request(const struct scsi_device *device, const struct scsi_command *command,
                          const struct io_request *request, uint32_t data_length)
{
    uint64_t disk = device->block_count * device->block_size;

    CHECK(request->offset <= disk && request->length <= disk - request->offset);
    CHECK(request->offset % device->block_size == 0 && request->length % device->block_size == 0);
    CHECK(request->flags == 0 || (request->flags == IO_FUA && request->operation == IO_WRITE && device->fua));
    CHECK(request->operation == IO_READ || !device->read_only);
    switch (request->operation) {
    case IO_READ:
    case IO_WRITE:
        CHECK(request->length != 0 && request->length <= data_length);
        CHECK(request->length / device->block_size == command->blocks);
        CHECK(command->blocks <= device->max_transfer_blocks);
        CHECK(request->offset / device->block_size == command->lba);
        break;
    case IO_FLUSH:
        CHECK(device->write_cache && request->offset == 0 && request->length == 0);
        break;
    case IO_TRIM:
    case IO_WRITE_ZEROES:
    case IO_CACHE:
    case IO_BLOCK_STATUS:
        CHECK(device->unmap && request->length != 0 && request->length <= STORAGE_TRIM_MAX);
        break;
    }
}

static void check_storage(const struct scsi_device *device, const struct scsi_command *command, uint8_t *parameters,
                          uint32_t data_length, bool list_changes)
{
    struct storage_command storage;
    struct scsi_sense sense;
    enum storage_step step;
    uint64_t trimmed = 0;

    for (step = storage_begin(&storage, device, command, parameters, data_length, &sense); step == STORAGE_REQUEST;
         step = storage_next(&storage, &sense)) {
        check_request(device, command, &storage.request, data_length);
        trimmed += storage.request.operation == IO_TRIM ? storage.request.length : 0;
        for (uint32_t i = 0; list_changes && i < data_length; i++) {
            parameters[i] = (uint8_t)(parameters[i] * 5 + 1);
        }
    }
    if (step == STORAGE_REFUSED) {
        check_refusal(&sense);
        check_sense_formats(&sense, data_length % 24);
    } else if (!list_changes && device->max_unmap_blocks != UINT32_MAX) {
        CHECK(trimmed / device->block_size <= device->max_unmap_blocks);
    }
}

static void check_command(const uint8_t *data, size_t size, const struct scsi_command *command)
{
    struct scsi_device device = make_device(data);
    uint32_t buffer_length = load_be32(data + 38);

    if (!command_needs_storage(command)) {
        check_emulation(&device, command, buffer_length % 1024);
    } else if (command->operation != SCSI_UNMAP || size == PARAMETERS) {
        check_storage(&device, command, NULL, buffer_length, false);
    } else {
        uint32_t length = (uint32_t)(size - PARAMETERS);
        uint8_t *parameters = malloc(length);

        memcpy(parameters, data + PARAMETERS, length);
        check_storage(&device, command, parameters, length, (data[0] & OPTION_LIST_CHANGES) != 0);
        free(parameters);
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
