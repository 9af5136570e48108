/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/fuzz/machine.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT_BYTES (1 << 20)
#define SPEED        100
#define TIMEOUT_S    10
#define LIST_DISKS   8

static struct bed_file *adapter;
static struct server *server;

uint8_t input_u8(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->bytes++;
}

uint16_t input_u16(struct input *input)
{
    uint16_t high = input_u8(input);

    return (uint16_t)(high << 8 | input_u8(input));
}

void input_bytes(struct input *input, void *bytes, size_t length)
{
    size_t here = input->left < length ? input->left : length;

    if (here != 0) {
        memcpy(bytes, input->bytes, here);
    }
    memset((uint8_t *)bytes + here, 0, length - here);
    input->bytes += here;
    input->left -= here;
}

/* The driver's library stays loaded when the driver does not: libFuzzer counts in its memory. */
static void begin(void)
{
    bed_print_options(getenv("BED_VERBOSE") == NULL, true);
    bed_clock_speed(SPEED);
    bed_registry_set(BED_PARAMETERS_KEY, "ConnectTimeoutMs", 60000);
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 2000);
    if (dlopen(FUZZ_IMAGE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == NULL) {
        abort();
    }
}

static void start(void)
{
    if (bed_machine_start(FUZZ_IMAGE) != STATUS_SUCCESS) {
        abort();
    }
    adapter = wnbd_open();
    if (adapter == NULL) {
        abort();
    }
}

static void stop(void)
{
    fuzz_unmap_all(adapter);
    bed_close(adapter);
    if (bed_machine_stop(BED_REMOVAL_ASKED) != STATUS_SUCCESS) {
        abort();
    }
    adapter = NULL;
}

struct bed_file *fuzz_adapter(unsigned inputs)
{
    static unsigned count;

    if (count == 0) {
        begin();
    }
    if (adapter != NULL && count % inputs == 0) {
        stop();
    }
    if (adapter == NULL) {
        start();
    }
    count++;
    return adapter;
}

struct server *fuzz_server(void)
{
    struct server_options options = {
        .size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL, .form = SERVER_EXTENDED, .seed = 1};

    if (server == NULL) {
        server = server_start(&options);
    }
    return server;
}

static ULONG list(struct bed_file *file, WNBD_CONNECTION_LIST *disks, ULONG size)
{
    WNBD_IOCTL_LIST_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST};

    if (!NT_SUCCESS(
            bed_control(file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), disks, size, NULL))) {
        abort();
    }
    return disks->Count;
}

void fuzz_unmap_all(struct bed_file *file)
{
    static UCHAR buffer[sizeof(WNBD_CONNECTION_LIST) + LIST_DISKS * sizeof(WNBD_CONNECTION_INFO)]
        __attribute__((aligned(8)));
    WNBD_CONNECTION_LIST *disks = (WNBD_CONNECTION_LIST *)buffer;
    ULONG count;

    while ((count = list(file, disks, sizeof(buffer))) != 0) {
        for (ULONG i = 0; i < count; i++) {
            wnbd_unmap(file, disks->Connections[i].Properties.InstanceName);
        }
    }
}

NTSTATUS fuzz_cdb(struct bed_file *disk, const uint8_t *cdb, uint8_t cdb_length, uint8_t direction, void *data,
                  ULONG length)
{
    struct {
        SCSI_PASS_THROUGH_DIRECT header;
        UCHAR sense[32];
    } pass = {0};

    pass.header.Length = sizeof(pass.header);
    pass.header.CdbLength = cdb_length;
    pass.header.SenseInfoLength = sizeof(pass.sense);
    pass.header.DataIn = direction;
    pass.header.DataTransferLength = length;
    pass.header.TimeOutValue = TIMEOUT_S;
    pass.header.DataBuffer = data;
    pass.header.SenseInfoOffset = (ULONG)((PUCHAR)pass.sense - (PUCHAR)&pass);
    memcpy(pass.header.Cdb, cdb, cdb_length);
    return bed_control(disk, IOCTL_SCSI_PASS_THROUGH_DIRECT, &pass, sizeof(pass), &pass, sizeof(pass), NULL);
}
