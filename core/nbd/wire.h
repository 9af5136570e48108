/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers of the NBD protocol (doc/proto.md of the NetworkBlockDevice project), and what its errors mean in SCSI.
 */
#ifndef WNBD_CORE_NBD_WIRE_H
#define WNBD_CORE_NBD_WIRE_H

#include "core/io/request.h"
#include "core/scsi/sense.h"

#include <stdint.h>

/* "Handshake phase" */
#define NBD_MAGIC              UINT64_C(0x4e42444d41474943) /* "NBDMAGIC" */
#define NBD_OPTION_MAGIC       UINT64_C(0x49484156454F5054) /* "IHAVEOPT" */
#define NBD_OLDSTYLE_MAGIC     UINT64_C(0x00420281861253)
#define NBD_OPTION_REPLY_MAGIC UINT64_C(0x3e889045565a9)

#define NBD_FLAG_FIXED_NEWSTYLE   0x0001u
#define NBD_FLAG_NO_ZEROES        0x0002u
#define NBD_FLAG_C_FIXED_NEWSTYLE 0x0001u
#define NBD_FLAG_C_NO_ZEROES      0x0002u

/* "Option types" */
#define NBD_OPT_EXPORT_NAME       1u
#define NBD_OPT_ABORT             2u
#define NBD_OPT_LIST              3u
#define NBD_OPT_STARTTLS          5u
#define NBD_OPT_INFO              6u
#define NBD_OPT_GO                7u
#define NBD_OPT_STRUCTURED_REPLY  8u
#define NBD_OPT_LIST_META_CONTEXT 9u
#define NBD_OPT_SET_META_CONTEXT  10u
#define NBD_OPT_EXTENDED_HEADERS  11u

/* "Option reply types" */
#define NBD_REP_ACK                 1u
#define NBD_REP_SERVER              2u
#define NBD_REP_INFO                3u
#define NBD_REP_META_CONTEXT        4u
#define NBD_REP_ERR                 0x80000000u
#define NBD_REP_ERR_UNSUP           0x80000001u
#define NBD_REP_ERR_POLICY          0x80000002u
#define NBD_REP_ERR_INVALID         0x80000003u
#define NBD_REP_ERR_PLATFORM        0x80000004u
#define NBD_REP_ERR_TLS_REQD        0x80000005u
#define NBD_REP_ERR_UNKNOWN         0x80000006u
#define NBD_REP_ERR_SHUTDOWN        0x80000007u
#define NBD_REP_ERR_BLOCK_SIZE_REQD 0x80000008u
#define NBD_REP_ERR_TOO_BIG         0x80000009u
#define NBD_REP_ERR_EXT_HEADER_REQD 0x8000000Au

#define NBD_INFO_EXPORT      0u
#define NBD_INFO_NAME        1u
#define NBD_INFO_DESCRIPTION 2u
#define NBD_INFO_BLOCK_SIZE  3u

#define NBD_OPTION_SIZE            16u /* header of an option */
#define NBD_OPTION_REPLY_SIZE      20u /* header of a reply to one */
#define NBD_INFO_EXPORT_SIZE       12u /* an NBD_REP_INFO's length, with its type */
#define NBD_INFO_BLOCK_SIZE_SIZE   14u
#define NBD_EXPORT_NAME_REPLY_SIZE 10u
#define NBD_RESERVED_ZEROES        124u /* behind the reply to NBD_OPT_EXPORT_NAME without NBD_FLAG_C_NO_ZEROES */

/* "Transmission flags" */
#define NBD_FLAG_HAS_FLAGS         0x0001u
#define NBD_FLAG_READ_ONLY         0x0002u
#define NBD_FLAG_SEND_FLUSH        0x0004u
#define NBD_FLAG_SEND_FUA          0x0008u
#define NBD_FLAG_ROTATIONAL        0x0010u
#define NBD_FLAG_SEND_TRIM         0x0020u
#define NBD_FLAG_SEND_WRITE_ZEROES 0x0040u
#define NBD_FLAG_SEND_DF           0x0080u
#define NBD_FLAG_CAN_MULTI_CONN    0x0100u
#define NBD_FLAG_SEND_RESIZE       0x0200u
#define NBD_FLAG_SEND_CACHE        0x0400u
#define NBD_FLAG_SEND_FAST_ZERO    0x0800u

/* "Request message", "Simple reply message", "Structured reply chunk message", "Extended reply chunk message" */
#define NBD_REQUEST_MAGIC          0x25609513u
#define NBD_EXTENDED_REQUEST_MAGIC 0x21e41c71u
#define NBD_SIMPLE_REPLY_MAGIC     0x67446698u
#define NBD_STRUCTURED_REPLY_MAGIC 0x668e33efu
#define NBD_EXTENDED_REPLY_MAGIC   0x6e8a278cu
#define NBD_REQUEST_SIZE           28u
#define NBD_EXTENDED_REQUEST_SIZE  32u
#define NBD_REQUEST_SIZE_MAX       NBD_EXTENDED_REQUEST_SIZE
#define NBD_SIMPLE_REPLY_SIZE      16u
#define NBD_STRUCTURED_REPLY_SIZE  20u
#define NBD_EXTENDED_REPLY_SIZE    32u
#define NBD_REPLY_SIZE_MAX         NBD_EXTENDED_REPLY_SIZE

/* "Request types" */
#define NBD_CMD_READ         0u
#define NBD_CMD_WRITE        1u
#define NBD_CMD_DISC         2u
#define NBD_CMD_FLUSH        3u
#define NBD_CMD_TRIM         4u
#define NBD_CMD_CACHE        5u
#define NBD_CMD_WRITE_ZEROES 6u
#define NBD_CMD_BLOCK_STATUS 7u

/* "Command flags" */
#define NBD_CMD_FLAG_FUA         0x0001u
#define NBD_CMD_FLAG_NO_HOLE     0x0002u
#define NBD_CMD_FLAG_DF          0x0004u
#define NBD_CMD_FLAG_REQ_ONE     0x0008u
#define NBD_CMD_FLAG_FAST_ZERO   0x0010u
#define NBD_CMD_FLAG_PAYLOAD_LEN 0x0020u /* extended requests: the length is that of a payload, as every write's is */

/* "Structured reply flags", "Structured reply types" */
#define NBD_REPLY_FLAG_DONE             0x0001u
#define NBD_REPLY_TYPE_NONE             0u
#define NBD_REPLY_TYPE_OFFSET_DATA      1u
#define NBD_REPLY_TYPE_OFFSET_HOLE      2u
#define NBD_REPLY_TYPE_BLOCK_STATUS     5u
#define NBD_REPLY_TYPE_BLOCK_STATUS_EXT 6u
#define NBD_REPLY_TYPE_ERROR_BIT        0x8000u
#define NBD_REPLY_TYPE_ERROR            0x8001u
#define NBD_REPLY_TYPE_ERROR_OFFSET     0x8002u

/* "base:allocation metadata context" */
#define NBD_CONTEXT_ALLOCATION "base:allocation"
#define NBD_STATE_HOLE         0x1u /* nothing is allocated */
#define NBD_STATE_ZERO         0x2u /* it reads as zeroes */

/* "Error values" */
#define NBD_EPERM     1u
#define NBD_EIO       5u
#define NBD_ENOMEM    12u
#define NBD_EINVAL    22u
#define NBD_ENOSPC    28u
#define NBD_EOVERFLOW 75u
#define NBD_ENOTSUP   95u
#define NBD_ESHUTDOWN 108u

/* "Values": strings are at most this long. */
#define NBD_STRING_MAX 4096u

/* What Windows should be told when a server answered `request` with `error` (not 0; any value). Without information:
 * the protocol's simple replies do not say where a request failed. The reasons stand beside the table in wire.c. */
struct scsi_sense nbd_error_sense(uint32_t error, const struct io_request *request);

/*
 * The same for an error that the server says is at `offset`, bytes from the start of the disk, whose blocks have
 * `block_size` bytes: the information is that block. Not so when the offset is not within the request (the server is
 * not believed then), nor for an ILLEGAL REQUEST, which is about the command.
 */
struct scsi_sense nbd_error_sense_at(uint32_t error, const struct io_request *request, uint64_t offset,
                                     uint32_t block_size);

/* A reply's error in words, for a log, e.g. "no space left"; "unknown error" for a value the protocol does not have. */
const char *nbd_error_text(uint32_t error);

#endif
