/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any CDB by SCSI pass-through, buffered and direct. */
#include "commands.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winioctl.h>
#include <ntddscsi.h>

#define SENSE_BYTES   32u
#define DATA_MAX      (4u << 20)
#define TIMEOUT_S     30u
#define CDB_BYTES_MAX 16u

/* What is asked and what came back. */
struct exchange {
    unsigned char cdb[CDB_BYTES_MAX];
    uint32_t cdb_length;
    bool is_out;
    unsigned char *data;
    uint32_t length;
    DWORD error;
    unsigned char status;
    unsigned char sense[SENSE_BYTES];
    uint32_t transferred;
    DWORD returned; /* bytes of the ioctl's own answer */
};

struct buffered {
    SCSI_PASS_THROUGH header;
    ULONG alignment;
    unsigned char sense[SENSE_BYTES];
    unsigned char data[];
};

struct direct {
    SCSI_PASS_THROUGH_DIRECT header;
    ULONG alignment;
    unsigned char sense[SENSE_BYTES];
};

static uint32_t from_hex(const char *text, unsigned char *bytes, uint32_t size)
{
    uint32_t count = 0;

    for (const char *at = text; *at != '\0'; at += 2, count++) {
        char pair[3] = {at[0], at[1], '\0'};
        char *end;

        if (count == size)
            die(EXIT_CODE_USE, "'%s' has more than %u bytes", text, size);
        bytes[count] = (unsigned char)strtoul(pair, &end, 16);
        if (end != pair + 2)
            die(EXIT_CODE_USE, "'%s' is not a row of bytes in hexadecimal", text);
    }
    return count;
}

static uint32_t from_file(const char *path, unsigned char *bytes, uint32_t size)
{
    FILE *file = fopen(path, "rb");
    size_t count;

    if (!file)
        die(EXIT_CODE_USE, "cannot read %s", path);
    count = fread(bytes, 1, size, file);
    fclose(file);
    return (uint32_t)count;
}

static void print_hex(const char *name, const unsigned char *bytes, uint32_t length)
{
    printf("%s:%s", name, length ? " " : "");
    for (uint32_t i = 0; i < length; i++)
        printf("%02x", bytes[i]);
    puts("");
}

static void send_direct(struct disk *disk, struct exchange *exchange)
{
    struct direct request = {0};

    request.header.Length = sizeof(request.header);
    request.header.CdbLength = (UCHAR)exchange->cdb_length;
    request.header.SenseInfoLength = SENSE_BYTES;
    request.header.DataIn = exchange->length == 0 ? SCSI_IOCTL_DATA_UNSPECIFIED
                            : exchange->is_out    ? SCSI_IOCTL_DATA_OUT
                                                  : SCSI_IOCTL_DATA_IN;
    request.header.DataTransferLength = exchange->length;
    request.header.TimeOutValue = TIMEOUT_S;
    request.header.DataBuffer = exchange->length ? exchange->data : NULL;
    request.header.SenseInfoOffset = offsetof(struct direct, sense);
    memcpy(request.header.Cdb, exchange->cdb, sizeof(request.header.Cdb));
    exchange->error = disk_control(disk, IOCTL_SCSI_PASS_THROUGH_DIRECT, &request, sizeof(request), &request,
                                   sizeof(request), &exchange->returned);
    exchange->status = request.header.ScsiStatus;
    exchange->transferred = request.header.DataTransferLength;
    memcpy(exchange->sense, request.sense, SENSE_BYTES);
}

static void send_buffered(struct disk *disk, struct exchange *exchange)
{
    DWORD in_length = (DWORD)offsetof(struct buffered, data) + (exchange->is_out ? exchange->length : 0);
    DWORD out_length = (DWORD)offsetof(struct buffered, data) + (exchange->is_out ? 0 : exchange->length);
    struct buffered *request = disk_allocate(sizeof(*request) + exchange->length);

    request->header.Length = sizeof(request->header);
    request->header.CdbLength = (UCHAR)exchange->cdb_length;
    request->header.SenseInfoLength = SENSE_BYTES;
    request->header.DataIn = exchange->length == 0 ? SCSI_IOCTL_DATA_UNSPECIFIED
                             : exchange->is_out    ? SCSI_IOCTL_DATA_OUT
                                                   : SCSI_IOCTL_DATA_IN;
    request->header.DataTransferLength = exchange->length;
    request->header.TimeOutValue = TIMEOUT_S;
    request->header.DataBufferOffset = exchange->length ? offsetof(struct buffered, data) : 0;
    request->header.SenseInfoOffset = offsetof(struct buffered, sense);
    memcpy(request->header.Cdb, exchange->cdb, sizeof(request->header.Cdb));
    if (exchange->is_out)
        memcpy(request->data, exchange->data, exchange->length);
    exchange->error =
        disk_control(disk, IOCTL_SCSI_PASS_THROUGH, request, in_length, request, out_length, &exchange->returned);
    exchange->status = request->header.ScsiStatus;
    exchange->transferred = request->header.DataTransferLength;
    memcpy(exchange->sense, request->sense, SENSE_BYTES);
    if (!exchange->is_out)
        memcpy(exchange->data, request->data, exchange->length);
    disk_free(request);
}

static void take_data(struct arguments *arguments, struct exchange *exchange)
{
    const char *hex = arguments_text(arguments, "--out-hex", NULL);
    const char *file = arguments_text(arguments, "--out", NULL);

    exchange->length = (uint32_t)arguments_number(arguments, "--in", 0);
    if ((hex != NULL) + (file != NULL) + (exchange->length != 0) > 1 || exchange->length > DATA_MAX)
        die(EXIT_CODE_USE, "one of --in N (up to %u), --out FILE and --out-hex BYTES", DATA_MAX);
    exchange->data = disk_allocate(DATA_MAX);
    exchange->is_out = hex || file;
    if (hex)
        exchange->length = from_hex(hex, exchange->data, DATA_MAX);
    else if (file)
        exchange->length = from_file(file, exchange->data, DATA_MAX);
}

/* cdb HEX [--in N | --out FILE | --out-hex BYTES] [--direct] */
int command_cdb(struct disk *disk, struct arguments *arguments)
{
    struct exchange exchange = {0};
    bool is_direct = arguments_flag(arguments, "--direct");

    take_data(arguments, &exchange);
    exchange.cdb_length = from_hex(arguments_word(arguments, "the CDB"), exchange.cdb, sizeof(exchange.cdb));
    arguments_check_all_used(arguments);
    if (is_direct)
        send_direct(disk, &exchange);
    else
        send_buffered(disk, &exchange);
    printf("error: %lu\nreturned: %lu\n", exchange.error, exchange.returned);
    if (exchange.error == ERROR_SUCCESS) {
        printf("status: %02x\ntransferred: %u\n", exchange.status, exchange.transferred);
        print_hex("sense", exchange.sense, exchange.status == 0 ? 0 : SENSE_BYTES);
        print_hex("data", exchange.data,
                  exchange.is_out                          ? 0
                  : exchange.transferred < exchange.length ? exchange.transferred
                                                           : exchange.length);
    }
    disk_free(exchange.data);
    return exchange.error == ERROR_SUCCESS && exchange.status == 0 ? 0 : EXIT_CODE_FAIL;
}
