/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PERSISTENT RESERVE IN and OUT (SPC-4), for backends that carry them out: here is checked only what can be without
 * knowing who has registered and what is reserved.
 */
#include "core/scsi/storage_internal.h"

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* Service actions of PERSISTENT RESERVE OUT whose lists are looked into */
#define REGISTER            0x00
#define REGISTER_AND_IGNORE 0x06
#define REGISTER_AND_MOVE   0x07

/* The parameter list, and that of REGISTER AND MOVE, which goes on with one TransportID */
#define LIST_LENGTH     24
#define LIST_ACTION_KEY 8
#define LIST_FLAGS      20
#define LIST_SPEC_I_PT  0x08 /* TransportIDs follow, after their length */
#define LIST_IDS_LENGTH 24
#define LIST_IDS        28
#define MOVE_ID_LENGTH  20
#define MOVE_ID         24

/* TransportID (SPC-4, "TransportID identifiers") */
#define ID_LENGTH         24 /* of all protocols but one, and the least there is */
#define ID_PROTOCOL_MASK  0x0F
#define ID_PROTOCOL_ISCSI 0x05

/*
 * How many bytes there are to move. Programs are known to leave the CDB's length 0, or to send 6 bytes of the CDB, and
 * to mean all that they transfer.
 */
static uint32_t bytes_to_move(uint32_t cdb_length, uint32_t data_length)
{
    return cdb_length == 0 ? data_length : storage_least(cdb_length, data_length);
}

static void fill(struct storage_command *storage, const struct scsi_command *command, enum io_operation operation,
                 uint32_t cdb_length, uint8_t *data, uint32_t length)
{
    storage->request.operation = operation;
    storage->request.reservation.service_action = (uint8_t)command->service_action;
    storage->request.reservation.scope_and_type = command->scope_and_type;
    storage->request.reservation.cdb_length = (uint16_t)storage_least(cdb_length, UINT16_MAX);
    storage->request.length = length;
    storage->reservation_data = data;
}

enum storage_step storage_begin_reserve_in(struct storage_command *storage, const struct scsi_device *device,
                                           const struct scsi_command *command, uint8_t *data, uint32_t data_length,
                                           struct scsi_sense *sense)
{
    uint32_t room = data == NULL ? 0 : bytes_to_move(command->allocation_length, data_length);

    if (!device->persistent_reservations) {
        return storage_refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
    }
    storage->kind = STORAGE_RESERVE_ANSWERS;
    fill(storage, command, IO_RESERVE_IN, command->allocation_length, data, room);
    return room == 0 ? STORAGE_DONE : STORAGE_REQUEST;
}

/* Bytes of the TransportID at the beginning of `left`. 0: it is cut or shorter than one can be. */
static uint32_t id_length(const uint8_t *id, uint32_t left)
{
    uint32_t length = ID_LENGTH;

    if (left < ID_LENGTH) {
        return 0;
    }
    if ((id[0] & ID_PROTOCOL_MASK) == ID_PROTOCOL_ISCSI) {
        length = 4u + load_be16(id + 2);
    }
    return length < ID_LENGTH || length % 4 != 0 || length > left ? 0 : length;
}

static bool are_ids(const uint8_t *ids, uint32_t left)
{
    while (left != 0) {
        uint32_t length = id_length(ids, left);

        if (length == 0) {
            return false;
        }
        ids += length;
        left -= length;
    }
    return true;
}

/* SPC-4, "Registering": with SPEC_I_PT, which only REGISTER takes, the list goes on. */
static enum storage_step check_registration(const struct scsi_command *command, const uint8_t *list, uint32_t length,
                                            struct scsi_sense *sense)
{
    bool for_others = (list[LIST_FLAGS] & LIST_SPEC_I_PT) != 0;

    if (for_others && command->service_action == REGISTER_AND_IGNORE) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    if (!for_others) {
        return length == LIST_LENGTH ? STORAGE_REQUEST : storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    if (length < LIST_IDS || load_be32(list + LIST_IDS_LENGTH) != length - LIST_IDS) {
        return storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    return are_ids(list + LIST_IDS, length - LIST_IDS) ? STORAGE_REQUEST
                                                       : storage_refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
}

/* SPC-4, "Registering and moving the reservation": to one initiator port, which is registered with a key. */
static enum storage_step check_move(const uint8_t *list, uint32_t length, struct scsi_sense *sense)
{
    uint32_t left = length - MOVE_ID;

    if (load_be32(list + MOVE_ID_LENGTH) != left) {
        return storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    if (load_be64(list + LIST_ACTION_KEY) == 0 || left == 0 || id_length(list + MOVE_ID, left) != left) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    return STORAGE_REQUEST;
}

/* The flags are those of a registration: where nothing is registered they are not looked at. */
static enum storage_step check_list(const struct scsi_command *command, const uint8_t *list, uint32_t length,
                                    struct scsi_sense *sense)
{
    if (list == NULL || length < LIST_LENGTH) {
        return storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    switch (command->service_action) {
    case REGISTER:
    case REGISTER_AND_IGNORE:
        return check_registration(command, list, length, sense);
    case REGISTER_AND_MOVE:
        return check_move(list, length, sense);
    default: /* all others that cdb_decode lets through */
        return length == LIST_LENGTH ? STORAGE_REQUEST : storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
}

enum storage_step storage_begin_reserve_out(struct storage_command *storage, const struct scsi_device *device,
                                            const struct scsi_command *command, uint8_t *data, uint32_t data_length,
                                            struct scsi_sense *sense)
{
    uint32_t length = bytes_to_move(command->parameter_length, data_length);

    if (!device->persistent_reservations) {
        return storage_refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
    }
    if (device->read_only) {
        return storage_refuse_write(sense);
    }
    storage->kind = STORAGE_RESERVES;
    fill(storage, command, IO_RESERVE_OUT, command->parameter_length, data, length);
    return check_list(command, data, length, sense);
}
