/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A logical unit as a process: `iscsi-unit BLOCK_SIZE [read-only]`. It is asked on its standard input and answers on
 * its standard output, one after another, numbers in big-endian order:
 *
 *     question: what (1 byte: enum question), CDB length (1), 0 (2), bytes sent (4), bytes wanted (4), CDB, what is
 * sent answer:   status (1), sense length (1), 0 (2), bytes transferred (4), bytes answered (4), sense, what is
 * answered
 *
 * A command sends bytes or wants some, not both. It ends with its input.
 */
#include "core/base/bytes.h"
#include "tests/iscsi/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum question {
    QUESTION_COMMAND,
    QUESTION_UNIT_RESET,
    QUESTION_TARGET_RESET,
};

#define DISK_SIZE   (64u << 20) /* bytes */
#define HEAD_LENGTH 12
#define ROOM        DISK_SIZE /* bytes: more than the unit takes, so that it is the one that refuses */

static uint8_t data[ROOM];

static bool read_whole(void *bytes, size_t length)
{
    return fread(bytes, 1, length, stdin) == length;
}

static void write_whole(const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, stdout) != length) {
        exit(1);
    }
}

static void write_answer(const struct scsi_result *result, uint32_t wanted)
{
    bool is_good = result->status == SCSI_STATUS_GOOD;
    uint32_t answered = is_good && wanted != 0 ? result->transferred : 0;
    uint8_t head[HEAD_LENGTH] = {result->status};
    uint8_t sense[SENSE_DESCRIPTOR_LENGTH];

    if (!is_good) {
        head[1] = (uint8_t)sense_write(&result->sense, result->descriptor_sense, sense, sizeof sense);
    }
    store_be32(head + 4, result->transferred);
    store_be32(head + 8, answered);
    write_whole(head, sizeof head);
    write_whole(sense, head[1]);
    write_whole(data, answered);
    fflush(stdout);
}

static void answer(struct unit *unit, enum question question, const uint8_t *cdb, const uint8_t *head)
{
    uint32_t sent = load_be32(head + 4);
    uint32_t wanted = load_be32(head + 8);
    struct scsi_result result = {.status = SCSI_STATUS_GOOD};

    switch (question) {
    case QUESTION_COMMAND:
        unit_execute(unit, cdb, head[1], data, sent != 0 ? sent : wanted, &result);
        break;
    case QUESTION_UNIT_RESET:
        unit_reset(unit, ATTENTION_UNIT_RESET);
        break;
    case QUESTION_TARGET_RESET:
        unit_reset(unit, ATTENTION_BUS_RESET);
        break;
    }
    write_answer(&result, wanted);
}

static bool serve_one(struct unit *unit)
{
    uint8_t head[HEAD_LENGTH];
    uint8_t cdb[UINT8_MAX];

    if (!read_whole(head, sizeof head) || load_be32(head + 4) > ROOM || load_be32(head + 8) > ROOM) {
        return false;
    }
    if (!read_whole(cdb, head[1]) || !read_whole(data, load_be32(head + 4))) {
        return false;
    }
    answer(unit, head[0], cdb, head);
    return true;
}

int main(int argc, char **argv)
{
    static struct unit unit;
    uint32_t block_size = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 512;

    if (!unit_init(&unit, DISK_SIZE, block_size, argc > 2 && strcmp(argv[2], "read-only") == 0)) {
        return 1;
    }
    while (serve_one(&unit)) {
    }
    return 0;
}
