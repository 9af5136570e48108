/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory that the serving miniport shares with a program, and what it does in the program's own. */
#ifndef TESTS_BED_SERVING_MEMORY_H
#define TESTS_BED_SERVING_MEMORY_H

#include "driver/ddk.h"
#include "tests/bed/serving.h"

struct memory {
    HANDLE section;
    PVOID object;
    PVOID view; /* in system space */
    MDL *mdl;   /* of the view, locked */
    UCHAR *data;
};

/* All of them at PASSIVE_LEVEL; the first three in the context of the request's sender. */

/* Makes the section and maps it here and there; the answer goes into `command`. On failure nothing is left. */
NTSTATUS memory_open(struct memory *memory, IRP *irp, struct serving *command);

/* SERVING_FILL and SERVING_SUM. */
NTSTATUS memory_fill(const struct serving *command);
NTSTATUS memory_sum(struct serving *command);

/* What memory_open made, and is not a program's; does what `careless` says wrong. */
void memory_close(struct memory *memory, enum serving_careless careless);

#endif
