/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program's side: files on devices, and requests on them. Buffers are handed over as the I/O manager does it:
 * controls through a system buffer of exactly the size they have, reads and writes by an MDL.
 */
#ifndef BED_HOST_USER_H
#define BED_HOST_USER_H

#include "driver/ddk.h"

#include <stdbool.h>

struct bed_file;

/* Opens a device by its name (\DosDevices\...) or the first one of an interface class. PASSIVE_LEVEL, all of these. */
NTSTATUS bed_open(const char *name, struct bed_file **file);
NTSTATUS bed_open_interface(const GUID *class, struct bed_file **file);

/* Closes the handle. Requests may be under way: they keep the file, which gets its CLOSE when the last of them has been
 * waited for. */
void bed_close(struct bed_file *file);

/* UnmapViewOfFile: takes the view that a driver has mapped into this process, and `address` lies in. False: none. */
bool bed_unmap_view(const void *address);

/* A request under way. The caller's buffers must stay until bed_io_wait has returned its status. */
struct bed_io {
    struct bed_file *file;
    PIRP irp;
    KEVENT done;
    PVOID system_buffer;
    PVOID output;
    ULONG output_length;
    ULONG code; /* of a control */
    bool holds_file;
    bool borrows_pages;
};

/* An IRP for the top of the file's stack, with the major function and the file set, that keeps no reference to the
 * file: the bed's own. */
PIO_STACK_LOCATION bed_io_begin(struct bed_io *io, struct bed_file *file, UCHAR major);

void bed_control_begin(struct bed_io *io, struct bed_file *file, ULONG code, const void *input, ULONG input_length,
                       void *output, ULONG output_length);
void bed_transfer_begin(struct bed_io *io, struct bed_file *file, bool write, ULONGLONG offset, void *buffer,
                        ULONG length);

/* The same with pages that stay locked from one request to the next, as those of a file system's cache may. */
PMDL bed_buffer_lock(void *buffer, ULONG length);
void bed_buffer_unlock(PMDL mdl);
void bed_transfer_begin_locked(struct bed_io *io, struct bed_file *file, bool write, ULONGLONG offset, PMDL mdl);

/* Asks for its end, as CancelIoEx. Before bed_io_wait has returned the request's status. */
void bed_io_cancel(struct bed_io *io);

/* The request's status, and its Information unless `information` is NULL; STATUS_TIMEOUT: it is still under way. */
NTSTATUS bed_io_wait(struct bed_io *io, ULONG milliseconds, ULONG_PTR *information);

/* The same at one go, without a limit. */
NTSTATUS bed_control(struct bed_file *file, ULONG code, const void *input, ULONG input_length, void *output,
                     ULONG output_length, ULONG *returned);
NTSTATUS bed_read(struct bed_file *file, ULONGLONG offset, void *buffer, ULONG length);
NTSTATUS bed_write(struct bed_file *file, ULONGLONG offset, const void *buffer, ULONG length);
NTSTATUS bed_flush(struct bed_file *file);

/* Opens the disk at a target of the adapter, waiting for it to appear up to `milliseconds`. */
NTSTATUS bed_open_disk(UCHAR target, ULONG milliseconds, struct bed_file **file);

#endif
