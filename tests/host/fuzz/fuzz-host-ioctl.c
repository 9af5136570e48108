/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Controls of any code, length and content, to the adapter and to a disk. An input is a row of controls: what to send
 * where, the lengths, the bytes. So that some get far, a control can begin as a command that is right and be spoilt.
 */
#include "tests/host/fuzz/machine.h"

#include <stdlib.h>
#include <string.h>

#define CONTROLS_MAX 12
#define RESTART      200
#define SPOILS_MAX   4

enum kind { RAW, CREATE, REMOVE, NAMED, DISK, ANY_CODE, KINDS };

/* What NAMED's next byte may say besides a code. */
enum { BY_ID = 128, SERVED = 192 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct bed_file *adapter;

struct control {
    ULONG code;
    ULONG input_length;
    ULONG output_length;
    bool cancel;
    UCHAR input[4096] __attribute__((aligned(8)));
};

static const ULONG disk_codes[] = {
    IOCTL_SCSI_PASS_THROUGH,
    IOCTL_STORAGE_QUERY_PROPERTY,
    IOCTL_DISK_GET_DRIVE_GEOMETRY_EX,
    IOCTL_DISK_IS_WRITABLE,
    IOCTL_DISK_VERIFY,
    IOCTL_DISK_UPDATE_PROPERTIES,
    IOCTL_SCSI_GET_ADDRESS,
    IOCTL_STORAGE_GET_DEVICE_NUMBER,
    IOCTL_DISK_GET_LENGTH_INFO,
    0x002d9404 /* DATA SET ATTR */,
};

/* The id of the disk of that number in the list; 1: there is none. */
static WNBD_CONNECTION_ID last_id(unsigned number)
{
    static UCHAR buffer[sizeof(WNBD_CONNECTION_LIST) + 4 * sizeof(WNBD_CONNECTION_INFO)] __attribute__((aligned(8)));
    WNBD_IOCTL_LIST_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST};
    WNBD_CONNECTION_LIST *disks = (WNBD_CONNECTION_LIST *)buffer;

    bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), disks, sizeof(buffer), NULL);
    return number < disks->Count ? disks->Connections[number].ConnectionId : 1;
}

/* Names and servers of the machine's own: nothing is looked up and nobody else is connected to. */
static void fill_create(struct control *control, struct input *input)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.1", "::1", "", "not-an-address"};
    WNBD_IOCTL_CREATE_COMMAND *command = (WNBD_IOCTL_CREATE_COMMAND *)control->input;
    char name[2] = {(char)('a' + input_u8(input) % 4), 0};
    uint8_t what = input_u8(input);

    wnbd_describe(command, name, what % 8 == 7 ? 1 : server_port(fuzz_server()));
    strcpy(command->Properties.NbdProperties.Hostname, hosts[what / 8 % ARRAYSIZE(hosts)]);
    command->Properties.BlockSize = what >= 240 ? 4096 : 0;
    control->input_length = sizeof(*command);
}

static void fill_named(struct control *control, struct input *input, ULONG code)
{
    WNBD_IOCTL_REMOVE_COMMAND *command = (WNBD_IOCTL_REMOVE_COMMAND *)control->input;
    char name[2] = {(char)('a' + input_u8(input) % 4), 0};

    wnbd_remove_command(command, name);
    command->IoControlCode = code;
    control->input_length = sizeof(*command);
}

/* A disk that this program would have to serve: it has no I/O but what Windows does by itself, which it leaves alone.
 */
static void fill_served(struct control *control, struct input *input)
{
    WNBD_IOCTL_CREATE_COMMAND *command = (WNBD_IOCTL_CREATE_COMMAND *)control->input;
    char name[2] = {(char)('a' + input_u8(input) % 4), 0};

    wnbd_describe(command, name, 1);
    command->Properties.Flags.UseKernelNbd = 0;
    command->Properties.BlockSize = 512;
    command->Properties.BlockCount = 2048;
    command->Properties.QueueDepth = input_u8(input);
    command->Properties.ArenaSize = WNBD_MIN_ARENA_SIZE;
    control->input_length = sizeof(*command);
}

/* The codes of a served disk, with the id that the last one may have: it is not known, but ids are given in turn. */
static void fill_by_id(struct control *control, struct input *input)
{
    static const struct {
        ULONG code;
        ULONG offset; /* of the id */
        ULONG length;
    } codes[] = {
        {IOCTL_WNBD_FETCH_REQ, FIELD_OFFSET(WNBD_IOCTL_FETCH_REQ_COMMAND, ConnectionId),
         sizeof(WNBD_IOCTL_FETCH_REQ_COMMAND)},
        {IOCTL_WNBD_SEND_RSP, FIELD_OFFSET(WNBD_IOCTL_SEND_RSP_COMMAND, ConnectionId),
         sizeof(WNBD_IOCTL_SEND_RSP_COMMAND)},
        {IOCTL_WNBD_SET_DISK_SIZE, FIELD_OFFSET(WNBD_IOCTL_SET_SIZE_COMMAND, ConnectionId),
         sizeof(WNBD_IOCTL_SET_SIZE_COMMAND)},
        {IOCTL_WNBD_OWN, FIELD_OFFSET(WNBD_IOCTL_OWN_COMMAND, ConnectionId), sizeof(WNBD_IOCTL_OWN_COMMAND)},
        {IOCTL_WNBD_MAP_ARENA, FIELD_OFFSET(WNBD_IOCTL_MAP_ARENA_COMMAND, ConnectionId),
         sizeof(WNBD_IOCTL_MAP_ARENA_COMMAND)},
        {IOCTL_WNBD_ENTER, FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, ConnectionId), sizeof(WNBD_IOCTL_ENTER_COMMAND)},
    };
    WNBD_CONNECTION_ID id = last_id(input_u8(input) % 4);
    size_t which = input_u8(input) % ARRAYSIZE(codes);

    memcpy(control->input, &codes[which].code, sizeof(codes[which].code));
    memcpy(control->input + codes[which].offset, &id, sizeof(id));
    control->input_length = codes[which].length;
}

static void fill_named_or_served(struct control *control, struct input *input)
{
    uint8_t what = input_u8(input);

    if (what >= SERVED) {
        fill_served(control, input);
    } else if (what >= BY_ID) {
        fill_by_id(control, input);
    } else {
        fill_named(control, input, what % 40);
    }
}

/* Some bytes of a right command become others; never those of the host's name. */
static void spoil(struct control *control, struct input *input)
{
    ULONG host = FIELD_OFFSET(WNBD_IOCTL_CREATE_COMMAND, Properties.NbdProperties.Hostname);

    for (unsigned i = input_u8(input) % SPOILS_MAX; i != 0; i--) {
        ULONG at = input_u16(input) % sizeof(control->input);

        if (at < host || at >= host + WNBD_MAX_NAME_LENGTH) {
            control->input[at] = input_u8(input);
        }
    }
}

static void fill_raw(struct control *control, struct input *input)
{
    control->input_length = input_u16(input) % 512;
    input_bytes(input, control->input, control->input_length);
    if (control->input_length >= sizeof(ULONG) && control->input[0] == IOCTL_WNBD_CREATE) {
        control->input_length = min(control->input_length, 300); /* too short to connect to anybody */
    }
}

static enum kind take(struct control *control, struct input *input)
{
    uint8_t first = input_u8(input);
    enum kind kind = (enum kind)(first % KINDS);

    memset(control, 0, sizeof(*control));
    control->code = IOCTL_MINIPORT_PROCESS_SERVICE_IRP;
    control->cancel = first >= 192;
    control->output_length = input_u16(input) % 8192;
    switch (kind) {
    case CREATE:
        fill_create(control, input);
        break;
    case REMOVE:
        fill_named(control, input, IOCTL_WNBD_REMOVE);
        break;
    case NAMED:
        fill_named_or_served(control, input);
        break;
    case DISK:
        control->code = disk_codes[input_u8(input) % ARRAYSIZE(disk_codes)];
        fill_raw(control, input);
        break;
    case ANY_CODE:
        control->code = (ULONG)input_u16(input) << 16 | input_u16(input);
        fill_raw(control, input);
        break;
    case RAW:
    case KINDS:
        fill_raw(control, input);
        break;
    }
    spoil(control, input);
    return kind;
}

/* Commands that wait for what need not come. */
static bool waits(const struct control *control)
{
    ULONG code;

    memcpy(&code, control->input, sizeof(code));
    return code == IOCTL_WNBD_FETCH_REQ || code == IOCTL_WNBD_OWN || code == IOCTL_WNBD_ENTER;
}

static void send_control(struct bed_file *file, const struct control *control)
{
    UCHAR *output = malloc(control->output_length + 1);
    struct bed_io io;

    bed_control_begin(&io, file, control->code, control->input, control->input_length, output, control->output_length);
    if (control->cancel || waits(control)) {
        bed_io_cancel(&io);
    }
    bed_io_wait(&io, MAXULONG, NULL);
    free(output);
}

/* Whatever a raw code means here, a direct pass-through names addresses, which only a program's own may be. */
static bool may_be_sent(const struct control *control)
{
    return control->code != IOCTL_SCSI_PASS_THROUGH_DIRECT;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    static struct control control;

    adapter = fuzz_adapter(RESTART);
    for (unsigned i = 0; i < CONTROLS_MAX && input.left != 0; i++) {
        enum kind kind = take(&control, &input);
        struct bed_file *disk;

        if (!may_be_sent(&control)) {
            continue;
        }
        if (kind == DISK && NT_SUCCESS(bed_open_disk(input_u8(&input) % 4, 0, &disk))) {
            send_control(disk, &control);
            bed_close(disk);
        } else {
            send_control(adapter, &control);
        }
    }
    fuzz_unmap_all(adapter);
    return 0;
}
