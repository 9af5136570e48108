/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hostile program: any bytes and lengths of the commands that serve a disk, and of the memory that it shares with the
 * driver, while its disk has I/O. Another disk, of a program that behaves, has its data checked meanwhile: nobody is
 * harmed but the disk itself. An input is a row of commands.
 */
#include "tests/host/fuzz/machine.h"

#include "core/base/compiler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS_MAX 24
#define RESTART      100
#define BLOCKS       2048 /* of each disk */
#define BLOCK        512u
#define PENDING      6
#define BUFFER       (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A program with the handle of its disk. */
struct program {
    struct bed_file *file;
    WNBD_CONNECTION_ID id;
    WNBD_ARENA arena;
    WNBD_ARENA_REQUEST requests[8]; /* given last */
    UINT32 given;
};

/* A command that may not have ended. */
struct pending {
    struct bed_io io;
    bool begun;
    UCHAR output[4096] __attribute__((aligned(8)));
};

static struct program hostile;
static struct pending pending[PENDING];
static UCHAR buffer[BUFFER];

static NTSTATUS control(struct bed_file *file, const void *input, ULONG input_length, void *output, ULONG output_length)
{
    return bed_control(file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, input, input_length, output, output_length, NULL);
}

static bool create(struct program *program, const char *name, bool keep)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output = {0};

    memset(program, 0, sizeof(*program));
    program->file = wnbd_open();
    wnbd_describe(&command, name, 1);
    command.Properties.Flags.UseKernelNbd = 0;
    command.Properties.Flags.FlushSupported = 1;
    command.Properties.Flags.UnmapSupported = 1;
    command.Properties.Flags.PersistResSupported = 1;
    command.Properties.Flags.KeepDisk = keep;
    command.Properties.BlockCount = BLOCKS;
    command.Properties.BlockSize = BLOCK;
    command.Properties.QueueDepth = 8;
    command.Properties.ArenaSize = WNBD_MIN_ARENA_SIZE;
    if (program->file == NULL || wnbd_map(program->file, &command, &output) != STATUS_SUCCESS) {
        return false;
    }
    program->id = output.Info.ConnectionId;
    return true;
}

/* ---- The disk that behaves ---- */

static UCHAR good_bytes[BLOCKS * BLOCK];
static struct program good;
static pthread_t good_thread;

static NTSTATUS enter(struct program *program, const WNBD_ANSWER *answer, UINT32 max, bool wait,
                      WNBD_ENTER_OUTPUT *output)
{
    WNBD_IOCTL_ENTER_COMMAND command = {.IoControlCode = IOCTL_WNBD_ENTER,
                                        .ConnectionId = program->id,
                                        .AnswerCount = answer != NULL,
                                        .MaxRequests = max,
                                        .Wait = wait};

    if (answer != NULL) {
        command.Answers[0] = *answer;
    }
    return control(program->file, &command, sizeof(command), output, sizeof(*output));
}

static WNBD_ANSWER carry_out(const struct program *program, const WNBD_ARENA_REQUEST *request)
{
    UCHAR *data = (UCHAR *)(ULONG_PTR)program->arena.Address + request->DataOffset;
    size_t at = (size_t)request->Request.Cmd.Read.BlockAddress * BLOCK;

    if (request->Request.RequestType == WnbdReqTypeRead) {
        memcpy(data, good_bytes + at, request->DataLength);
    } else if (request->Request.RequestType == WnbdReqTypeWrite) {
        memcpy(good_bytes + at, data, request->DataLength);
    }
    return (WNBD_ANSWER){.RequestHandle = request->Request.RequestHandle, .DataLength = request->DataLength};
}

static void *serve_well(void *context)
{
    WNBD_ENTER_OUTPUT output = {0};
    WNBD_ANSWER answer;
    bool has_answer = false;

    while (enter(context, has_answer ? &answer : NULL, 1, true, &output) == STATUS_SUCCESS && !output.Disconnected) {
        has_answer = output.RequestCount != 0;
        if (has_answer) {
            answer = carry_out(context, &output.Requests[0]);
        }
    }
    return NULL;
}

static NTSTATUS map_arena(struct program *program)
{
    WNBD_IOCTL_MAP_ARENA_COMMAND map = {.IoControlCode = IOCTL_WNBD_MAP_ARENA, .ConnectionId = program->id};

    return control(program->file, &map, sizeof(map), &program->arena, sizeof(program->arena));
}

static void start_good(void)
{
    if (!create(&good, "good", false) || map_arena(&good) != STATUS_SUCCESS ||
        pthread_create(&good_thread, NULL, serve_well, &good) != 0) {
        abort();
    }
}

static void end_program(struct program *program)
{
    bed_close(program->file);
    if (program->arena.Address != 0) {
        bed_unmap_view((void *)(ULONG_PTR)program->arena.Address);
    }
}

static void stop_good(void)
{
    if (wnbd_unmap(good.file, "good") != STATUS_SUCCESS) {
        abort();
    }
    pthread_join(good_thread, NULL);
    end_program(&good);
}

static void check_good(struct bed_file *disk, ULONG seed)
{
    static UCHAR written[8 * BLOCK];
    static UCHAR read[8 * BLOCK];
    ULONGLONG offset = seed % (BLOCKS / 8) * sizeof(written);

    wnbd_pattern(written, sizeof(written), seed);
    if (bed_write(disk, offset, written, sizeof(written)) != STATUS_SUCCESS ||
        bed_read(disk, offset, read, sizeof(read)) != STATUS_SUCCESS || memcmp(read, written, sizeof(read)) != 0) {
        abort();
    }
}

/* ---- The one that does not ---- */

static volatile bool stopping;

/* I/O that may fail in any way. */
static void *use_hostile(void *context)
{
    UCHAR *data = calloc(1, 128 << 10);

    for (ULONG i = 0; !stopping; i++) {
        ULONG length = BLOCK << i % 9;

        switch (i % 4) {
        case 0:
            bed_flush(context);
            break;
        case 1:
            bed_read(context, i % 64 * BLOCK, data, length);
            break;
        default:
            bed_write(context, i % 64 * BLOCK, data, length);
            break;
        }
    }
    free(data);
    return NULL;
}

static void settle(struct pending *slot)
{
    if (slot->begun) {
        bed_io_cancel(&slot->io);
        bed_io_wait(&slot->io, MAXULONG, NULL);
        slot->begun = false;
    }
}

/* Begins a command; what was begun in its place before is cancelled. */
static void send_command(struct input *input, const void *command, ULONG length, ULONG output_length)
{
    struct pending *slot = &pending[input_u8(input) % PENDING];

    settle(slot);
    slot->begun = true;
    bed_control_begin(&slot->io, hostile.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, command, length, slot->output,
                      min(output_length, sizeof(slot->output)));
}

/* Takes what is there, so that there is something to answer. */
static void take_some(struct input *input)
{
    WNBD_ENTER_OUTPUT output = {0};

    UNREFERENCED_PARAMETER(input);
    while (hostile.given < ARRAYSIZE(hostile.requests) && enter(&hostile, NULL, 1, false, &output) == STATUS_SUCCESS &&
           output.RequestCount == 1) {
        hostile.requests[hostile.given++] = output.Requests[0];
    }
}

/* A name of a request: one that was given, or one of those near it, or anything. */
static UINT64 name(struct input *input)
{
    uint8_t how = input_u8(input);
    UINT64 given = hostile.given != 0 ? hostile.requests[how % hostile.given].Request.RequestHandle : 1ull << 32;

    switch (how / 64) {
    case 0:
    case 1:
        return given;
    case 2:
        return given + ((UINT64)input_u8(input) << 32) + input_u8(input);
    default:
        return (UINT64)input_u16(input) << 48 | (UINT64)input_u16(input) << 16 | input_u8(input);
    }
}

static void send_enter(struct input *input)
{
    UCHAR bytes[32 + 6 * sizeof(WNBD_ANSWER)] __attribute__((aligned(8))) = {0};
    WNBD_IOCTL_ENTER_COMMAND *command = (WNBD_IOCTL_ENTER_COMMAND *)bytes;
    uint8_t shape = input_u8(input);
    ULONG answers = shape % 7;

    command->IoControlCode = IOCTL_WNBD_ENTER;
    command->ConnectionId = hostile.id;
    command->AnswerCount = shape >= 240 ? input_u16(input) * 65537u : answers;
    command->MaxRequests = input_u8(input) % 4;
    command->Wait = input_u8(input) & 1;
    command->Wake = shape >= 200 ? UINT32_MAX : 0;
    for (ULONG i = 0; i < answers; i++) {
        WNBD_ANSWER *answer = (WNBD_ANSWER *)(bytes + FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers)) + i;

        answer->RequestHandle = name(input);
        input_bytes(input, &answer->DataLength, 8);
    }
    send_command(input, bytes, FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers) + answers * sizeof(WNBD_ANSWER),
                 16 + input_u16(input) % 512);
}

/* A buffer of the program's: good, of nobody, or of a page that cannot be touched. */
static PVOID choose_buffer(struct input *input, UINT32 *size)
{
    uint8_t how = input_u8(input);

    *size = how >= 224 ? UINT32_MAX : input_u16(input) % BUFFER;
    if (how % 8 == 0) {
        return NULL;
    }
    return how % 8 == 1 ? (PVOID)(ULONG_PTR)4096 : buffer;
}

static void send_fetch(struct input *input)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND command = {.IoControlCode = IOCTL_WNBD_FETCH_REQ, .ConnectionId = hostile.id};

    command.DataBuffer = choose_buffer(input, &command.DataBufferSize);
    if (command.DataBuffer == buffer) {
        command.DataBufferSize = min(command.DataBufferSize, BUFFER);
    }
    send_command(input, &command, sizeof(command), sizeof(command));
}

static void send_response(struct input *input)
{
    WNBD_IOCTL_SEND_RSP_COMMAND command = {.IoControlCode = IOCTL_WNBD_SEND_RSP, .ConnectionId = hostile.id};

    command.Response.RequestHandle = name(input);
    command.Response.RequestType = (WnbdRequestType)input_u8(input);
    input_bytes(input, &command.Response.Status, sizeof(command.Response.Status));
    command.DataBuffer = choose_buffer(input, &command.DataBufferSize);
    if (command.DataBuffer == buffer) {
        command.DataBufferSize = min(command.DataBufferSize, BUFFER);
    }
    send_command(input, &command, sizeof(command), 0);
}

static void send_id(struct input *input, ULONG code, ULONG length, ULONG output_length)
{
    WNBD_IOCTL_SET_SIZE_COMMAND command = {.IoControlCode = code, .ConnectionId = hostile.id};

    command.BlockCount = input_u8(input) % 2 == 0 ? BLOCKS : input_u16(input);
    if (input_u8(input) >= 240) {
        input_bytes(input, &command.ConnectionId, sizeof(command.ConnectionId));
    }
    send_command(input, &command, length, output_length);
}

/* Never one that could reach another disk by its name. */
static void send_raw(struct input *input)
{
    static const ULONG codes[] = {IOCTL_WNBD_FETCH_REQ, IOCTL_WNBD_SEND_RSP, IOCTL_WNBD_SET_DISK_SIZE, IOCTL_WNBD_OWN,
                                  IOCTL_WNBD_MAP_ARENA, IOCTL_WNBD_ENTER,    IOCTL_WNBD_ATTACH};
    UCHAR bytes[512] __attribute__((aligned(8)));
    ULONG length = input_u16(input) % sizeof(bytes);
    ULONG code = codes[input_u8(input) % ARRAYSIZE(codes)];

    input_bytes(input, bytes, sizeof(bytes));
    memcpy(bytes, &code, sizeof(code));
    if (code == IOCTL_WNBD_FETCH_REQ || code == IOCTL_WNBD_SEND_RSP) { /* any address could be one of the fuzzer's */
        PVOID nowhere = NULL;

        memcpy(bytes + (code == IOCTL_WNBD_FETCH_REQ ? FIELD_OFFSET(WNBD_IOCTL_FETCH_REQ_COMMAND, DataBuffer)
                                                     : FIELD_OFFSET(WNBD_IOCTL_SEND_RSP_COMMAND, DataBuffer)),
               &nowhere, sizeof(nowhere));
    }
    send_command(input, bytes, length, input_u16(input) % 2048);
}

static void scribble(struct input *input)
{
    ULONG at = input_u16(input) % (WNBD_MIN_ARENA_SIZE / 256) * 256;
    UCHAR bytes[256];

    input_bytes(input, bytes, sizeof(bytes));
    if (hostile.arena.Address != 0) {
        memcpy((UCHAR *)(ULONG_PTR)hostile.arena.Address + at, bytes, sizeof(bytes));
    }
}

static void act(struct input *input)
{
    switch (input_u8(input) % 12) {
    case 0:
    case 1:
        take_some(input);
        break;
    case 2:
    case 3:
        send_enter(input);
        break;
    case 4:
        send_fetch(input);
        break;
    case 5:
        send_response(input);
        break;
    case 6:
        send_id(input, IOCTL_WNBD_SET_DISK_SIZE, sizeof(WNBD_IOCTL_SET_SIZE_COMMAND), 0);
        break;
    case 7:
        send_id(input, IOCTL_WNBD_OWN, sizeof(WNBD_IOCTL_OWN_COMMAND), 0);
        break;
    case 8:
        send_id(input, IOCTL_WNBD_MAP_ARENA, sizeof(WNBD_IOCTL_MAP_ARENA_COMMAND), sizeof(WNBD_ARENA));
        break;
    case 9:
        scribble(input);
        break;
    case 10:
        settle(&pending[input_u8(input) % PENDING]);
        break;
    default:
        send_raw(input);
        break;
    }
}

/* Leaves nothing behind: what waits ends with the disk. */
static void end_hostile(struct bed_file *disk, pthread_t user)
{
    stopping = true;
    wnbd_unmap(good.file, "hostile"); /* also one that nobody owns */
    pthread_join(user, NULL);
    for (int i = 0; i < PENDING; i++) {
        settle(&pending[i]);
    }
    bed_close(disk);
    end_program(&hostile);
}

static void play(struct input *input, struct bed_file *good_disk)
{
    struct bed_file *disk;
    pthread_t user;

    if (!create(&hostile, "hostile", input_u8(input) % 2 == 1)) {
        abort();
    }
    if (input_u8(input) % 8 != 0 && map_arena(&hostile) != STATUS_SUCCESS) {
        abort();
    }
    stopping = false;
    if (!NT_SUCCESS(wnbd_open_disk(good.file, "hostile", &disk)) ||
        pthread_create(&user, NULL, use_hostile, disk) != 0) {
        abort();
    }
    for (unsigned i = 0; i < COMMANDS_MAX && input->left != 0; i++) {
        act(input);
        if (i % 8 == 0) {
            check_good(good_disk, (ULONG)input->left + i);
        }
    }
    end_hostile(disk, user);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct bed_file *disk;

    fuzz_adapter(RESTART);
    start_good();
    if (!NT_SUCCESS(wnbd_open_disk(good.file, "good", &disk))) {
        abort();
    }
    play(&input, disk);
    check_good(disk, 1);
    bed_close(disk);
    stop_good();
    return 0;
}
