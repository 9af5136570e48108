/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests of a handle that wait until they are cancelled or the handle is closed. */
#ifndef TESTS_BED_SERVING_WAIT_H
#define TESTS_BED_SERVING_WAIT_H

#include "driver/ddk.h"
#include "tests/bed/serving.h"

/* Completes a service IRP. DISPATCH_LEVEL at most. */
void serving_finish(IRP *irp, NTSTATUS status, ULONG length);

void wait_init(void);

/* Takes the IRP. */
void wait_begin(IRP *irp);

/* Ends all of a file, or all there are; returns when those too have left that a cancel has begun with. PASSIVE_LEVEL.
 */
void wait_end(const FILE_OBJECT *file);

/* Fills in `waiting` and `cancelled`. */
void wait_count(struct serving *command);

#endif
