/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk looks like to SCSI. Filled when the disk is made, before the first command; after that only its size
 * and its modes change.
 */
#ifndef WNBD_CORE_SCSI_DEVICE_H
#define WNBD_CORE_SCSI_DEVICE_H

#include "core/base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

#define SCSI_SERIAL_MAX 255 /* what the one-byte page length that SPC-3 gives VPD 80 can say */
#define SCSI_NAA_MAX    16

struct scsi_device {
    uint64_t block_count;            /* by device_blocks; 1 or more; block_count * block_size fits 64 bits */
    uint64_t write_through;          /* by device_writes_through; 0 at first */
    uint64_t descriptor_sense;       /* by device_descriptor_sense; 0 at first */
    uint32_t block_size;             /* 512 or 4096 */
    uint8_t physical_block_exponent; /* physical block = block_size << this; 0 .. 15 */
    uint8_t threshold_exponent;      /* device_counts_blocks: threshold set = 1 << this blocks, 1 .. 23; else 0 */

    bool read_only;
    bool write_cache;  /* the backend can flush: WCE is 1 unless a MODE SELECT has made it 0 */
    bool fua;          /* FUA is honoured, by the backend or by a flush */
    bool fua_by_flush; /* ... by a flush: the backend has none of its own; only with `write_cache` */
    bool unmap;
    bool write_zeroes; /* the backend has IO_WRITE_ZEROES: WRITE SAME of zeroes */
    bool cache;        /* the backend has IO_CACHE: PRE-FETCH does something */
    bool block_status; /* the backend has IO_BLOCK_STATUS: GET LBA STATUS knows more than "mapped" */
    bool rotational;
    bool persistent_reservations; /* the backend has IO_RESERVE_IN and IO_RESERVE_OUT */
    bool pattern; /* whoever runs the commands gives a WRITE SAME room for its block (storage.h): any block is taken */
    bool byte_check; /* whoever runs the commands gives a VERIFY its data and room to read to (storage.h): BYTCHK */

    uint32_t max_transfer_blocks;      /* per READ or WRITE; 1 or more, and in bytes it fits 32 bits */
    uint32_t max_request_blocks;       /* of them, in one request to the backend; 0: no limit of its own */
    uint32_t optimal_transfer_blocks;  /* 0: not reported */
    uint32_t max_unmap_blocks;         /* per UNMAP command; UINT32_MAX: no limit */
    uint32_t max_unmap_descriptors;    /* per UNMAP command; 1 or more when `unmap`; UINT32_MAX: no limit */
    uint32_t unmap_granularity_blocks; /* 0: not reported */
    uint32_t max_write_same_blocks;    /* per WRITE SAME; 1 or more when device_has_write_same */

    char revision[4]; /* product revision, space padded, e.g. "0.8 " */

    uint8_t serial_length; /* 1 .. SCSI_SERIAL_MAX */
    uint8_t serial[SCSI_SERIAL_MAX];

    /*
     * VPD 83. With an owner's NAA that designator stands alone (Ceph's disks). Without one the driver derives an NAA
     * from server, port and export, and the page also holds that NAA as a SCSI name string and a T10 vendor id
     * designator built from the serial: if the serial fits it whole, since a cut one could name two disks. A disk with
     * neither has no page 83.
     */
    uint8_t naa_length; /* 8 or 16; 0: no NAA designator */
    uint8_t naa[SCSI_NAA_MAX];
    bool naa_alone;
};

/* physical_block_exponent for physical blocks of `bytes`, or the power of two below; 0: less than two blocks. */
static inline uint8_t device_exponent(uint32_t bytes, uint32_t block_size)
{
    uint8_t exponent = 0;

    while (exponent < 15 && bytes / 2 >= block_size << exponent) {
        exponent++;
    }
    return exponent;
}

/* The size, while commands may be running. Each command takes it once, so that what it checks and says agrees. */
static inline uint64_t device_blocks(const struct scsi_device *device)
{
    return atomic_read_u64(&device->block_count);
}

/* Whether it can say how many of its blocks are in use (LOG SENSE); only with `block_status`. */
static inline bool device_counts_blocks(const struct scsi_device *device)
{
    return device->threshold_exponent != 0;
}

/*
 * threshold_exponent for a disk of `block_count`. The unit of a 32-bit count (SBC-3, "Logical Block Provisioning VPD
 * page"): as fine as leaves room for the disk to become 256 times as large, because initiators ask for it once; and not
 * coarser than the largest disk needs, of 2^63 bytes in blocks of 512.
 */
static inline uint8_t device_threshold_exponent(uint64_t block_count)
{
    uint8_t exponent = 1; /* 0 says that there are no threshold sets */

    while (exponent < 23 && block_count >> exponent > UINT32_MAX >> 8) {
        exponent++;
    }
    return exponent;
}

static inline bool device_has_write_same(const struct scsi_device *device)
{
    return device->write_zeroes || device->pattern;
}

/* Gives the disk another size. Commands that have begun go on with the one before. */
static inline void device_resize(struct scsi_device *device, uint64_t block_count)
{
    atomic_write_u64(&device->block_count, block_count);
}

/* WCE 0: a WRITE is done when what it has written is on the medium. */
static inline bool device_writes_through(const struct scsi_device *device)
{
    return atomic_read_u64(&device->write_through) != 0;
}

/* D_SENSE 1: autosense has the descriptor format. */
static inline bool device_descriptor_sense(const struct scsi_device *device)
{
    return atomic_read_u64(&device->descriptor_sense) != 0;
}

/* As a logical unit reset leaves the mode parameters: none are saved, so they have their default values (SPC-4, "Mode
 * parameters"). */
static inline void device_reset_modes(struct scsi_device *device)
{
    atomic_write_u64(&device->write_through, 0);
    atomic_write_u64(&device->descriptor_sense, 0);
}

#endif
