/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of one record. */
#ifndef WNBD_RECORDS_FIELDS_H
#define WNBD_RECORDS_FIELDS_H

#include "records/records.h"

/* What is recorded of `properties`, without bit fields. The name is not among it: it is the key's. */
struct fields {
    char hostname[WNBD_MAX_NAME_LENGTH];
    char export_name[WNBD_MAX_NAME_LENGTH];
    UINT64 port;
    UINT64 skip_negotiation;
    UINT64 force;
    UINT64 connections;
    UINT64 read_only;
    UINT64 use_userspace_nbd;
    UINT64 block_count;
    UINT64 block_size;
    UINT64 physical_block_size;
};

void fields_take(struct fields *fields, const WNBD_PROPERTIES *properties);
void fields_give(const struct fields *fields, WNBD_PROPERTIES *properties);

DWORD fields_write(const struct fields *fields, HKEY key);

/* 13: `problem` says what is wrong. */
DWORD fields_read(struct fields *fields, HKEY key, char problem[RECORD_PROBLEM_SIZE]);

#endif
