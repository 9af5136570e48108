/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the bytes of a disk that this program serves are. */
#ifndef WNBD_CLIENT_SERVE_MEDIUM_H
#define WNBD_CLIENT_SERVE_MEDIUM_H

#include "include/wnbd.h"

#include <stdbool.h>
#include <stdint.h>

struct medium;

/* Results are Windows errors. All but `undo` and `close` are called by several threads at once; offsets and lengths are
 * within the medium. */
struct medium_functions {
    DWORD (*read)(struct medium *medium, uint64_t offset, void *data, uint32_t length);
    DWORD (*write)(struct medium *medium, uint64_t offset, const void *data, uint32_t length);

    /* What was written before is safe when it returns. */
    DWORD (*flush)(struct medium *medium);

    /* Makes it zeroes that take no room; not called unless can_unmap. */
    DWORD (*unmap)(struct medium *medium, uint64_t offset, uint64_t length);

    /* There has been no disk: what opening has made or changed is as it was. Before `close`. */
    void (*undo)(struct medium *medium);

    /* Takes the medium. */
    void (*close)(struct medium *medium);
};

/* The beginning of each kind of medium. Fixed after it is opened. */
struct medium {
    const struct medium_functions *functions;
    uint64_t size; /* bytes: whole blocks, and at least one */
    bool can_unmap;
};

/* What is asked for. */
struct medium_wish {
    const char *disk; /* its name, for sentences; borrowed, as are the others */
    const char *path; /* of a file, UTF-8 */
    uint64_t size;    /* 0: as the file is */
    uint32_t block_size;
    bool read_only;
};

/* Both give a medium. The result is the exit code: a failure has been said on stderr. */
int serve_file_open(const struct medium_wish *wish, struct medium **medium);
int serve_memory_open(const struct medium_wish *wish, struct medium **medium);

#endif
