/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry, as far as drivers use it here: keys are there when they have values. It outlives the machine. */
#ifndef BED_HOST_REGISTRY_H
#define BED_HOST_REGISTRY_H

#include "driver/ddk.h"

#define BED_VALUE_LENGTH_MAX 600

/* Sets a DWORD value; the key, for instance \Registry\...\wnbd\Parameters, exists from then on. */
void bed_registry_set(const char *key, const char *name, ULONG value);

/* Sets a value of any type; `length` up to BED_VALUE_LENGTH_MAX. */
void bed_registry_set_value(const char *key, const char *name, ULONG type, const void *data, ULONG length);

/* The type and length of a value, and its bytes in `data`, which has room for BED_VALUE_LENGTH_MAX. False: there is
 * none. */
BOOLEAN bed_registry_get_value(const char *key, const char *name, ULONG *type, void *data, ULONG *length);

/* No key exists any more. */
void bed_registry_clear(void);

#endif
