/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wnbd.sys on the simulated kernel, as wnbd.dll would use it. */
#ifndef TESTS_HOST_WNBD_H
#define TESTS_HOST_WNBD_H

#include "bed/host/machine.h"
#include "bed/host/user.h"

typedef UCHAR BYTE; /* not a name of the kernel headers */
#include "include/wnbd_ioctl.h"

/* The adapter's control device. */
struct bed_file *wnbd_open(void);

/* As wnbd_map_port, with several connections. */
NTSTATUS wnbd_map_several(struct bed_file *adapter, const char *name, USHORT port, UINT32 connections);

/* A create command for an export of 127.0.0.1. */
void wnbd_describe(WNBD_IOCTL_CREATE_COMMAND *command, const char *name, USHORT port);

/* What create answers, its Status when the output has room for words. */
NTSTATUS wnbd_map(struct bed_file *adapter, const WNBD_IOCTL_CREATE_COMMAND *command, WNBD_IOCTL_CREATE_OUTPUT *output);
NTSTATUS wnbd_map_port(struct bed_file *adapter, const char *name, USHORT port);

void wnbd_map_begin(struct bed_io *io, struct bed_file *adapter, const WNBD_IOCTL_CREATE_COMMAND *command,
                    WNBD_IOCTL_CREATE_OUTPUT *output);

void wnbd_remove_command(WNBD_IOCTL_REMOVE_COMMAND *command, const char *name);
NTSTATUS wnbd_unmap(struct bed_file *adapter, const char *name);

NTSTATUS wnbd_show(struct bed_file *adapter, const char *name, WNBD_CONNECTION_INFO *info);

/* Opens the disk of that name; waits for it to appear. */
NTSTATUS wnbd_open_disk(struct bed_file *adapter, const char *name, struct bed_file **disk);

/* Fills bytes that depend on `seed` and their place. */
void wnbd_pattern(UCHAR *data, ULONG length, ULONG seed);

#endif
