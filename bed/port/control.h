/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * \\.\BedControl: how the outside of the bed (the cfgmgr32 stand-in, the `bed` script's helper, tests) talks to the
 * port driver. One device per process that hosts miniports; all requests are METHOD_BUFFERED. Included by kernel and
 * user mode: include <windows.h> and <winioctl.h>, or driver/ddk.h, before it.
 */
#ifndef BED_PORT_CONTROL_H
#define BED_PORT_CONTROL_H

#define BED_CONTROL_DEVICE   L"\\Device\\BedControl"
#define BED_CONTROL_LINK     L"\\DosDevices\\BedControl"
#define BED_CONTROL_FILENAME "\\\\.\\BedControl"

#define BED_IOCTL(number) ((0x22u << 16) | ((0x900u + (number)) << 2)) /* FILE_DEVICE_UNKNOWN, any access */

/*
 * A device of the bed. Instance ids are in upper case as the PnP manager prints them, for instance
 * SCSI\DISK&VEN_RAM&PROD_DISK\1&0&000500 (the last part: two hex digits each of bus, target, LUN) and
 * ROOT\SCSIADAPTER\0000. Comparison ignores case.
 */
#define BED_INSTANCE_LENGTH 200

struct bed_device {
    ULONG is_adapter;  /* 1: an adapter; 0: a disk */
    ULONG disk_number; /* N of \\.\PhysicalDriveN, ~0 for an adapter */
    ULONG port;        /* N of \\.\ScsiN: */
    UCHAR path;        /* a disk's address */
    UCHAR target;
    UCHAR lun;
    UCHAR started; /* 1: the device works; 0: disabled, stopped or on its way out */
    ULONG open_handles;
    ULONG arrival; /* each start of each device has another number; 0: none yet */
    WCHAR instance[BED_INSTANCE_LENGTH];
    WCHAR parent[BED_INSTANCE_LENGTH]; /* a disk's adapter */
};

/* Output: an array of struct bed_device, as many as fit; Information says how many bytes. */
#define BED_CONTROL_LIST BED_IOCTL(0)

/*
 * Input: struct bed_target, output: struct bed_verdict. QUERY_REMOVE is sent down the device's stack (an adapter's
 * disks first); nobody objects: it is removed, and the answer comes after REMOVE_DEVICE. The ioctl itself succeeds
 * whenever there is a verdict. Open handles veto with PNP_VetoOutstandingOpen (5), a driver with PNP_VetoDevice (6);
 * veto_name is the instance id of the device that objected. An instance that does not exist: STATUS_NO_SUCH_DEVICE.
 */
#define BED_CONTROL_QUERY_REMOVE BED_IOCTL(1)

/* Input: struct bed_target of an adapter, output struct bed_verdict. Disable: as above but the adapter can be enabled
 * again. */
#define BED_CONTROL_DISABLE BED_IOCTL(2)
#define BED_CONTROL_ENABLE  BED_IOCTL(3)

struct bed_target {
    WCHAR instance[BED_INSTANCE_LENGTH];
};

struct bed_verdict {
    ULONG vetoed;    /* 0: done; 1: somebody objected */
    ULONG veto_type; /* PNP_VETO_TYPE */
    WCHAR veto_name[BED_INSTANCE_LENGTH];
};

/* Output: struct bed_violations. */
#define BED_CONTROL_VIOLATIONS BED_IOCTL(4)

struct bed_violations {
    ULONG count;      /* all of them */
    ULONG text_count; /* of which texts are kept */
    char text[32][256];
};

/*
 * Output: an array of struct bed_counts, one for each miniport's driver, as many as fit; Information says how many
 * bytes. What the driver holds just now, and how often it has asked for it since it was loaded. Bytes are those that
 * the driver asked for; IRPs and MDLs of IoAllocateIrp and IoAllocateMdl count with their size as nonpaged bytes.
 */
#define BED_CONTROL_COUNTS BED_IOCTL(6)

struct bed_counts {
    ULONG64 nonpaged_bytes; /* pool, StorPortAllocatePool, IRPs, MDLs */
    ULONG64 paged_bytes;
    ULONG64 pool_peak; /* the most bytes of pool, of both kinds, at any time */
    ULONG blocks;      /* of pool */
    ULONG irps;
    ULONG mdls;
    ULONG threads;
    ULONG sockets;
    ULONG blocks_made;
    ULONG irps_made;
    ULONG mdls_made;
    ULONG threads_made;
    ULONG sockets_made;
    WCHAR driver[32]; /* the name of the image */
};

/*
 * Input: struct bed_counter_set; output: an array of struct bed_instance, as many as fit; Information says how many
 * bytes. What a consumer of performance counters gets of a set; nothing when nobody provides it.
 */
#define BED_CONTROL_COLLECT BED_IOCTL(7)

#define BED_INSTANCE_NAME_LENGTH 256
#define BED_COUNTERS_MAX         32

struct bed_counter_set {
    ULONG with_values; /* 0: instances alone */
    WCHAR name[64];
};

struct bed_counter_value {
    ULONG id;
    ULONG size; /* 4 or 8 */
    ULONG64 value;
};

struct bed_instance {
    ULONG id;
    ULONG value_count;
    WCHAR name[BED_INSTANCE_NAME_LENGTH];
    struct bed_counter_value values[BED_COUNTERS_MAX]; /* in the order of the registration */
};

/*
 * Input: struct bed_injection; no output. Works on the disk or adapter named by `instance`:
 *  RESET_LUN, RESET_TARGET, RESET_BUS  as the time-out escalation would, at once
 *  FORCE_TIMEOUT   the outstanding requests are taken to have timed out
 *  STOP_ADAPTER    ScsiStopAdapter, then I/O is held; RESTART_ADAPTER  ScsiRestartAdapter, then goes on
 *  FAIL_MAPPING    the next `count` StorPortGetSystemAddress fail
 *  FAIL_MDL        the next `count` StorPortGetOriginalMdl fail
 *  FAIL_UNIT       the next `count` StorPortSetDeviceQueueDepth or StorPortPauseDevice answer FALSE
 *  FAIL_POOL       the next `count` StorPortAllocatePool fail
 *  SURPRISE        the device is taken away without being asked
 *  RESCAN          as after BusChangeDetected, but done when the ioctl returns
 *  SHUT_DOWN       what the class driver does with the disk before the power goes; done when the ioctl returns
 *  NEW_DISKS       disks that appear from now on have the attributes `count`, as by Windows' SAN policy
 *  ABORT           SRB_FUNCTION_ABORT_COMMAND for the oldest of the disk's outstanding requests
 */
#define BED_CONTROL_INJECT BED_IOCTL(5)

enum bed_injection_kind {
    BED_INJECT_RESET_LUN = 1,
    BED_INJECT_RESET_TARGET,
    BED_INJECT_RESET_BUS,
    BED_INJECT_FORCE_TIMEOUT,
    BED_INJECT_STOP_ADAPTER,
    BED_INJECT_RESTART_ADAPTER,
    BED_INJECT_FAIL_MAPPING,
    BED_INJECT_FAIL_POOL,
    BED_INJECT_SURPRISE,
    BED_INJECT_RESCAN,
    BED_INJECT_ABORT,
    BED_INJECT_SHUT_DOWN,
    BED_INJECT_NEW_DISKS,
    BED_INJECT_FAIL_MDL,
    BED_INJECT_FAIL_UNIT,
};

/* DISK_ATTRIBUTE_OFFLINE and DISK_ATTRIBUTE_READ_ONLY. The second one refuses writes; the first is only told, because
 * the bed has no volumes. */
#define BED_DISK_OFFLINE   1u
#define BED_DISK_READ_ONLY 2u

struct bed_injection {
    ULONG kind;
    ULONG count;
    WCHAR instance[BED_INSTANCE_LENGTH];
};

#endif
