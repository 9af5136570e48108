/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the kernel's strings and the machine's. Names here are ASCII. */
#ifndef BED_HOST_TEXT_H
#define BED_HOST_TEXT_H

#include "driver/ddk.h"

/* Cut to `size` bytes with the NUL. */
void bed_text_narrow(const UNICODE_STRING *string, char *text, size_t size);

/* Fills string->Buffer, which has room, with the text and a NUL, and sets the lengths. */
void bed_text_widen(const char *text, UNICODE_STRING *string);

#endif
