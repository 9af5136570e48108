/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wine's ntoskrnl stubs, lacks or falsifies some routines that a miniport may import. The bed puts its own in their
 * place by rewriting the miniport's import table; the image on the disk stays the one that ships.
 */
#ifndef WNBD_BED_WINE_PATCH_H
#define WNBD_BED_WINE_PATCH_H

#include "driver/ddk.h"

struct bed_counts;

/*
 * Rewrites the imports of the driver's image, once; called again for the same image it does nothing. Images that were
 * mapped when storport.sys was loaded were rewritten then already. PASSIVE_LEVEL.
 */
void bed_patch_imports(DRIVER_OBJECT *driver);

/*
 * What must be gone when the driver's unload routine has returned: its pool, threads, WSK registrations, trace
 * registrations, MDLs locked. Each thing left is a violation. PASSIVE_LEVEL.
 */
void bed_driver_unloaded(DRIVER_OBJECT *driver);

#endif
