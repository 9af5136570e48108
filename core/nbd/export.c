/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/export.h"

#include "core/nbd/wire.h"

#include <stdbool.h>

#define SMALL_BLOCK 512u
#define LARGE_BLOCK 4096u

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* "Block size constraints", as far as a disk depends on it: that the preferred size is at least 512 and the minimum at
 * most 65536 is not asked for, since neither does harm. */
static bool block_sizes_hold(const struct nbd_export *server)
{
    if (!is_power_of_two(server->minimum_block) || !is_power_of_two(server->preferred_block)) {
        return false;
    }
    if (server->preferred_block < server->minimum_block || server->maximum_payload == 0) {
        return false;
    }
    return server->maximum_payload == NBD_UNLIMITED_PAYLOAD || server->maximum_payload % server->minimum_block == 0;
}

static enum nbd_geometry_problem check_block_size(const struct nbd_export *server, uint32_t block_size)
{
    if (block_size != SMALL_BLOCK && block_size != LARGE_BLOCK) {
        return NBD_GEOMETRY_BLOCK_SIZE_INVALID;
    }
    if (server->minimum_block > LARGE_BLOCK) {
        return NBD_GEOMETRY_MINIMUM_TOO_LARGE;
    }
    if (server->minimum_block > block_size) {
        return NBD_GEOMETRY_BLOCK_SIZE_REQUIRED;
    }
    return server->maximum_payload < block_size ? NBD_GEOMETRY_MAXIMUM_TOO_SMALL : NBD_GEOMETRY_OK;
}

static enum nbd_geometry_problem check_size(const struct nbd_export *server, uint32_t block_size)
{
    /* Windows counts the bytes of a disk in a signed 64-bit number. */
    if (server->size > INT64_MAX) {
        return NBD_GEOMETRY_TOO_LARGE;
    }
    return server->size < block_size ? NBD_GEOMETRY_TOO_SMALL : NBD_GEOMETRY_OK;
}

enum nbd_geometry_problem nbd_export_geometry(const struct nbd_export *server, uint32_t block_size,
                                              struct nbd_geometry *geometry)
{
    enum nbd_geometry_problem problem;

    if (!(server->flags & NBD_FLAG_HAS_FLAGS)) {
        return NBD_GEOMETRY_FLAGS_BROKEN;
    }
    if (!block_sizes_hold(server)) {
        return NBD_GEOMETRY_BLOCK_SIZES_BROKEN;
    }
    problem = check_block_size(server, block_size);
    if (problem == NBD_GEOMETRY_OK) {
        problem = check_size(server, block_size);
    }
    if (problem == NBD_GEOMETRY_OK) {
        geometry->block_count = server->size / block_size;
        geometry->block_size = block_size;
        geometry->maximum_length = server->maximum_payload - server->maximum_payload % block_size;
    }
    return problem;
}

const char *nbd_geometry_problem_text(enum nbd_geometry_problem problem)
{
    switch (problem) {
    case NBD_GEOMETRY_OK:
        return "the export can be a disk";
    case NBD_GEOMETRY_TOO_SMALL:
        return "the export is smaller than one block";
    case NBD_GEOMETRY_TOO_LARGE:
        return "the export is larger than 2^63 - 1 bytes";
    case NBD_GEOMETRY_BLOCK_SIZE_REQUIRED:
        return "the server's minimum block is larger than 512 bytes; ask for blocks of 4096 bytes (--block-size 4096)";
    case NBD_GEOMETRY_MINIMUM_TOO_LARGE:
        return "the server's minimum block is larger than 4096 bytes";
    case NBD_GEOMETRY_BLOCK_SIZE_INVALID:
        return "the block size is neither 512 nor 4096 bytes";
    case NBD_GEOMETRY_BLOCK_SIZES_BROKEN:
        return "the server broke the NBD protocol: it sent impossible block sizes";
    case NBD_GEOMETRY_FLAGS_BROKEN:
        return "the server broke the NBD protocol: it sent transmission flags without NBD_FLAG_HAS_FLAGS";
    case NBD_GEOMETRY_MAXIMUM_TOO_SMALL:
        return "the longest request that the server takes is shorter than one block";
    }
    return "the export cannot be a disk";
}

struct nbd_export nbd_export_assumed(uint64_t size, uint16_t flags)
{
    struct nbd_export assumed = {
        .size = size,
        .flags = flags | NBD_FLAG_HAS_FLAGS,
        .minimum_block = NBD_DEFAULT_MINIMUM_BLOCK,
        .preferred_block = NBD_DEFAULT_PREFERRED_BLOCK,
        .maximum_payload = NBD_DEFAULT_MAXIMUM_PAYLOAD,
    };

    return assumed;
}

/* Flags that a disk was made by, and others that it does not do without once it has them. */
#define FLAGS_THAT_MATTER (NBD_FLAG_READ_ONLY | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM)
#define FLAGS_TO_KEEP     (NBD_FLAG_SEND_WRITE_ZEROES | NBD_FLAG_SEND_CACHE)

static bool has_lost_an_ability(const struct nbd_export *was, const struct nbd_export *is)
{
    return (was->flags & ~is->flags & FLAGS_TO_KEEP) != 0 || (was->block_status && !is->block_status);
}

enum nbd_export_change nbd_export_compare(const struct nbd_export *was, const struct nbd_export *is)
{
    if (((was->flags ^ is->flags) & FLAGS_THAT_MATTER) != 0 || has_lost_an_ability(was, is)) {
        return NBD_EXPORT_FLAGS_DIFFER;
    }
    if (is->minimum_block > was->minimum_block || is->maximum_payload < was->maximum_payload) {
        return NBD_EXPORT_BLOCKS_DIFFER;
    }
    if (is->size != was->size) {
        return is->size > was->size ? NBD_EXPORT_GROWN : NBD_EXPORT_SHRUNK;
    }
    return NBD_EXPORT_SAME;
}

const char *nbd_export_change_text(enum nbd_export_change change)
{
    switch (change) {
    case NBD_EXPORT_SAME:
        return "the export is as it was";
    case NBD_EXPORT_GROWN:
        return "the export is larger than it was";
    case NBD_EXPORT_SHRUNK:
        return "the export is smaller than it was";
    case NBD_EXPORT_FLAGS_DIFFER:
        return "the export is not what it was: read-only or what the server can do with it has changed";
    case NBD_EXPORT_BLOCKS_DIFFER:
        return "the export is not what it was: its block sizes have changed";
    }
    return "the export is not what it was";
}
