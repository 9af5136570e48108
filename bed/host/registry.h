/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry, as far as drivers read it here: DWORDs below keys. */
#ifndef BED_HOST_REGISTRY_H
#define BED_HOST_REGISTRY_H

#include "driver/ddk.h"

/* Sets a DWORD value; the key, for instance \Registry\...\wnbd\Parameters, exists from then on. */
void bed_registry_set(const char *key, const char *name, ULONG value);

/* No key exists any more. */
void bed_registry_clear(void);

#endif
