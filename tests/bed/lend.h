/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A socket of the kernel's whose receive never ends: what lends an SRB's data to the network for good (wrong.c). */
#ifndef TESTS_BED_LEND_H
#define TESTS_BED_LEND_H

#include "driver/ddk.h"

/* Connects to 127.0.0.1, `port`, where nobody sends. PASSIVE_LEVEL. */
BOOLEAN lend_start(USHORT port);

/* Starts a receive into `length` bytes at `offset` of the MDL, which is lent until lend_stop. */
void lend(MDL *mdl, ULONG offset, ULONG length);

/* Closes the socket. PASSIVE_LEVEL. */
void lend_stop(void);

#endif
