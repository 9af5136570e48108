/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any CDB with any length and direction of data, to a disk that is mapped. An input is a row of them. */
#include "tests/host/fuzz/machine.h"

#include <stdlib.h>
#include <string.h>

#define CDBS_MAX 16
#define RESTART  500

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct bed_file *mapped_disk(struct bed_file *adapter)
{
    struct bed_file *disk;

    if (!NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disk))) {
        if (wnbd_map_port(adapter, "vol1", server_port(fuzz_server())) != STATUS_SUCCESS ||
            !NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disk))) {
            abort();
        }
    }
    return disk;
}

static void run(struct bed_file *disk, struct input *input)
{
    uint8_t shape = input_u8(input);
    uint8_t cdb[16] = {0};
    uint8_t cdb_length = (uint8_t)(shape % 16 + 1);
    ULONG length = input_u16(input) * (shape >= 240 ? 64u : 1u);
    UCHAR *data = malloc(length + 1);

    input_bytes(input, cdb, cdb_length);
    input_bytes(input, data, min(length, 64));
    memset(data + min(length, 64), 0x5A, length - min(length, 64));
    fuzz_cdb(disk, cdb, cdb_length, shape / 16 % 3, data, length);
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct bed_file *disk = mapped_disk(fuzz_adapter(RESTART));

    for (unsigned i = 0; i < CDBS_MAX && input.left != 0; i++) {
        run(disk, &input);
    }
    bed_close(disk);
    return 0;
}
