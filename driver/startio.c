/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SRBs as Storport hands them over, at DISPATCH_LEVEL or below. */
#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"
#include "driver/pnp.h"
#include "driver/srb.h"

#include "core/base/checked.h"
#include "core/scsi/attention.h"

static void complete_refused(struct disk *disk, const struct srb_view *view, const struct scsi_sense *sense)
{
    struct scsi_result result = {.status = SCSI_STATUS_CHECK_CONDITION,
                                 .sense = *sense,
                                 .descriptor_sense = device_descriptor_sense(&disk->device)};

    srb_complete_result(disk->adapter, view->srb, &result);
}

static void complete_good(struct adapter *adapter, const struct srb_view *view, uint32_t transferred)
{
    struct scsi_result result = {.status = SCSI_STATUS_GOOD, .transferred = transferred};

    srb_complete_result(adapter, view->srb, &result);
}

/* ---- Commands that are answered on the spot ---- */

/* Storport takes a queue depth from the first INQUIRY on; after a rescan it may have forgotten it. */
static void tell_depth(struct disk *disk)
{
    ULONG depth = min(disk->properties.QueueDepth, disk->adapter->lun_depth_max);

    if (!StorPortSetDeviceQueueDepth(disk->adapter, 0, disk->target, 0, depth)) {
        log_disk(QUEUE_DEPTH_REFUSED, disk);
    }
}

/* Without a connection the disk is there but not ready. What it is, it can still say. */
static bool is_ready(struct disk *disk, const struct scsi_command *command)
{
    return command->operation != SCSI_TEST_UNIT_READY || disk_state(disk) == DISK_READY;
}

static void execute_emulated(struct disk *disk, const struct srb_view *view, const struct scsi_command *command)
{
    uint8_t *data = view->data;
    uint32_t capacity = data != NULL ? view->data_length : 0;
    struct scsi_result result;

    if (!is_ready(disk, command)) {
        result.sense = sense_make(SENSE_KEY_NOT_READY, ASC_NOT_READY_COMMUNICATION_FAILURE);
        complete_refused(disk, view, &result.sense);
        return;
    }
    if (command->operation == SCSI_INQUIRY) {
        tell_depth(disk);
    }
    if (command->operation == SCSI_REQUEST_SENSE) {
        emulate_request_sense(command, disk_take_attention(disk), data, capacity, &result);
    } else {
        emulate(&disk->device, command, data, capacity, &result);
    }
    srb_complete_result(disk->adapter, view->srb, &result);
}

/* ---- Commands for the backend ---- */

/*
 * Where in its MDL the SRB's data begins. DataBuffer of a READ or WRITE is not an address that may be used, but one in
 * the MDL's own terms; of other commands Storport has mapped the data, and DataBuffer is in that mapping. False: it is
 * in neither.
 */
static bool find_data(PMDL mdl, const struct srb_view *view, ULONG_PTR *offset)
{
    ULONG_PTR data = (ULONG_PTR)view->data;
    ULONG_PTR begin = (ULONG_PTR)MmGetMdlVirtualAddress(mdl);
    ULONG_PTR mapped = (ULONG_PTR)mdl->MappedSystemVa;

    *offset = data - begin;
    if (data >= begin && checked_range(*offset, view->data_length, MmGetMdlByteCount(mdl))) {
        return true;
    }
    *offset = data - mapped;
    return (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0 && data >= mapped &&
           checked_range(*offset, view->data_length, MmGetMdlByteCount(mdl));
}

/* Our own view of the SRB's pages: its MDL is borrowed, may be longer than this request, and may be in use elsewhere.
 * False: the data is not in it. */
static bool map_pages(struct adapter *adapter, const struct srb_view *view, struct record *record)
{
    ULONG_PTR offset;
    PMDL mdl = NULL;

    if (StorPortGetOriginalMdl(adapter, view->srb, (PVOID *)&mdl) != STOR_STATUS_SUCCESS || mdl == NULL ||
        !find_data(mdl, view, &offset)) {
        return false;
    }
    record->pages = mdl;
    record->pages_address = (PUCHAR)MmGetMdlVirtualAddress(mdl) + offset;
    record_init_mdl(record);
    record_map_pages(record);
    return true;
}

/* What a small read's payload is copied to, and a large one's beginning. False: there is no room to map it now. */
static bool map_address(struct adapter *adapter, const struct srb_view *view, struct record *record)
{
    PVOID address = NULL;

    if (StorPortGetSystemAddress(adapter, view->srb, &address) != STOR_STATUS_SUCCESS) {
        return false;
    }
    record->data = address;
    return address != NULL;
}

/* Makes the data of a READ, WRITE, VERIFY or WRITE SAME reachable. SRB_STATUS_PENDING when it is. */
static UCHAR map_data(struct disk *disk, const struct srb_view *view, struct record *record)
{
    struct adapter *adapter = disk->adapter;
    bool by_address = record->command.request.operation == IO_READ || !disk->backend->takes_pages;

    if (storage_compares(&record->command)) {
        return SRB_STATUS_PENDING; /* what is read stays here */
    }
    if (storage_writes_pattern(&record->command)) {
        return pattern_take(disk, record) ? SRB_STATUS_PENDING : SRB_STATUS_BUSY;
    }
    if (by_address && !map_address(adapter, view, record)) {
        return SRB_STATUS_BUSY; /* Storport tries again */
    }
    /* Now, so that our view of the pages has their mapping and WSK does not make another. */
    if (view->data_length > RECORD_DATA_MAX || (disk->backend->takes_pages && !map_pages(adapter, view, record))) {
        log_disk(NO_DATA, disk, view->data_length);
        return SRB_STATUS_INVALID_REQUEST;
    }
    return SRB_STATUS_PENDING;
}

static struct record *begin_record(const struct srb_view *view)
{
    struct record *record = view->extension;

    list_init(&record->link);
    record->srb = view->srb;
    record->pages = NULL;
    record->data = NULL;
    record->replays = 0;
    record->awaited = false;
    record->withdrawn = false;
    record->holds = 0;
    record->srb_status = 0;
    RtlZeroMemory(&record->result, sizeof record->result);
    return record;
}

/* What an UNMAP, WRITE SAME, MODE SELECT or PERSISTENT RESERVE OUT sends, copied before anybody looks at it. */
static uint8_t *copy_parameters(const struct srb_view *view, struct record *record, uint32_t *length)
{
    C_ASSERT(sizeof record->parameters >= 4096); /* the largest block */

    *length = view->data != NULL ? min(*length, sizeof record->parameters) : 0;
    RtlCopyMemory(record->parameters, view->data, *length);
    return record->parameters;
}

/* Whether the core looks at what is written. */
static bool compares_written(const struct scsi_command *command)
{
    return command->operation == SCSI_WRITE_AND_VERIFY && command->byte_check != BYTE_CHECK_NONE;
}

/* The data of a command that has some besides a transfer's, which the backend moves. NULL: it has none. */
static uint8_t *reach_data(const struct srb_view *view, const struct scsi_command *command, struct record *record,
                           uint32_t *length)
{
    switch (command->operation) {
    case SCSI_UNMAP:
    case SCSI_WRITE_SAME:
    case SCSI_MODE_SELECT_6:
    case SCSI_MODE_SELECT_10:
    case SCSI_PERSISTENT_RESERVE_OUT:
        return copy_parameters(view, record, length);
    case SCSI_VERIFY:
        record_init_compare(record);
        *length = view->data != NULL ? *length : 0;
        return view->data; /* mapped until the SRB is completed */
    case SCSI_LOG_SENSE_PROVISIONING:
        record->begun_at = clock_now();
        *length = view->data != NULL ? *length : 0;
        return view->data;
    case SCSI_GET_LBA_STATUS:
    case SCSI_PERSISTENT_RESERVE_IN:
        *length = view->data != NULL ? *length : 0;
        return view->data;
    case SCSI_WRITE_AND_VERIFY:
        return record->data; /* NULL unless it compares */
    default:
        return NULL;
    }
}

/* Hands the record over, or completes the SRB if its data cannot be reached. */
static void submit(struct disk *disk, const struct srb_view *view, struct record *record)
{
    if (record_has_data(record)) {
        UCHAR status = map_data(disk, view, record);

        if (status != SRB_STATUS_PENDING) {
            srb_complete(disk->adapter, view->srb, status);
            return;
        }
    }
    requests_submit(disk, record);
}

static void execute_storage(struct disk *disk, const struct srb_view *view, const struct scsi_command *command)
{
    bool transfers = command->operation == SCSI_READ || command->operation == SCSI_WRITE ||
                     command->operation == SCSI_WRITE_AND_VERIFY;
    struct record *record = begin_record(view);
    uint32_t length = view->data_length;
    enum storage_step step;
    struct scsi_sense sense;
    uint8_t *data;

    if (compares_written(command) && length != 0 && !map_address(disk->adapter, view, record)) {
        srb_complete(disk->adapter, view->srb, SRB_STATUS_BUSY);
        return;
    }
    data = reach_data(view, command, record, &length);
    step = storage_begin(&record->command, &disk->device, command, data, length, &sense);
    record->result.descriptor_sense = device_descriptor_sense(&disk->device);
    record->result.transferred = transfers ? record->command.data_length : view->data_length;
    switch (step) {
    case STORAGE_REQUEST:
        submit(disk, view, record);
        break;
    case STORAGE_DONE:
        record_finish(record);
        complete_good(disk->adapter, view, record->result.transferred);
        break;
    case STORAGE_REFUSED:
        complete_refused(disk, view, &sense);
        break;
    }
}

/* Whether the command is not carried out because it has to tell what has happened to the disk. */
static bool tells_attention(struct disk *disk, const struct scsi_command *command, struct scsi_sense *sense)
{
    LONG attention = 0;

    if (disk->attentions != 0 && attention_is_reported_by(command)) {
        attention = disk_take_attention(disk);
    }
    if (attention != 0) {
        *sense = attention_sense(attention);
    }
    return attention != 0;
}

static void execute_scsi(struct disk *disk, const struct srb_view *view)
{
    struct scsi_command command;
    struct scsi_sense sense;

    if (!cdb_decode(view->cdb, view->cdb_length, &command, &sense) || tells_attention(disk, &command, &sense)) {
        complete_refused(disk, view, &sense);
    } else if (command_needs_storage(&command)) {
        execute_storage(disk, view, &command);
    } else {
        execute_emulated(disk, view, &command);
    }
}

/* ---- Everything else ---- */

/* What a reset leaves behind in a disk, besides requests that have ended. */
static void note_reset(struct disk *disk, enum scsi_attention attention)
{
    device_reset_modes(&disk->device);
    InterlockedOr(&disk->attentions, attention);
}

static void reset_disk(struct disk *disk, const struct srb_view *view)
{
    struct record *record = record_of_management(view->extension, view->srb);

    note_reset(disk, view->function == SRB_FUNCTION_RESET_LOGICAL_UNIT ? ATTENTION_UNIT_RESET : ATTENTION_BUS_RESET);
    disk_reset(disk, SRB_STATUS_BUS_RESET, record);
    if (record == NULL) {
        srb_complete(disk->adapter, view->srb, SRB_STATUS_SUCCESS);
    }
}

static void abort_request(struct disk *disk, const struct srb_view *view)
{
    struct record *record = record_of_management(view->extension, view->srb);

    if (!disk_abort(disk, view->aborted, record)) {
        srb_complete(disk->adapter, view->srb, SRB_STATUS_ABORT_FAILED);
    } else if (record == NULL) {
        srb_complete(disk->adapter, view->srb, SRB_STATUS_SUCCESS);
    }
}

static void for_disk(struct disk *disk, const struct srb_view *view)
{
    switch (view->function) {
    case SRB_FUNCTION_EXECUTE_SCSI:
        execute_scsi(disk, view);
        break;
    case SRB_FUNCTION_RESET_LOGICAL_UNIT:
    case SRB_FUNCTION_RESET_DEVICE:
        reset_disk(disk, view);
        break;
    case SRB_FUNCTION_ABORT_COMMAND:
        abort_request(disk, view);
        break;
    case SRB_FUNCTION_FLUSH:
    case SRB_FUNCTION_SHUTDOWN:
        /* Sent to adapters that cache data themselves, which this one does not say it does. */
        srb_complete(disk->adapter, view->srb, SRB_STATUS_SUCCESS);
        break;
    default:
        srb_complete(disk->adapter, view->srb, SRB_STATUS_INVALID_REQUEST);
        break;
    }
}

/* The status for an address where there is no disk. */
static UCHAR no_disk(const struct srb_view *view)
{
    if (view->path >= ADAPTER_BUSES) {
        return SRB_STATUS_INVALID_PATH_ID;
    }
    if (view->target >= ADAPTER_TARGETS) {
        return SRB_STATUS_INVALID_TARGET_ID;
    }
    return view->lun >= ADAPTER_LUNS ? SRB_STATUS_INVALID_LUN : SRB_STATUS_NO_DEVICE;
}

static void for_address(struct adapter *adapter, const struct srb_view *view)
{
    struct disk *disk = NULL;

    if (view->path < ADAPTER_BUSES && view->lun < ADAPTER_LUNS) {
        disk = disk_pin(adapter, view->target);
    }
    if (disk == NULL) {
        srb_complete(adapter, view->srb, no_disk(view));
        return;
    }
    for_disk(disk, view);
    disk_unpin(disk);
}

static void reset_bus(struct adapter *adapter)
{
    for (ULONG target = 0; target < ADAPTER_TARGETS; target++) {
        struct disk *disk = disk_pin(adapter, target);

        if (disk != NULL) {
            note_reset(disk, ATTENTION_BUS_RESET);
            disk_reset(disk, SRB_STATUS_BUS_RESET, NULL);
            disk_unpin(disk);
        }
    }
}

BOOLEAN hw_reset_bus(PVOID extension, ULONG path)
{
    UNREFERENCED_PARAMETER(path);
    reset_bus(extension);
    return TRUE;
}

static void start_io(struct adapter *adapter, PSCSI_REQUEST_BLOCK srb)
{
    struct srb_view view;

    if (!srb_parse(srb, &view)) {
        srb_complete(adapter, srb, SRB_STATUS_INVALID_REQUEST);
        return;
    }
    switch (view.function) {
    case SRB_FUNCTION_PNP:
        pnp_srb(adapter, &view);
        break;
    case SRB_FUNCTION_POWER:
        srb_complete(adapter, srb, SRB_STATUS_SUCCESS); /* nothing to do: connections stay while there is power */
        break;
    case SRB_FUNCTION_RESET_BUS:
        reset_bus(adapter);
        srb_complete(adapter, srb, SRB_STATUS_SUCCESS);
        break;
    default:
        for_address(adapter, &view);
        break;
    }
}

/* At PASSIVE_LEVEL the caller's thread could be suspended in here, by a debugger say, and with it whoever waits for the
 * disk it has pinned or for its turn to send. */
BOOLEAN hw_start_io(PVOID extension, PSCSI_REQUEST_BLOCK srb)
{
    KIRQL irql = ddk_raise_to_dispatch();

    start_io(extension, srb);
    ddk_lower_irql(irql);
    return TRUE;
}
