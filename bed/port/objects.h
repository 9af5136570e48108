/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port driver's own objects. One miniport (a driver that called StorPortInitialize) has adapters; an adapter has
 * units, the addresses that answered INQUIRY; a unit that is a disk has a disk device, which stands for Windows' disk
 * class driver; a request is one SRB and everything that belongs to it.
 *
 * Lock order: the topology lock, miniports_lock, adapter->startio_lock, adapter->lock, the leaf locks of request.c
 * (free_lock), lent.c, service.c, memory.c, violation.c. Neither the miniport nor IoCompleteRequest is called with
 * adapter->lock held.
 */
#ifndef BED_PORT_OBJECTS_H
#define BED_PORT_OBJECTS_H

#include "bed/port/port.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdarg.h>
#include <stdio.h>

#define PORT_TAG               0x74726f50 /* "Port" */
#define ISSUERS_MAXIMUM        8
#define PORT_SENSE_LENGTH      255
#define PORT_FIRST_DISK_NUMBER 5
#define PORT_FILL              0xD5 /* what the miniport finds in memory that it may not read, and must leave there */

/* Operation codes, SPC and SBC */
enum scsi_opcode {
    SCSIOP_READ6 = 0x08,
    SCSIOP_WRITE6 = 0x0A,
    SCSIOP_INQUIRY = 0x12,
    SCSIOP_MODE_SENSE = 0x1A,
    SCSIOP_START_STOP_UNIT = 0x1B,
    SCSIOP_READ_CAPACITY = 0x25,
    SCSIOP_READ = 0x28,
    SCSIOP_WRITE = 0x2A,
    SCSIOP_SYNCHRONIZE_CACHE = 0x35,
    SCSIOP_UNMAP = 0x42,
    SCSIOP_READ16 = 0x88,
    SCSIOP_WRITE16 = 0x8A,
    SCSIOP_VERIFY16 = 0x8F,
    SCSIOP_READ_CAPACITY16 = 0x9E, /* SERVICE ACTION IN (16), action 10h */
    SCSIOP_REPORT_LUNS = 0xA0,
    SCSIOP_READ12 = 0xA8,
    SCSIOP_WRITE12 = 0xAA,
};

/* ---- miniport ---- */

struct parameters {
    ULONG io_timeout_s; /* Parameters\IoTimeoutValue: TimeOutValue of READ and WRITE SRBs */
    ULONG bus_type;     /* Parameters\BusType: STORAGE_BUS_TYPE shown in descriptors */
    ULONG issuers;      /* Parameters\BedIssuers: threads that call HwStartIo (issuers.c), 0 = whoever comes */
    ULONG sample;       /* Parameters\BedSample: each n-th transfer is guarded (guard.c); 0: no memory is watched */
};

struct miniport {
    struct miniport *next; /* guarded by miniports_lock */
    DRIVER_OBJECT *driver;
    HW_INITIALIZATION_DATA hw;
    void *context;
    UNICODE_STRING registry_path;
    struct parameters parameters;
    /* guarded by miniports_lock: StorPortAllocatePool of all its adapters */
    ULONG64 memory_bytes;
    ULONG memory_blocks;
    ULONG memory_made;
    PDRIVER_UNLOAD unload; /* the miniport's own, which chains to ours; set at the first AddDevice */
};

/* ---- devices ---- */

enum device_kind { DEVICE_ADAPTER = 0x41444150, DEVICE_DISK = 0x4b534944, DEVICE_CONTROL = 0x4c525443 };

/* The first member of every device extension. */
struct device {
    enum device_kind kind;
    DEVICE_OBJECT *object;
    volatile LONG open_handles;
    volatile LONG arrival; /* struct bed_device */
};

enum adapter_state {
    ADAPTER_ADDED,   /* AddDevice was called */
    ADAPTER_RUNNING, /* HwFindAdapter and HwInitialize succeeded */
    ADAPTER_STOPPED, /* ScsiStopAdapter; memory and configuration stay */
    ADAPTER_LEAVING, /* adapter_remove has begun */
    ADAPTER_GONE,    /* HwFreeAdapterResources was called, the miniport may not call any more */
};

/* A timer of the miniport. Guarded by adapter->timer_lock. */
typedef void hw_timer_callback(void *extension, void *context);
struct hw_timer {
    struct list_link link;
    LONGLONG due; /* 0: not set */
    hw_timer_callback *callback;
    void *context;
};

/* A thread that is, or is about to be, in the miniport's HwStartIo or HwResetBus. */
struct pump {
    struct pump *next; /* of adapter->pumps, guarded by adapter->lock, as the list of what it has put aside */
    HANDLE thread;
    struct list_link finished;
};

struct request_chunk;
struct extension_header;

struct adapter {
    struct device device;
    struct adapter *next; /* guarded by miniports_lock */
    struct miniport *miniport;
    DEVICE_OBJECT *pdo;
    DEVICE_OBJECT *lower;
    ULONG number; /* of \\.\ScsiN: */
    UNICODE_STRING interface_link;
    volatile enum adapter_state state;
    BOOLEAN surprise_removed;
    BOOLEAN disabled; /* BedControl; REMOVE follows */

    struct extension_header *header;
    void *extension; /* the miniport's device extension */
    PORT_CONFIGURATION_INFORMATION config;
    HW_PASSIVE_INITIALIZE_ROUTINE *passive_initialize;
    BOOLEAN initializing; /* inside HwInitialize */
    BOOLEAN srbex;        /* SRBs are STORAGE_REQUEST_BLOCKs */
    UCHAR controls;       /* bit n: HwAdapterControl supports type n < 8 */

    KSPIN_LOCK startio_lock; /* HwResetBus, and StartIo of nobody (virtual miniports) */
    KSPIN_LOCK lock;
    /* guarded by lock */
    struct list_link units;
    struct list_link ready;   /* units with something to start */
    struct list_link delayed; /* requests that wait for a retry */
    struct pump *pumps;
    ULONG outstanding;
    ULONG busy_remaining; /* StorPortBusy: completions to wait for */
    ULONG held;           /* > 0: nothing is started (reset of the bus, adapter stopped) */
    ULONG seconds;        /* counts up with the one-second timer */
    ULONG paused_until;   /* StorPortPause, in `seconds`; 0 = not paused */

    KSPIN_LOCK free_lock;
    /* guarded by free_lock */
    struct request_chunk *volatile chunks; /* looked through without the lock: a chunk is whole before it is added */
    struct list_link free;
    ULONG free_count;

    /* atomic */
    volatile LONG changes; /* BusChangeDetected so far */
    volatile LONG disks;   /* disk devices that exist */
    volatile LONG transfers;
    volatile LONG activity;   /* requests started and not yet finished with */
    volatile ULONG new_disks; /* the attributes that new disks have; injected, as what follows */
    volatile LONG fail_mappings;
    volatile LONG fail_pool;
    volatile LONG fail_mdls;
    volatile LONG fail_units;

    volatile ULONG scans; /* finished ones */
    KSEMAPHORE issue;     /* something is ready */
    void *issuers[ISSUERS_MAXIMUM];
    ULONG issuer_count;
    volatile BOOLEAN issuers_off;

    void *clock; /* the thread */
    KEVENT clock_event;
    volatile BOOLEAN clock_off;         /* guarded by lock for those who rely on the clock */
    struct hw_timer notification_timer; /* RequestTimerCall */
    KSPIN_LOCK timer_lock;
    struct list_link hw_timers; /* guarded by timer_lock */

    KSPIN_LOCK service_lock;
    struct list_link services; /* guarded by service_lock */

    KSPIN_LOCK memory_lock;
    struct list_link memory;     /* StorPortAllocatePool blocks, guarded by memory_lock */
    struct list_link quarantine; /* guarded transfer buffers already handed back, guarded by memory_lock */
    ULONG quarantined;
};

/* How far the recovery of a unit has come. Order: each step is tried when the one before did not help. */
enum recovery { RECOVERY_NONE, RECOVERY_LUN_RESET, RECOVERY_TARGET_RESET, RECOVERY_BUS_RESET };

struct disk;

struct unit {
    struct list_link link; /* in adapter->units */
    struct list_link ready_link;
    volatile LONG references;
    struct adapter *adapter;
    UCHAR path;
    UCHAR target;
    UCHAR lun;
    struct disk *disk; /* NULL while the scan asks who is there */
    void *extension;   /* SpecificLuExtensionSize bytes, zeroed at first */
    /* guarded by adapter->lock */
    struct list_link waiting;
    struct list_link outstanding;
    ULONG outstanding_count;
    ULONG depth;
    ULONG busy_remaining; /* StorPortDeviceBusy */
    ULONG paused_until;   /* StorPortPauseDevice */
    ULONG held;           /* > 0: nothing is started (reset under way) */
    BOOLEAN dead;         /* no request is accepted any more */
    enum recovery recovery;
    /* guarded by the topology lock, as `disk` is */
    BOOLEAN ejected;     /* its disk was removed on request */
    LONG ejected_change; /* adapter->changes then: the disk comes back when the miniport reports a change later */
};

/* What INQUIRY, its pages and READ CAPACITY said. */
struct identity {
    UCHAR inquiry[96];
    ULONG inquiry_length;
    UCHAR serial[128]; /* VPD 80h without its header */
    ULONG serial_length;
    UCHAR designators[512]; /* VPD 83h without its header */
    ULONG designators_length;
    UCHAR block_limits[64]; /* VPD B0h, whole */
    ULONG block_limits_length;
    UCHAR provisioning[64]; /* VPD B2h, whole */
    ULONG provisioning_length;
    UCHAR characteristics[64]; /* VPD B1h, whole */
    ULONG characteristics_length;
};

struct capacity {
    ULONGLONG blocks;
    ULONG block_size;
    UCHAR physical_exponent; /* log2 of logical blocks in a physical one */
    USHORT lowest_aligned;
    BOOLEAN thin; /* LBPME */
};

enum disk_state { DISK_PRESENT, DISK_STARTED, DISK_GONE };

struct disk {
    struct device device;
    struct unit *unit; /* holds a reference */
    struct adapter *adapter;
    ULONG number;              /* of \\.\PhysicalDriveN */
    volatile ULONG attributes; /* BED_DISK_* */
    enum disk_state state;     /* atomic: disk_state() */
    BOOLEAN reported;          /* the PnP manager has been told */
    BOOLEAN missing;           /* the last scan did not find it */
    BOOLEAN query_removed;     /* somebody asked politely; not reported again until it was missing once */
    BOOLEAN write_cache;
    BOOLEAN fua; /* the device's DPOFUA bit */
    BOOLEAN linked;
    UNICODE_STRING interface_link;
    struct identity identity;
    struct capacity capacity;
    volatile LONG capacity_changed; /* a unit attention said so: to be read again */
    volatile LONG users;            /* dispatch routines and workers at work on the disk */
};

/* ---- requests ---- */

enum request_state { REQUEST_FREE, REQUEST_WAITING, REQUEST_OUTSTANDING, REQUEST_COMPLETING };

/* What the miniport sees, in the form it asked for. */
union srb {
    SCSI_REQUEST_BLOCK scsi;
    SCSI_PNP_REQUEST_BLOCK pnp;
    struct {
        STORAGE_REQUEST_BLOCK header;
        STOR_ADDR_BTL8 address;
        union {
            SRBEX_DATA_SCSI_CDB16 cdb16;
            SRBEX_DATA_PNP pnp;
        } data;
    } ex;
};

/* What an SRB asks for; stays the same over its retries. */
struct command {
    UCHAR function; /* SRB_FUNCTION_* */
    UCHAR cdb[16];
    UCHAR cdb_length;
    UCHAR pnp_action;
    ULONG pnp_flags;
    void *aborted; /* ABORT_COMMAND: the SRB it is about */
    ULONG flags;   /* SRB_FLAGS_* */
    ULONG timeout_s;
    void *shown;  /* DataBuffer: poisoned or the system address */
    void *system; /* the data's real address, NULL without data */
    ULONG length;
    MDL *mdl;
};

/* What it came back with. */
struct outcome {
    UCHAR srb_status; /* without flags */
    UCHAR scsi_status;
    BOOLEAN sense_valid;
    ULONG transferred;
    UCHAR sense_length;
    UCHAR sense[PORT_SENSE_LENGTH];
};

struct request;
typedef void request_done(struct request *request);

struct request {
    struct list_link link; /* in free, guarded by adapter->free_lock; in waiting, outstanding, delayed or a pump's
                            * finished list, guarded by adapter->lock */
    struct adapter *adapter;
    struct unit *unit; /* holds a reference while not free */
    volatile LONG state;
    ULONG deadline;    /* in adapter->seconds */
    ULONG delay_ticks; /* of the retry timer */
    UCHAR busy_retries;
    UCHAR retries;
    BOOLEAN overdue; /* its time-out was seen and recovery began */
    BOOLEAN head;    /* goes before what waits */
    BOOLEAN unheld;  /* starts although the unit is held: a reset */
    struct command command;
    struct outcome outcome;
    request_done *done;
    void *context;
    IRP *irp;
    struct guard *guard; /* of guard.c, or NULL */
    MDL mdl;             /* describes internal and guarded buffers; holds no page numbers */
    UCHAR *extension;    /* the miniport's SRB extension */
    union srb srb __attribute__((aligned(16)));
    UCHAR sense[PORT_SENSE_LENGTH + 1];
};

#endif
