/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real server: nbdkit with its memory plugin, as a program of its own. */
#ifndef TESTS_HOST_NBDKIT_H
#define TESTS_HOST_NBDKIT_H

#include <stdint.h>
#include <sys/types.h>

struct nbdkit {
    pid_t pid;
    uint16_t port;
};

/* Serves `size` (nbdkit's form, "64M") on a port of 127.0.0.1. It may take a moment until it listens. */
void nbdkit_start(struct nbdkit *nbdkit, const char *size);
void nbdkit_stop(struct nbdkit *nbdkit);

#endif
