/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_WINDOWS_COMMANDS_H
#define TESTS_WINDOWS_COMMANDS_H

#include "disk.h"

/* Each takes its own words and options, does one thing with the open disk and returns the program's exit code. */
typedef int command_function(struct disk *disk, struct arguments *arguments);

/* Runs the command that the words begin with (disk_commands.c): its exit code. */
int disk_run(struct arguments *arguments);

command_function command_write_random; /* sequence.c */
command_function command_verify;
command_function command_hash;
command_function command_storm; /* storm.c */
command_function command_read;  /* single.c */
command_function command_write;
command_function command_flush;
command_function command_hold;
command_function command_cdb;        /* cdb.c */
command_function command_info;       /* info.c */
command_function command_rate;       /* rate.c */
command_function command_attributes; /* attributes.c */
command_function command_mapping;    /* mapping.c */

#endif
