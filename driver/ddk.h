/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one door to the driver kit. Every kernel source includes this and nothing else of the kit.
 *
 * With the real WDK this is its own headers. With mingw-w64 the kit's Storport and WSK headers are missing or of 2003,
 * so driver/ddk/ declares what Microsoft documents. The static assertions in driver/ddk/layout.h hold in both cases:
 * they pin each layout and each number to the public symbols of storport.sys (10.0.17763, x64).
 *
 * It knows nothing of WNBD: the bed's port driver and its test miniports use it too.
 */
#ifndef WNBD_DRIVER_DDK_H
#define WNBD_DRIVER_DDK_H

#ifdef __MINGW32__
#include "driver/ddk/nt.h"
#include "driver/ddk/pcw.h"
#include "driver/ddk/scsi.h"
#include "driver/ddk/storport.h"
#include "driver/ddk/wsk.h"
#else
#include <ntifs.h>
#include <storport.h>
#include <ntddscsi.h>
#include <ntddstor.h>
#include <ntdddisk.h>
#include <wsk.h>
#define DDK_THREAD_TYPE       (*PsThreadType)
#define DDK_EVENT_TYPE        (*ExEventObjectType)
#define DDK_PROCESS_TYPE      (*PsProcessType)
#define DDK_CODE(name)        __declspec(code_seg(name))
#define ddk_raise_to_dispatch KeRaiseIrqlToDpcLevel
#define ddk_lower_irql        KeLowerIrql
#endif

#include "driver/ddk/layout.h"

/*
 * MmProbeAndLockPages with the exception that it raises as a status (driver/lock_pages.c): STATUS_ACCESS_VIOLATION, the
 * requestor's memory is not there or may not be accessed in this way; others, the memory manager's. APC_LEVEL at most;
 * UserMode: in the requestor's context. With success the caller owes MmUnlockPages.
 */
NTSTATUS ddk_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);

#endif
