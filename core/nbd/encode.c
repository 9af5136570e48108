/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/encode.h"

#include "core/base/bytes.h"

static uint16_t command_of(enum io_operation operation)
{
    switch (operation) {
    case IO_READ:
        break;
    case IO_WRITE:
        return NBD_CMD_WRITE;
    case IO_FLUSH:
        return NBD_CMD_FLUSH;
    case IO_TRIM:
        return NBD_CMD_TRIM;
    case IO_WRITE_ZEROES:
        return NBD_CMD_WRITE_ZEROES;
    case IO_CACHE:
        return NBD_CMD_CACHE;
    case IO_BLOCK_STATUS:
        return NBD_CMD_BLOCK_STATUS;
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT: /* not sent: NBD has none */
        break;
    }
    return NBD_CMD_READ;
}

static uint16_t fua_of(const struct io_request *request)
{
    return request->flags & IO_FUA ? NBD_CMD_FLAG_FUA : 0;
}

static uint16_t zero_flags_of(const struct io_request *request)
{
    uint32_t flags = fua_of(request);

    flags |= request->flags & IO_NO_HOLE ? NBD_CMD_FLAG_NO_HOLE : 0;
    flags |= request->flags & IO_FAST_ZERO ? NBD_CMD_FLAG_FAST_ZERO : 0;
    return (uint16_t)flags;
}

/* "Command flags": only what is documented for the command may be set. */
static uint16_t flags_of(const struct io_request *request)
{
    switch (request->operation) {
    case IO_READ:
        return request->flags & IO_DONT_FRAGMENT ? NBD_CMD_FLAG_DF : 0;
    case IO_WRITE:
    case IO_TRIM:
        return fua_of(request);
    case IO_WRITE_ZEROES:
        return zero_flags_of(request);
    case IO_BLOCK_STATUS:
        return request->flags & IO_ONE_EXTENT ? NBD_CMD_FLAG_REQ_ONE : 0;
    case IO_FLUSH:
    case IO_CACHE:
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT:
        break;
    }
    return 0;
}

static uint32_t encode(uint8_t *bytes, enum nbd_form form, uint16_t flags, uint16_t command, uint64_t cookie,
                       uint64_t offset, uint32_t length)
{
    store_be16(bytes + 6, command);
    store_be64(bytes + 8, cookie);
    store_be64(bytes + 16, offset);
    if (form == NBD_EXTENDED) {
        store_be32(bytes, NBD_EXTENDED_REQUEST_MAGIC);
        store_be16(bytes + 4, command == NBD_CMD_WRITE ? flags | NBD_CMD_FLAG_PAYLOAD_LEN : flags);
        store_be64(bytes + 24, length);
    } else {
        store_be32(bytes, NBD_REQUEST_MAGIC);
        store_be16(bytes + 4, flags);
        store_be32(bytes + 24, length);
    }
    return nbd_request_size(form);
}

uint32_t nbd_encode_request(uint8_t *bytes, const struct io_request *request, enum nbd_form form)
{
    /* "Request types": the offset and length of a flush are reserved and zero. */
    bool flush = request->operation == IO_FLUSH;

    return encode(bytes, form, flags_of(request), command_of(request->operation), request->cookie,
                  flush ? 0 : request->offset, flush ? 0 : request->length);
}

uint32_t nbd_encode_disconnect(uint8_t *bytes, enum nbd_form form)
{
    return encode(bytes, form, 0, NBD_CMD_DISC, 0, 0, 0);
}
