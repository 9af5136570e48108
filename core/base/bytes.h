/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Integers as bytes, big end first: the order of SCSI (SPC-4, 3.5) and of NBD (doc/proto.md, "Protocol phases").
 * Nothing here asks for alignment. A wire structure is read and written through these functions and never through
 * a C struct or a bit field.
 */
#ifndef WNBD_CORE_BASE_BYTES_H
#define WNBD_CORE_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t load_be16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t load_be24(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
}

static inline void store_be16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void store_be24(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 16);
    store_be16(bytes + 1, (uint16_t)value);
}

/* Clang makes eight stores of eight bytes, and as many loads where some are common to several branches: the swap has to
 * be said. */
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint32_t load_be32(const uint8_t *bytes)
{
    uint32_t value;

    __builtin_memcpy(&value, bytes, sizeof value);
    return __builtin_bswap32(value);
}

static inline uint64_t load_be64(const uint8_t *bytes)
{
    uint64_t value;

    __builtin_memcpy(&value, bytes, sizeof value);
    return __builtin_bswap64(value);
}

static inline void store_be32(uint8_t *bytes, uint32_t value)
{
    value = __builtin_bswap32(value);
    __builtin_memcpy(bytes, &value, sizeof value);
}

static inline void store_be64(uint8_t *bytes, uint64_t value)
{
    value = __builtin_bswap64(value);
    __builtin_memcpy(bytes, &value, sizeof value);
}
#else
static inline uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | load_be24(bytes + 1);
}

static inline uint64_t load_be64(const uint8_t *bytes)
{
    return (uint64_t)load_be32(bytes) << 32 | load_be32(bytes + 4);
}

static inline void store_be32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

static inline void store_be64(uint8_t *bytes, uint64_t value)
{
    store_be32(bytes, (uint32_t)(value >> 32));
    store_be32(bytes + 4, (uint32_t)value);
}
#endif

#endif
