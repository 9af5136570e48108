/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the port driver (bed/port) offers to the environment that hosts it (bed/wine, bed/host), and what it asks of it.
 * Nothing here knows a miniport; nothing in bed/port knows the environment.
 */
#ifndef BED_PORT_PORT_H
#define BED_PORT_PORT_H

#include "driver/ddk.h"

/*
 * Offered: memory that is lent to the network.
 *
 * The provider of WSK calls port_mdl_lent when it accepts an IRP whose buffers (send, receive) lie in `mdl`, and
 * port_mdl_returned just before it completes that IRP. For a chain, once for each MDL of it; for a WSK_BUF that covers
 * a part only, port_range_*. What is recorded is the range of system addresses [address, address + length); an SRB that
 * completes while its data, its SRB extension or its sense buffer overlaps a range still lent is a violation. Any IRQL.
 */
void port_range_lent(const void *address, SIZE_T length);
void port_range_returned(const void *address, SIZE_T length);
void port_mdl_lent(PMDL mdl);
void port_mdl_returned(PMDL mdl);

/*
 * An MDL of this bed always has a mapped address: MappedSystemVa, with MDL_MAPPED_TO_SYSTEM_VA or
 * MDL_SOURCE_IS_NONPAGED_POOL set. READ and WRITE SRBs carry an MDL whose StartVa is poisoned, as DataBuffer is, and
 * whose page numbers are not filled in: IoBuildPartialMdl computes MappedSystemVa of the target as the source's plus
 * (VirtualAddress - MmGetMdlVirtualAddress(source)).
 */
#define PORT_POISON_VA ((ULONG_PTR)0xFFFF8BAD00000000ULL)

/* Offered: how long the network takes to acknowledge what was sent, for a test that wants sends to stay outstanding
 * (BedAckMs of the service's parameters). 0: no longer than it takes. */
extern ULONG port_ack_ms;

/*
 * Asked of the environment (bed/wine/irql.h, bed/wine/patch.h). bed_irql_raise: the port is about to call the miniport
 * at that level (HwStartIo, HwBuildIo, HwResetBus, timer callbacks); answers the level to go back to. An environment
 * without IRQLs keeps a number for each thread, which its shims of waiting and pageable routines check.
 */
unsigned char bed_irql(void);
unsigned char bed_irql_raise(unsigned char irql);
void bed_irql_lower(unsigned char irql);

/*
 * An IRP of a client begins its way through the port driver, and ends it: the call is the last before
 * IoCompleteRequest. Between the two the environment may cancel it. Any IRQL up to DISPATCH_LEVEL.
 */
void bed_irp_begin(IRP *irp);
void bed_irp_end(IRP *irp);

/* Puts the environment's routines in the place of those the driver's image imports. PASSIVE_LEVEL. */
void bed_patch_imports(DRIVER_OBJECT *driver);

/* The driver's unload routine has returned: pool, threads, MDLs that it left are violations. PASSIVE_LEVEL. */
void bed_driver_unloaded(DRIVER_OBJECT *driver);

/* Fills in what the driver holds and has asked for, all but StorPortAllocatePool: bed/port/control.h. FALSE: it is not
 * known. PASSIVE_LEVEL. */
struct bed_counts;
BOOLEAN bed_driver_count(DRIVER_OBJECT *driver, struct bed_counts *counts);

#endif
