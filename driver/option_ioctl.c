/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/option_ioctl.h"

#include "driver/create.h"

/*
 * A command, carried out by the adapter's worker: the registry wants a system thread, and commands of several programs
 * come one after the other.
 */
struct call {
    NTSTATUS (*routine)(struct call *call);
    void *buffer; /* the command, and then the output */
    ULONG room;   /* for output */
    ULONG used;   /* of it */
    bool forbids; /* new mappings are not allowed any more */
    NTSTATUS status;
};

static void run(void *context)
{
    struct call *call = context;

    call->status = call->routine(call);
}

static void carry_out(struct adapter *adapter, PIRP irp, NTSTATUS (*routine)(struct call *call), struct call *call)
{
    RtlZeroMemory(call, sizeof *call);
    call->routine = routine;
    call->buffer = irp->AssociatedIrp.SystemBuffer;
    call->room = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength;
    worker_call(&adapter->worker, run, call);
}

static void carry_out_and_complete(struct adapter *adapter, PIRP irp, NTSTATUS (*routine)(struct call *call))
{
    struct call call;

    carry_out(adapter, irp, routine, &call);
    ioctl_complete(adapter, irp, call.status, NT_SUCCESS(call.status) ? call.used : 0);
}

/* The length of a text in an array, which a NUL may end. */
static size_t wide_length(const WCHAR *text, size_t count)
{
    size_t length = 0;

    while (length < count && text[length] != 0) {
        length++;
    }
    return length;
}

/* NULL: there is no option of that name. */
static const struct option *named(const WCHAR name[WNBD_MAX_NAME_LENGTH], enum option_id *id)
{
    return option_find(name, wide_length(name, WNBD_MAX_NAME_LENGTH), id);
}

/* ---- Values of the interface ---- */

static WnbdOptValType type_of(const struct option *option)
{
    switch (option->type) {
    case OPTION_BOOL:
        return WnbdOptBool;
    case OPTION_INT64:
        return WnbdOptInt64;
    }
    return WnbdOptUnknown;
}

/* `output` is all zero. */
static void write_value(const struct option *option, LONG64 value, WNBD_OPTION_VALUE *output)
{
    output->Type = type_of(option);
    switch (option->type) {
    case OPTION_BOOL:
        output->Data.AsBool = value != 0;
        break;
    case OPTION_INT64:
        output->Data.AsInt64 = value;
        break;
    }
}

static NTSTATUS read_text(const struct option *option, const WCHAR text[WNBD_MAX_NAME_LENGTH], LONG64 *value)
{
    int64_t number;

    if (!option_parse(option, text, wide_length(text, WNBD_MAX_NAME_LENGTH), &number)) {
        return STATUS_INVALID_PARAMETER;
    }
    *value = number;
    return STATUS_SUCCESS;
}

/* The type is the caller's and may be anything. */
static NTSTATUS read_value(const struct option *option, const WNBD_OPTION_VALUE *input, LONG64 *value)
{
    if (input->Type == WnbdOptWstr) {
        return read_text(option, input->Data.AsWstr, value);
    }
    if (input->Type != type_of(option)) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    switch (option->type) {
    case OPTION_BOOL:
        *value = input->Data.AsBool != FALSE;
        break;
    case OPTION_INT64:
        *value = input->Data.AsInt64;
        break;
    }
    return STATUS_SUCCESS;
}

/* What holds now or, `persistent`, is stored. */
static NTSTATUS look_up(enum option_id id, bool persistent, LONG64 *value)
{
    if (persistent) {
        return options_get_stored(id, value);
    }
    *value = options_get(id);
    return STATUS_SUCCESS;
}

/* ---- Get and list ---- */

static NTSTATUS get(struct call *call)
{
    const WNBD_IOCTL_GET_DRV_OPT_COMMAND *command = call->buffer;
    WNBD_OPTION_VALUE *output = call->buffer;
    enum option_id id;
    const struct option *option = named(command->Name, &id);
    NTSTATUS status;
    LONG64 value;

    if (option == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    status = look_up(id, command->Persistent != FALSE, &value);
    if (NT_SUCCESS(status)) {
        RtlZeroMemory(output, sizeof *output);
        write_value(option, value, output);
        call->used = sizeof *output;
    }
    return status;
}

void option_ioctl_get(struct adapter *adapter, PIRP irp)
{
    carry_out_and_complete(adapter, irp, get);
}

static void describe(const struct option *option, LONG64 value, WNBD_OPTION *output)
{
    static_assert(OPTION_NAME_SIZE <= WNBD_MAX_OPT_NAME_LENGTH, "names fit");

    RtlZeroMemory(output, sizeof *output);
    option_write_name(option, output->Name);
    output->Type = type_of(option);
    write_value(option, option->initial, &output->Default);
    write_value(option, value, &output->Value);
}

/* Adds the option to the list if it has a value; an error of the registry is the result. */
static NTSTATUS list_one(enum option_id id, bool persistent, WNBD_OPTION_LIST *list)
{
    LONG64 value;
    NTSTATUS status = look_up(id, persistent, &value);

    if (NT_SUCCESS(status)) {
        describe(option_of(id), value, &list->Options[list->Count++]);
    }
    return status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : status;
}

static NTSTATUS list(struct call *call)
{
    bool persistent = ((WNBD_IOCTL_LIST_DRV_OPT_COMMAND *)call->buffer)->Persistent != FALSE;
    WNBD_OPTION_LIST *output = call->buffer;
    ULONG header = FIELD_OFFSET(WNBD_OPTION_LIST, Options);
    ULONG room = (call->room - header) / sizeof output->Options[0];
    NTSTATUS status = STATUS_SUCCESS;

    output->ElementSize = sizeof output->Options[0];
    output->Count = 0;
    for (unsigned i = 0; i < OPTION_COUNT && output->Count < room && NT_SUCCESS(status); i++) {
        status = list_one((enum option_id)i, persistent, output);
    }
    call->used = header + output->Count * (ULONG)sizeof output->Options[0];
    return status;
}

void option_ioctl_list(struct adapter *adapter, PIRP irp)
{
    carry_out_and_complete(adapter, irp, list);
}

/* ---- Set, reset, reload ---- */

static NTSTATUS set(struct call *call)
{
    const WNBD_IOCTL_SET_DRV_OPT_COMMAND *command = call->buffer;
    enum option_id id;
    const struct option *option = named(command->Name, &id);
    NTSTATUS status;
    LONG64 value;

    if (option == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    status = read_value(option, &command->Value, &value);
    if (NT_SUCCESS(status)) {
        status = options_set(id, value, command->Persistent != FALSE);
    }
    call->forbids = id == OPTION_NEW_MAPPINGS_ALLOWED && !driver_options.new_mappings_allowed;
    return status;
}

static NTSTATUS reset(struct call *call)
{
    const WNBD_IOCTL_RESET_DRV_OPT_COMMAND *command = call->buffer;
    enum option_id id;

    if (named(command->Name, &id) == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    return options_reset(id, command->Persistent != FALSE);
}

static NTSTATUS reload(struct call *call)
{
    NTSTATUS status = options_reload();

    call->forbids = !driver_options.new_mappings_allowed;
    return status;
}

/* Once new mappings are forbidden, the caller may rely on there being no more of them. */
static void carry_out_and_await_creations(struct adapter *adapter, PIRP irp, NTSTATUS (*routine)(struct call *call))
{
    struct call call;

    carry_out(adapter, irp, routine, &call);
    if (!NT_SUCCESS(call.status) || !call.forbids || !create_await_all(adapter, irp)) {
        ioctl_complete(adapter, irp, call.status, 0);
    }
}

void option_ioctl_set(struct adapter *adapter, PIRP irp)
{
    carry_out_and_await_creations(adapter, irp, set);
}

void option_ioctl_reload(struct adapter *adapter, PIRP irp)
{
    carry_out_and_await_creations(adapter, irp, reload);
}

void option_ioctl_reset(struct adapter *adapter, PIRP irp)
{
    carry_out_and_complete(adapter, irp, reset);
}
