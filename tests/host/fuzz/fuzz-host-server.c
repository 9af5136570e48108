/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server that says what the input says, from its first byte on, and then closes. The disk is mapped if that can be;
 * then some requests go out, of which the input may answer those it likes.
 */
#include "tests/host/fuzz/machine.h"

#define RESTART        100
#define TRANSFER_BYTES 32768

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(struct bed_file *adapter)
{
    static const uint8_t read[10] = {0x28, [7] = TRANSFER_BYTES / 512 >> 8, TRANSFER_BYTES / 512 & 0xFF};
    static const uint8_t write[10] = {0x2A, [8] = 1};
    static const uint8_t flush[10] = {0x35};
    static UCHAR data[TRANSFER_BYTES];
    struct bed_file *disk;

    if (!NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disk))) {
        return;
    }
    fuzz_cdb(disk, write, sizeof(write), 0, data, 512);
    fuzz_cdb(disk, read, sizeof(read), 1, data, sizeof(data));
    fuzz_cdb(disk, flush, sizeof(flush), 2, NULL, 0);
    bed_close(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct server_options options = {.script = bytes, .script_length = size};
    struct server *server = server_start(&options);
    struct bed_file *adapter = fuzz_adapter(RESTART);

    if (NT_SUCCESS(wnbd_map_port(adapter, "vol1", server_port(server)))) {
        use(adapter);
        wnbd_unmap(adapter, "vol1");
    }
    server_stop(server);
    return 0;
}
