/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests become bytes (doc/proto.md, "Request message"): nbd_encode_request writes a header; the payload of a write
 * follows it on the wire.
 *
 * The caller asks only for what the export and the terms of the connection have: IO_FUA, IO_FLUSH, IO_TRIM,
 * IO_WRITE_ZEROES, IO_CACHE and their flags where the export's flags say so, IO_BLOCK_STATUS where the terms do, no
 * range beyond the export's size, no read or write longer than nbd_geometry.maximum_length (core/nbd/export.h).
 */
#ifndef WNBD_CORE_NBD_ENCODE_H
#define WNBD_CORE_NBD_ENCODE_H

#include "core/io/request.h"
#include "core/nbd/terms.h"
#include "core/nbd/wire.h"

#include <stdint.h>

/* Bytes of a request's header. */
static inline uint32_t nbd_request_size(enum nbd_form form)
{
    return form == NBD_EXTENDED ? NBD_EXTENDED_REQUEST_SIZE : NBD_REQUEST_SIZE;
}

/* Writes the header of `request` to `bytes`, which has room for NBD_REQUEST_SIZE_MAX. Answers its size. The request's
 * cookie goes on the wire. */
uint32_t nbd_encode_request(uint8_t *bytes, const struct io_request *request, enum nbd_form form);

/* The same of NBD_CMD_DISC. The server does not answer; it closes. Nothing may be sent after it. */
uint32_t nbd_encode_disconnect(uint8_t *bytes, enum nbd_form form);

#endif
