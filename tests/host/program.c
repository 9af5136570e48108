/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/program.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 600000

/* Begins a command over the handle, unless it is closed. */
static bool begin(struct program *program, struct bed_io *io, const void *input, ULONG input_length, void *output,
                  ULONG output_length)
{
    bool open;

    pthread_rwlock_rdlock(&program->file_lock);
    open = program->file != NULL;
    if (open) {
        bed_control_begin(io, program->file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, input, input_length, output,
                          output_length);
    }
    pthread_rwlock_unlock(&program->file_lock);
    return open;
}

static NTSTATUS command(struct program *program, const void *input, ULONG input_length, void *output,
                        ULONG output_length)
{
    struct bed_io io;

    return begin(program, &io, input, input_length, output, output_length) ? bed_io_wait(&io, MAXULONG, NULL)
                                                                           : STATUS_INVALID_HANDLE;
}

static void close_handle(struct program *program)
{
    pthread_rwlock_wrlock(&program->file_lock);
    if (program->file != NULL) {
        bed_close(program->file);
        program->file = NULL;
    }
    pthread_rwlock_unlock(&program->file_lock);
}

/* ---- It begins ---- */

static void describe(const struct program *program, WNBD_IOCTL_CREATE_COMMAND *create)
{
    const struct program_options *options = &program->options;
    WNBD_PROPERTIES *properties = &create->Properties;

    memset(create, 0, sizeof(*create));
    create->IoControlCode = IOCTL_WNBD_CREATE;
    strncpy(properties->InstanceName, options->name, sizeof(properties->InstanceName) - 1);
    strcpy(properties->Owner, "test");
    properties->Flags = options->flags;
    properties->BlockSize = options->block_size;
    properties->BlockCount = PROGRAM_BYTES / options->block_size;
    properties->PhysicalBlockSize = options->physical_block_size;
    properties->QueueDepth = options->queue_depth;
    properties->ArenaSize = options->arena_size;
}

static void init(struct program *program, const struct program_options *options)
{
    memset(program, 0, sizeof(*program));
    pthread_rwlock_init(&program->file_lock, NULL);
    pthread_mutex_init(&program->bytes_lock, NULL);
    program->options = *options;
    program->options.name = options->name != NULL ? options->name : "vol1";
    program->options.block_size = options->block_size != 0 ? options->block_size : 512;
    program->options.fetch_room = options->fetch_room != 0 ? options->fetch_room : WNBD_DEFAULT_MAX_TRANSFER_LENGTH;
    program->bytes = options->store != NULL ? options->store : calloc(1, PROGRAM_BYTES);
    program->file = wnbd_open();
    assert_non_null(program->file);
}

NTSTATUS program_create(struct program *program, const struct program_options *options)
{
    WNBD_IOCTL_CREATE_COMMAND create;
    WNBD_IOCTL_CREATE_OUTPUT output;
    NTSTATUS status;

    init(program, options);
    describe(program, &create);
    status = wnbd_map(program->file, &create, &output);
    program->id = output.Info.ConnectionId;
    return status;
}

static NTSTATUS attach(struct program *program)
{
    WNBD_IOCTL_ATTACH_COMMAND attach = {.IoControlCode = IOCTL_WNBD_ATTACH};
    WNBD_CONNECTION_INFO info = {0};
    NTSTATUS status;

    strncpy(attach.InstanceName, program->options.name, sizeof(attach.InstanceName) - 1);
    status = command(program, &attach, sizeof(attach), &info, sizeof(info));
    program->id = info.ConnectionId;
    return status;
}

NTSTATUS program_attach(struct program *program, const struct program_options *options)
{
    init(program, options);
    return attach(program);
}

NTSTATUS program_map_arena(struct program *program)
{
    WNBD_IOCTL_MAP_ARENA_COMMAND map = {.IoControlCode = IOCTL_WNBD_MAP_ARENA, .ConnectionId = program->id};

    return command(program, &map, sizeof(map), &program->arena, sizeof(program->arena));
}

void program_own(struct program *program)
{
    program->own_command = (WNBD_IOCTL_OWN_COMMAND){.IoControlCode = IOCTL_WNBD_OWN, .ConnectionId = program->id};
    program->owns = begin(program, &program->own, &program->own_command, sizeof(program->own_command), NULL, 0);
}

/* ---- Requests ---- */

static UINT32 command_size(UINT32 answers)
{
    return FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers) + answers * sizeof(WNBD_ANSWER);
}

NTSTATUS program_enter(struct program *program, const WNBD_ANSWER *answers, UINT32 answer_count, UINT32 max, bool wait,
                       struct program_output *output)
{
    union {
        WNBD_IOCTL_ENTER_COMMAND head;
        UCHAR bytes[sizeof(WNBD_IOCTL_ENTER_COMMAND) + WNBD_ENTER_MAX_ANSWERS * sizeof(WNBD_ANSWER)];
    } enter = {.head = {.IoControlCode = IOCTL_WNBD_ENTER,
                        .ConnectionId = program->id,
                        .AnswerCount = answer_count,
                        .MaxRequests = max,
                        .Wait = wait}};

    memset(output, 0, sizeof(*output));
    if (answer_count != 0) {
        memcpy(enter.bytes + command_size(0), answers, answer_count * sizeof(*answers));
    }
    return command(program, &enter, command_size(answer_count), output, sizeof(*output));
}

void program_enter_begin(struct program *program, struct bed_io *io, UINT32 max, struct program_output *output)
{
    WNBD_IOCTL_ENTER_COMMAND enter = {
        .IoControlCode = IOCTL_WNBD_ENTER, .ConnectionId = program->id, .MaxRequests = max, .Wait = 1};

    assert_true(begin(program, io, &enter, command_size(0), output, sizeof(*output)));
}

UCHAR *program_data(const struct program *program, const WNBD_ARENA_REQUEST *request)
{
    assert_true((UINT64)request->DataOffset + request->DataLength <= program->arena.Size);
    return (UCHAR *)(ULONG_PTR)program->arena.Address + request->DataOffset;
}

WNBD_ARENA_REQUEST program_next(struct program *program)
{
    struct program_output output = {0};

    while (output.head.RequestCount == 0) {
        assert_int_equal(program_enter(program, NULL, 0, 1, true, &output), STATUS_SUCCESS);
        assert_int_equal(output.head.Disconnected, 0);
    }
    return output.head.Requests[0];
}

static void unmap(struct program *program, const UCHAR *data)
{
    WNBD_UNMAP_DESCRIPTOR descriptor;
    UINT32 block = program->options.block_size;

    memcpy(&descriptor, data, sizeof(descriptor));
    assert_int_equal(descriptor.Reserved, 0);
    memset(program->bytes + descriptor.BlockAddress * block, 0, (size_t)descriptor.BlockCount * block);
}

WNBD_ANSWER program_carry_out(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data)
{
    const WNBD_IO_REQUEST *io = &request->Request;
    UINT32 block = program->options.block_size;
    WNBD_ANSWER answer = {.RequestHandle = io->RequestHandle, .DataLength = request->DataLength};

    InterlockedIncrement(&program->requests[io->RequestType]);
    if (program->options.does != NULL && program->options.does(program, request, data, &answer)) {
        return answer;
    }
    pthread_mutex_lock(&program->bytes_lock); /* an aborted write may be carried out while it comes again */
    switch (io->RequestType) {
    case WnbdReqTypeRead:
        memcpy(data, program->bytes + io->Cmd.Read.BlockAddress * block, (size_t)io->Cmd.Read.BlockCount * block);
        break;
    case WnbdReqTypeWrite:
        memcpy(program->bytes + io->Cmd.Write.BlockAddress * block, data, (size_t)io->Cmd.Write.BlockCount * block);
        break;
    case WnbdReqTypeUnmap:
        unmap(program, data);
        break;
    case WnbdReqTypeFlush:
    case WnbdReqTypePersistResIn:
    case WnbdReqTypePersistResOut:
    case WnbdReqTypeDisconnect:
    case WnbdReqTypeUnknown:
        break;
    }
    pthread_mutex_unlock(&program->bytes_lock);
    return answer;
}

UINT32 program_answer(struct program *program, const WNBD_ANSWER *answer)
{
    struct program_output output;

    assert_int_equal(program_enter(program, answer, 1, 0, false, &output), STATUS_SUCCESS);
    return output.head.RefusedCount;
}

/* ---- Threads ---- */

static void ended(struct program *program, NTSTATUS status)
{
    InterlockedIncrement(NT_SUCCESS(status) ? &program->disconnected : &program->failed);
}

static void *serve_batches(void *context)
{
    struct program *program = context;
    WNBD_ANSWER answers[PROGRAM_BATCH];
    struct program_output output;
    UINT32 count = 0;
    NTSTATUS status;

    for (;;) {
        status = program_enter(program, answers, count, PROGRAM_BATCH, true, &output);
        count = 0;
        if (!NT_SUCCESS(status) || output.head.Disconnected) {
            break;
        }
        InterlockedExchangeAdd(&program->refused, (LONG)output.head.RefusedCount);
        for (; count < output.head.RequestCount; count++) {
            const WNBD_ARENA_REQUEST *request = &output.head.Requests[count];

            answers[count] = program_carry_out(program, request, program_data(program, request));
        }
    }
    ended(program, status);
    return NULL;
}

NTSTATUS program_fetch(struct program *program, WNBD_IOCTL_FETCH_REQ_COMMAND *fetched, UCHAR *data)
{
    *fetched = (WNBD_IOCTL_FETCH_REQ_COMMAND){.IoControlCode = IOCTL_WNBD_FETCH_REQ,
                                              .ConnectionId = program->id,
                                              .DataBuffer = data,
                                              .DataBufferSize = program->options.fetch_room};
    return command(program, fetched, sizeof(*fetched), fetched, sizeof(*fetched));
}

NTSTATUS program_send(struct program *program, const WNBD_ANSWER *answer, UCHAR *data)
{
    WNBD_IOCTL_SEND_RSP_COMMAND response = {.IoControlCode = IOCTL_WNBD_SEND_RSP, .ConnectionId = program->id};

    response.Response.RequestHandle = answer->RequestHandle;
    response.Response.Status.ScsiStatus = answer->ScsiStatus;
    response.Response.Status.SenseKey = answer->SenseKey;
    response.Response.Status.ASC = answer->ASC;
    response.DataBuffer = answer->DataLength != 0 ? data : NULL;
    response.DataBufferSize = answer->DataLength;
    return command(program, &response, sizeof(response), NULL, 0);
}

static UINT32 read_length(const struct program *program, const WNBD_IO_REQUEST *request)
{
    return request->RequestType == WnbdReqTypeRead ? request->Cmd.Read.BlockCount * program->options.block_size : 0;
}

static void *serve_one_at_a_time(void *context)
{
    struct program *program = context;
    UCHAR *data = malloc(program->options.fetch_room);
    WNBD_IOCTL_FETCH_REQ_COMMAND fetched;
    NTSTATUS status;

    while (NT_SUCCESS(status = program_fetch(program, &fetched, data)) &&
           fetched.Request.RequestType != WnbdReqTypeDisconnect) {
        WNBD_ARENA_REQUEST request = {.Request = fetched.Request, .DataLength = read_length(program, &fetched.Request)};
        WNBD_ANSWER answer = program_carry_out(program, &request, data);

        if (program_send(program, &answer, data) != STATUS_SUCCESS) {
            InterlockedIncrement(&program->refused);
        }
    }
    free(data);
    ended(program, status);
    return NULL;
}

void program_serve(struct program *program)
{
    const struct program_options *options = &program->options;

    for (unsigned i = 0; i < options->threads; i++) {
        bool one = options->one_at_a_time || (options->mixed && i % 2 == 1);

        pthread_create(&program->threads[i], NULL, one ? serve_one_at_a_time : serve_batches, program);
    }
}

static void begin_to_serve(struct program *program)
{
    program_own(program);
    if (!program->options.one_at_a_time) {
        assert_int_equal(program_map_arena(program), STATUS_SUCCESS);
    }
    program_serve(program);
}

void program_start(struct program *program, const struct program_options *options)
{
    assert_int_equal(program_create(program, options), STATUS_SUCCESS);
    begin_to_serve(program);
}

void program_take_over(struct program *program, const struct program_options *options)
{
    LARGE_INTEGER pause = {.QuadPart = -10000};
    NTSTATUS status = program_attach(program, options);

    while (status == STATUS_SHARING_VIOLATION) {
        KeDelayExecutionThread(UserMode, FALSE, &pause);
        status = attach(program);
    }
    assert_int_equal(status, STATUS_SUCCESS);
    begin_to_serve(program);
}

/* ---- It ends ---- */

void program_wait(struct program *program)
{
    for (unsigned i = 0; i < program->options.threads; i++) {
        pthread_join(program->threads[i], NULL);
    }
    program->options.threads = 0;
    if (program->owns) {
        program->owns = false;
        program->own_status = bed_io_wait(&program->own, PATIENCE_MS, NULL);
        assert_int_not_equal(program->own_status, STATUS_TIMEOUT);
    }
}

void program_die(struct program *program)
{
    close_handle(program);
    program_wait(program);
}

void program_free(struct program *program)
{
    close_handle(program);
    if (program->arena.Address != 0) {
        assert_true(bed_unmap_view((void *)(ULONG_PTR)program->arena.Address));
    }
    pthread_rwlock_destroy(&program->file_lock);
    pthread_mutex_destroy(&program->bytes_lock);
    if (program->options.store == NULL) {
        free(program->bytes);
    }
}

void program_stop(struct program *program)
{
    assert_int_equal(wnbd_unmap(program->file, program->options.name), STATUS_SUCCESS);
    program_wait(program);
    program_free(program);
}
