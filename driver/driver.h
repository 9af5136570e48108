/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The adapter: what all files of the driver share.
 *
 * Files, by what they own:
 *   driver.c                  DriverEntry
 *   adapter.c                 the adapter's start and end, power
 *   startio.c, pnp.c, srb.c   SRBs in and out (srb.c alone touches their fields)
 *   ioctl.c, create.c, option_ioctl.c         control requests
 *   options.c, option_store.c                 what an administrator sets
 *   disk.c, disk_table.c, disk_thread.c        a disk, its place in the table, its life
 *   identity.c                what tells a disk from all others
 *   pattern.c                 what a WRITE SAME writes from
 *   performance.c             the counters that Windows' performance monitor shows of each disk
 *   requests.c                a disk's requests, whoever carries them out (backend.h):
 *   nbd_backend.c, nbd_send.c, nbd_receive.c   ... the NBD client
 *   nbd_connect.c, nbd_negotiate.c             from a name to a connection in the transmission phase
 *   nbd_connection.c, nbd_leave.c, nbd_suspend.c   its life, its end, and what becomes of its requests
 *   nbd_memory.c              the memory that outlives it
 *   reconnect.c               from a lost connection to the next
 *   channel.c, channel_give.c, channel_answer.c, channel_end.c   ... or a program
 *   channel_enter.c, channel_fetch.c, channel_wait.c   its commands, and how they wait
 *   channel_arena.c, channel_keep.c   the memory it shares, and what becomes of the disk when it is gone
 *   serve.c, owner.c          its control requests, and whose a disk is
 *   worker.c                  a thread for what cannot be done where it comes up
 *   wsk.c, memory.c, text.c, log.c, clock.c, support*.c  tools
 *
 * Lock order: adapter->lock, then disk->lock. Neither is held while Storport, WSK or a completion routine is called;
 * what is called with them held are events that are set and MDLs that are built. worker->lock is a leaf.
 *
 * Unless a prototype says otherwise, functions may be called at any IRQL up to DISPATCH_LEVEL and without locks.
 */
#ifndef WNBD_DRIVER_DRIVER_H
#define WNBD_DRIVER_DRIVER_H

#include "driver/ddk.h"

#include "driver/options.h"
#include "driver/worker.h"
#include "driver/wsk.h"
typedef UCHAR BYTE; /* not a name of the kernel headers */
#include "include/wnbd_ioctl.h"

#include <stdbool.h>
#include <stdint.h>

/* SCSI addresses: bus 0, target 0 .. 127, LUN 0. */
#define ADAPTER_BUSES   1
#define ADAPTER_TARGETS 128
#define ADAPTER_LUNS    1

struct disk;

/*
 * A target as SCSI sees it. Whoever handles an SRB pins the disk by `visitors`: no lock, and nothing that two disks
 * share. A cache line each.
 */
struct place {
    EX_RUNDOWN_REF visitors; /* can be acquired while there is a disk to be seen */
    struct disk *disk;       /* fixed while it can */
    UCHAR unused[64 - sizeof(EX_RUNDOWN_REF) - sizeof(struct disk *)];
};

/* Storport's device extension: zeroed, not paged, there until HwFreeAdapterResources. */
struct adapter {
    /* fixed after HwFindAdapter */
    bool started;
    UNICODE_STRING interface_link;
    ULONG lun_queue_depth; /* requests that Storport keeps with a disk, as told at the adapter's start */
    ULONG lun_depth_max;   /* the same, of a disk that asks for more */
    struct wsk_client wsk;
    struct worker worker;
    PPCW_REGISTRATION performance; /* of the counters; NULL: Windows has not taken them */
    ULONG64 performance_frequency; /* ticks of Windows' performance counter in a second */

    struct place places[ADAPTER_TARGETS]; /* disk_pin, disk_show, disk_hide */
    volatile LONG restarts;               /* how often ScsiRestartAdapter came: connections from before it are stale */

    KSPIN_LOCK lock;
    /* guarded by lock */
    struct disk *disks[ADAPTER_TARGETS]; /* by target; NULL: free. From the disk's creation to its thread's end */
    uint32_t next_target;                /* where the search for a free target begins */
    bool ending;                         /* no more disks: from HwCompleteServiceIrp on, until it starts again */
    uint32_t threads;                    /* disk threads that have not been waited for */
    KEVENT no_threads;                   /* set while `threads` is 0 */
    uint32_t creations;                  /* creates that have not been answered */
    LIST_ENTRY creation_waiters;         /* IRPs pended until there are none */
};

/* The miniport's entry points. */
VIRTUAL_HW_FIND_ADAPTER hw_find_adapter;
HW_INITIALIZE hw_initialize;
HW_RESET_BUS hw_reset_bus;
HW_ADAPTER_CONTROL hw_adapter_control;
HW_FREE_ADAPTER_RESOURCES hw_free_adapter_resources;
HW_STARTIO hw_start_io;
HW_PROCESS_SERVICE_REQUEST hw_process_service_request;
HW_COMPLETE_SERVICE_IRP hw_complete_service_irp;

/* Whether no disk may be made any more. */
bool adapter_is_ending(struct adapter *adapter);

/* From now on no disk is made. */
void adapter_end(struct adapter *adapter);

/* Completes a control request: `status`, and `information` bytes of its buffer are output. The IRP is Storport's
 * afterwards. Neither the cancel lock nor any of ours may be held. */
void ioctl_complete(struct adapter *adapter, PIRP irp, NTSTATUS status, ULONG_PTR information);

#endif
