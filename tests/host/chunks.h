/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies in chunks that a test writes down, for a request of CHUNKS_LENGTH bytes at CHUNKS_AT of the export:
 *
 *     const struct server_chunk chunks[] = {
 *         CHUNK(0, HOLE, BE64(CHUNKS_AT), BE32(256)),
 *         CHUNK(0, ERROR, BE32(5), BE16(2), 'n', 'o'),
 *         CHUNK_END,
 *     };
 */
#ifndef TESTS_HOST_CHUNKS_H
#define TESTS_HOST_CHUNKS_H

#include "tests/host/server.h"

#define CHUNKS_AT     8192u
#define CHUNKS_LENGTH 512u

/* "Structured reply flags", "Structured reply types" */
#define DONE       1
#define NONE       0
#define DATA       1
#define HOLE       2
#define STATUS     5
#define STATUS_EXT 6
#define ERROR      0x8001
#define ERROR_AT   0x8002

#define BE16(value_) (uint8_t)((value_) >> 8), (uint8_t)(value_)
#define BE32(value_) BE16((uint32_t)(value_) >> 16), BE16((uint32_t)(value_))
#define BE64(value_) BE32((uint64_t)(value_) >> 32), BE32((uint64_t)(value_))

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__})

/* What follows is of the length that the header says, or of another one. */
#define CHUNK(flags_, type_, ...) CHUNK_OF(sizeof(BYTES(__VA_ARGS__)), flags_, type_, __VA_ARGS__)
#define CHUNK_OF(length_, flags_, type_, ...)                                                                          \
    {.flags = (flags_),                                                                                                \
     .type = (type_),                                                                                                  \
     .length = (length_),                                                                                              \
     .bytes = BYTES(__VA_ARGS__),                                                                                      \
     .count = sizeof(BYTES(__VA_ARGS__))}
#define CHUNK_EMPTY(length_, flags_, type_) {.flags = (flags_), .type = (type_), .length = (length_)}
#define CHUNK_END                           CHUNK_EMPTY(0, DONE, NONE)

#endif
