/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzzers of the driver share. The machine stays up over many inputs and is stopped and started again now and
 * then: that is when everything must be accounted for. Any violation ends the program, which libFuzzer notices.
 */
#ifndef TESTS_HOST_FUZZ_MACHINE_H
#define TESTS_HOST_FUZZ_MACHINE_H

#include "tests/host/server.h"
#include "tests/host/wnbd.h"

#include <stddef.h>
#include <stdint.h>

/* The input, taken from the front. What is beyond its end is 0. */
struct input {
    const uint8_t *bytes;
    size_t left;
};

uint8_t input_u8(struct input *input);
uint16_t input_u16(struct input *input);

/* Fills `length` bytes, with zeroes where the input ends. */
void input_bytes(struct input *input, void *bytes, size_t length);

/* The adapter's control device of a machine that is up; starts it again each `inputs` calls. */
struct bed_file *fuzz_adapter(unsigned inputs);

/* A server with a small export, for as long as the program runs. */
struct server *fuzz_server(void);

/* Unmaps all disks. */
void fuzz_unmap_all(struct bed_file *adapter);

/* Runs a CDB by SCSI pass-through; data goes `direction` 0 out, 1 in, 2 nowhere. */
NTSTATUS fuzz_cdb(struct bed_file *disk, const uint8_t *cdb, uint8_t cdb_length, uint8_t direction, void *data,
                  ULONG length);

#endif
