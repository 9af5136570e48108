/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What wnbd.dll and wnbd.sys say to each other.
 *
 * Shared with the driver: the Windows basic types and GUID must be defined before this file is included (windows.h does
 * it for a program). Programs include wnbd.h, which includes this file.
 *
 * Every command is IOCTL_MINIPORT_PROCESS_SERVICE_IRP (ntddscsi.h, 0x4D038, buffered) sent to the adapter's device
 * interface WNBD_GUID. The input buffer is one of the command structures below; its first ULONG is the sub-code. The
 * output buffer is named at each command. All structures have natural alignment and the same layout on x64 and ARM64;
 * their sizes are asserted, because the library, the driver and the programs are built apart.
 *
 * Rules for all of them:
 *   - a caller sets reserved fields to 0; they are carried along and otherwise ignored
 *   - CHAR strings are bytes, by convention UTF-8, and end with a NUL inside their array; names compare exactly
 *   - block addresses and counts are in logical blocks, everything else in bytes, unless the name says otherwise
 *
 * Statuses every command may end with, and what the library makes of them (Win32 code):
 *   STATUS_INVALID_PARAMETER        87    input shorter than the command, an empty name, a value out of its range
 *   STATUS_BUFFER_OVERFLOW         234    output buffer too small
 *   STATUS_INVALID_DEVICE_REQUEST    1    sub-code unknown to this driver
 *   STATUS_INSUFFICIENT_RESOURCES 1450    no memory
 */
#ifndef WNBD_IOCTL_H
#define WNBD_IOCTL_H

#include <assert.h>

/* Fails to compile unless sizeof(type) is `size`. Brings its own semicolon. */
#define WNBD_ASSERT_SZ_EQ(type, size) static_assert(sizeof(type) == (size), "the layout of " #type " is fixed");

/* Device interface class of the adapter: {949dd17c-b06c-4c14-8e13-f1a3a4a6dbcb}. */
static const GUID WNBD_GUID = {0x949dd17c, 0xb06c, 0x4c14, {0x8e, 0x13, 0xf1, 0xa3, 0xa4, 0xa6, 0xdb, 0xcb}};

/* --- Sub-codes ------------------------------------------------------------------------------------------------ */

#define IOCTL_WNBD_PING          1  /* WNBD_IOCTL_PING_COMMAND, no output: is the adapter alive */
#define IOCTL_WNBD_CREATE        2  /* WNBD_IOCTL_CREATE_COMMAND */
#define IOCTL_WNBD_REMOVE        3  /* WNBD_IOCTL_REMOVE_COMMAND */
#define IOCTL_WNBD_FETCH_REQ     4  /* WNBD_IOCTL_FETCH_REQ_COMMAND */
#define IOCTL_WNBD_SEND_RSP      5  /* WNBD_IOCTL_SEND_RSP_COMMAND */
#define IOCTL_WNBD_LIST          6  /* WNBD_IOCTL_LIST_COMMAND */
#define IOCTL_WNBD_STATS         7  /* WNBD_IOCTL_STATS_COMMAND */
#define IOCTL_WNBD_RELOAD_CONFIG 8  /* WNBD_IOCTL_RELOAD_CONFIG_COMMAND */
#define IOCTL_WNBD_VERSION       9  /* WNBD_IOCTL_VERSION_COMMAND, output WNBD_VERSION */
#define IOCTL_WNBD_SHOW          10 /* WNBD_IOCTL_SHOW_COMMAND */
#define IOCTL_WNBD_GET_DRV_OPT   11 /* WNBD_IOCTL_GET_DRV_OPT_COMMAND */
#define IOCTL_WNBD_SET_DRV_OPT   12 /* WNBD_IOCTL_SET_DRV_OPT_COMMAND */
#define IOCTL_WNBD_RESET_DRV_OPT 13 /* WNBD_IOCTL_RESET_DRV_OPT_COMMAND */
#define IOCTL_WNBD_LIST_DRV_OPT  14 /* WNBD_IOCTL_LIST_DRV_OPT_COMMAND */
#define IOCTL_WNBD_SET_DISK_SIZE 15 /* WNBD_IOCTL_SET_SIZE_COMMAND */
/* Not in other implementations: */

#define IOCTL_WNBD_OWN       32 /* WNBD_IOCTL_OWN_COMMAND */
#define IOCTL_WNBD_MAP_ARENA 33 /* WNBD_IOCTL_MAP_ARENA_COMMAND */
#define IOCTL_WNBD_ENTER     34 /* WNBD_IOCTL_ENTER_COMMAND */
#define IOCTL_WNBD_ATTACH    35 /* WNBD_IOCTL_ATTACH_COMMAND */

/* --- Limits --------------------------------------------------------------------------------------------------- */

#define WNBD_MAX_NAME_LENGTH        256 /* of an array for a name, NUL included */
#define WNBD_MAX_OWNER_LENGTH       16  /* of WNBD_PROPERTIES.Owner, NUL included */
#define WNBD_MAX_OPT_NAME_LENGTH    64  /* of an option's name in WCHARs, NUL included */
#define WNBD_MAX_VERSION_STR_LENGTH 128 /* of WNBD_VERSION.Description, NUL included */
#define WNBD_NAA_ID_LENGTH          16  /* bytes of a WNBD_NAA_ID */

/* The largest data transfer of one request: 2 MiB, not configurable. */
#define WNBD_DEFAULT_MAX_TRANSFER_LENGTH (2 * 1024 * 1024)

/* How many requests Windows keeps in flight: the options MaxIOReqPerAdapter and MaxIOReqPerLun. */

#define WNBD_DEFAULT_MAX_IO_REQ_PER_ADAPTER 1000   /* to all disks together, unless configured */
#define WNBD_DEFAULT_MAX_IO_REQ_PER_LUN     255    /* to one disk, unless configured */
#define WNBD_ABS_MAX_IO_REQ_PER_ADAPTER     131072 /* the most that can be configured for all disks together */
#define WNBD_ABS_MAX_IO_REQ_PER_LUN         1024   /* the most that can be configured for one disk */

#define WNBD_DEFAULT_STALE_REQ_TIMEOUT_MS  15000 /* default of the option StaleReqTimeoutMs */
#define WNBD_DEFAULT_STALE_CONN_TIMEOUT_MS 60000 /* default of the option StaleConnTimeoutMs */

/* The memory that a disk's driver and program share for the data of requests: WNBD_PROPERTIES.ArenaSize. */

#define WNBD_MIN_ARENA_SIZE     (2 * 1024 * 1024)  /* bytes: one request of the largest size */
#define WNBD_MAX_ARENA_SIZE     (64 * 1024 * 1024) /* bytes */
#define WNBD_DEFAULT_ARENA_SIZE (8 * 1024 * 1024)  /* bytes */

#define WNBD_MAX_CONNECTIONS     16 /* of an NBD disk to its server, at a time */
#define WNBD_DEFAULT_CONNECTIONS 1  /* of an NBD disk that asks for no number */

/* Bytes per block of an NBD disk that asks for none. */
#define WNBD_DEFAULT_BLOCK_SIZE 512

/* The most that WNBD_PROPERTIES.PhysicalBlockSize may say. */
#define WNBD_MAX_PHYSICAL_BLOCK_SIZE 65536

/* --- The disk ------------------------------------------------------------------------------------------------- */

/* A disk's name within its lifetime. Unlike SCSI addresses and disk numbers it is never used again until the driver is
 * unloaded, so whatever comes late cannot reach another disk. 0 is no disk. */
typedef UINT64 WNBD_CONNECTION_ID;
typedef WNBD_CONNECTION_ID *PWNBD_CONNECTION_ID;

/* How a SCSI command ended. Filled by WnbdSetSense and WnbdSetSenseEx; all zero is success. */
typedef struct {
    UINT8 ScsiStatus;   /* 0 good, 2 check condition, 0x18 reservation conflict */
    UINT8 SenseKey;     /* as the SCSI standards number them; ASC and ASCQ as well */
    UINT8 ASC;          /* additional sense code */
    UINT8 ASCQ;         /* its qualifier */
    UINT64 Information; /* sense INFORMATION, usually the failing LBA; counts if InformationValid */
    UINT64 ReservedCSI;
    UINT32 ReservedSKS;
    UINT32 ReservedFRU : 8;
    UINT32 InformationValid : 1; /* Information counts */
} WNBD_STATUS, *PWNBD_STATUS;
WNBD_ASSERT_SZ_EQ(WNBD_STATUS, 32)

/* How an NBD server is talked to. */
typedef struct {
    /* There is no NBD handshake on this port: the server starts at once with the transmission phase. Size, block size
     * and capabilities are then those of WNBD_PROPERTIES. */
    UINT32 SkipNegotiation : 1;
    /* Map the export although this machine has it mapped already and one of the two disks can be written. Two file
     * systems on one export destroy it; this bit is for those who know that only one of them writes. */
    UINT32 Force : 1;
    UINT32 Reserved : 30;
} NBD_CONNECTION_FLAGS, *PNBD_CONNECTION_FLAGS;
WNBD_ASSERT_SZ_EQ(NBD_CONNECTION_FLAGS, 4)

/* Which export of which NBD server. */
typedef struct {
    CHAR Hostname[WNBD_MAX_NAME_LENGTH];   /* name, IPv4 or IPv6 address (without brackets) of the server */
    UINT32 PortNumber;                     /* TCP port, 1 to 65535 */
    CHAR ExportName[WNBD_MAX_NAME_LENGTH]; /* may be empty: the server's default export */
    NBD_CONNECTION_FLAGS Flags;            /* how the server is talked to */
    UINT32 Connections; /* TCP connections at a time, up to WNBD_MAX_CONNECTIONS; 0: WNBD_DEFAULT_CONNECTIONS. One,
                         * whatever is asked for, if the server does not say that several see the same data; the answer
                         * has what holds */
    BYTE Reserved[28];
} NBD_CONNECTION_PROPERTIES, *PNBD_CONNECTION_PROPERTIES;
WNBD_ASSERT_SZ_EQ(NBD_CONNECTION_PROPERTIES, 552)

/* What a disk can do, and how it is served. */
typedef struct {
    UINT32 ReadOnly : 1;             /* every command that writes is refused */
    UINT32 FlushSupported : 1;       /* the disk reports a write cache; flushes are passed on */
    UINT32 FUASupported : 1;         /* force unit access is reported and passed on */
    UINT32 UnmapSupported : 1;       /* UNMAP is accepted, thin provisioning reported */
    UINT32 UnmapAnchorSupported : 1; /* informative: the driver refuses anchored UNMAP */
    UINT32 UseKernelNbd : 1;         /* the driver itself is the client of the NBD server in NbdProperties */
    UINT32 PersistResSupported : 1;  /* reservations are passed on. Not for NBD disks: two machines would each be
                                      * granted the disk */
    UINT32 NaaIdSpecified : 1;       /* NaaIdentifier counts */
    UINT32 UseUserspaceNbd : 1;      /* informative: the serving program is an NBD client */
    /* Not in other implementations: */

    UINT32 KeepDisk : 1;           /* a disk that is served by a program outlives it: its requests wait for a program
                                    * that attaches itself (IOCTL_WNBD_ATTACH), ReconnectTimeoutMs at most, then fail */
    UINT32 LargeBlocksAllowed : 1; /* BlockSize may be 4096: programs made for other implementations count on its being
                                    * refused. Disks served by a program */
    UINT32 Reserved : 21;
} WNBD_FLAGS, *PWNBD_FLAGS;
WNBD_ASSERT_SZ_EQ(WNBD_FLAGS, 4)

/* A name of the disk for the whole world: VPD page 0x83 reports it. */
typedef struct {
    BYTE data[WNBD_NAA_ID_LENGTH]; /* the high nibble of byte 0 is the NAA format */
} WNBD_NAA_ID, *PWNBD_NAA_ID;

/*
 * What a disk is to be; and, in WNBD_CONNECTION_INFO, what it is.
 *
 * For an in-kernel NBD disk (UseKernelNbd) ReadOnly is what the caller wants; BlockSize may be 0 or 512 for 512-byte
 * blocks, or 4096, which must be asked for because a disk partitioned with the other size is unreadable. With
 * NbdProperties.Flags.SkipNegotiation the caller's BlockCount, BlockSize and flags hold. Without it the export decides:
 * BlockCount and the other flags of the caller are ignored, an export the server calls read-only becomes a read-only
 * disk, and the answer carries what the export has.
 *
 * A disk that is served by a program has what is said here. It belongs to the handle that made it: only over that
 * handle it is served or resized, and when the handle is closed (its process has ended, at the latest) the disk goes,
 * unless it has KeepDisk.
 */
typedef struct {
    CHAR InstanceName[WNBD_MAX_NAME_LENGTH]; /* unique, not empty: the disk is named by it ever after */
    CHAR SerialNumber[WNBD_MAX_NAME_LENGTH]; /* empty: the instance name */
    CHAR Owner[WNBD_MAX_OWNER_LENGTH];       /* free text, shown in lists */
    WNBD_FLAGS Flags;                        /* what it can do, and how it is served */
    UINT64 BlockCount;                       /* size in blocks */
    UINT32 BlockSize;                        /* bytes per block */
    UINT32 MaxUnmapDescCount;                /* informative: the driver passes on one descriptor a request */
    INT Pid; /* the process that serves the disk; 0: the caller. Informative: the handle decides */
    NBD_CONNECTION_PROPERTIES NbdProperties; /* of an NBD disk */
    WNBD_NAA_ID NaaIdentifier;               /* counts if NaaIdSpecified */
    /* Not in other implementations; 0 for the default of each: */

    UINT32 PhysicalBlockSize; /* what the disk says it writes at once: a power of two, BlockSize to
                               * WNBD_MAX_PHYSICAL_BLOCK_SIZE. Default: BlockSize; of an in-kernel NBD disk what the
                               * server prefers, up to 4096 */
    UINT32 QueueDepth;        /* requests in flight, up to WNBD_ABS_MAX_IO_REQ_PER_LUN; 0: the option MaxIOReqPerLun */
    UINT32 ArenaSize; /* bytes, WNBD_MIN_ARENA_SIZE to WNBD_MAX_ARENA_SIZE, a multiple of 64 KiB: non-paged while
                       * the disk is there. Disks served by a program that maps the arena */
    BYTE Reserved[228];
} WNBD_PROPERTIES, *PWNBD_PROPERTIES;
WNBD_ASSERT_SZ_EQ(WNBD_PROPERTIES, 1368)

/* How a disk stands with its removal. The second name looks like a pointer type and is none: programs were built with a
 * 4-byte member of that type in WNBD_CONNECTION_INFO, so it stays the same structure. */
typedef struct {
    UINT32 Disconnecting : 1; /* the disk is being removed */
    UINT32 Reserved : 31;
} WNBD_CONNECTION_INFO_FLAGS, PWNBD_CONNECTION_INFO_FLAGS;
WNBD_ASSERT_SZ_EQ(WNBD_CONNECTION_INFO_FLAGS, 4)
WNBD_ASSERT_SZ_EQ(PWNBD_CONNECTION_INFO_FLAGS, 4)

/* A disk as it is. The driver knows neither disk number nor PnP device id and reports -1 and an empty text; WnbdShow,
 * WnbdList and their Ioctl forms fill in both when Windows has made the disk device. */
typedef struct {
    WNBD_PROPERTIES Properties;                  /* what it is */
    PWNBD_CONNECTION_INFO_FLAGS ConnectionFlags; /* a structure, not a pointer to one */
    USHORT BusNumber;                            /* SCSI address on the adapter: 0 */
    USHORT TargetId;                             /* 0 to 127 */
    USHORT Lun;                                  /* 0 */
    WNBD_CONNECTION_ID ConnectionId;             /* names it for as long as it lives */
    INT DiskNumber;                              /* N of \\.\PhysicalDriveN; -1 while unknown */
    WCHAR PNPDeviceID[WNBD_MAX_NAME_LENGTH];     /* device instance id of the disk; empty while unknown */
    BYTE Reserved[124];
} WNBD_CONNECTION_INFO, *PWNBD_CONNECTION_INFO;
WNBD_ASSERT_SZ_EQ(WNBD_CONNECTION_INFO, 2032)

/* Disks as they are. */
typedef struct {
    UINT32 ElementSize;                  /* sizeof(WNBD_CONNECTION_INFO) of the one who filled the list */
    UINT32 Count;                        /* elements that follow */
    WNBD_CONNECTION_INFO Connections[1]; /* Count of them */
} WNBD_CONNECTION_LIST, *PWNBD_CONNECTION_LIST;
WNBD_ASSERT_SZ_EQ(WNBD_CONNECTION_LIST, 2040)

/* The driver's counters of one disk. "Submitted" means handed to whoever answers: sent to the NBD server, or fetched by
 * the serving program. Timestamps are interrupt time: 100 ns units since the machine was started, 0 for never. */
typedef struct {
    INT64 TotalReceivedIORequests;      /* from Windows */
    INT64 TotalSubmittedIORequests;     /* of these, the submitted */
    INT64 TotalReceivedIOReplies;       /* of any kind, also those that came too late */
    INT64 UnsubmittedIORequests;        /* that wait now */
    INT64 PendingSubmittedIORequests;   /* submitted and not answered, now */
    INT64 AbortedSubmittedIORequests;   /* given up after they were submitted: time-out, reset, removal */
    INT64 AbortedUnsubmittedIORequests; /* given up while they waited */
    INT64 CompletedAbortedIORequests;   /* replies that came for aborted requests */
    INT64 OutstandingIOCount;           /* requests Windows waits for, without the aborted ones */
    UINT64 LastReceivedReqTimestamp;    /* when a request came from Windows */
    UINT64 LastSubmittedReqTimestamp;   /* when one was submitted */
    UINT64 LastReplyTimestamp;          /* when one was answered */
    INT64 Reserved[12];
} WNBD_DRV_STATS, *PWNBD_DRV_STATS;
WNBD_ASSERT_SZ_EQ(WNBD_DRV_STATS, 192)

/* Elements of a histogram of WNBD_LATENCY. */
#define WNBD_LATENCY_BUCKETS 32

/* How long answers took. Element 0 counts those below one microsecond, element n those of 2^(n-1) and more but less
 * than 2^n microseconds, the last one all that were longer. Not in other implementations. */
typedef struct {
    UINT64 Read[WNBD_LATENCY_BUCKETS];  /* of reads */
    UINT64 Write[WNBD_LATENCY_BUCKETS]; /* of writes */
    UINT64 Flush[WNBD_LATENCY_BUCKETS]; /* of flushes */
    UINT64 Unmap[WNBD_LATENCY_BUCKETS]; /* of unmaps */
} WNBD_LATENCY, *PWNBD_LATENCY;
WNBD_ASSERT_SZ_EQ(WNBD_LATENCY, 1024)

/* The version of the library or the driver. */
typedef struct {
    UINT32 Major;                                  /* first number */
    UINT32 Minor;                                  /* second number */
    UINT32 Patch;                                  /* third number */
    CHAR Description[WNBD_MAX_VERSION_STR_LENGTH]; /* "0.8.0", or of a build between two releases "0.8.0+12.g3e92b27" */
    BYTE Reserved[256];
} WNBD_VERSION, *PWNBD_VERSION;
WNBD_ASSERT_SZ_EQ(WNBD_VERSION, 396)

/* --- Requests that a program serves --------------------------------------------------------------------------- */

/* What kind of request it is. */
typedef enum {
    WnbdReqTypeUnknown = 0,      /* never comes */
    WnbdReqTypeRead = 1,         /* Cmd.Read */
    WnbdReqTypeWrite = 2,        /* Cmd.Write */
    WnbdReqTypeFlush = 3,        /* Cmd.Flush */
    WnbdReqTypeUnmap = 4,        /* Cmd.Unmap */
    WnbdReqTypeDisconnect = 5,   /* the disk is gone: no more requests come. Needs no answer */
    WnbdReqTypePersistResIn = 6, /* Cmd.PersistResIn */
    WnbdReqTypePersistResOut = 7 /* Cmd.PersistResOut */
} WnbdRequestType;

/* Its name, in capitals. */
static inline const CHAR *WnbdRequestTypeToStr(WnbdRequestType RequestType)
{
    switch (RequestType) {
    case WnbdReqTypeRead:
        return "READ";
    case WnbdReqTypeWrite:
        return "WRITE";
    case WnbdReqTypeFlush:
        return "FLUSH";
    case WnbdReqTypeUnmap:
        return "UNMAP";
    case WnbdReqTypeDisconnect:
        return "DISCONNECT";
    case WnbdReqTypePersistResIn:
        return "PERSISTENT_RESERVE_IN";
    case WnbdReqTypePersistResOut:
        return "PERSISTENT_RESERVE_OUT";
    case WnbdReqTypeUnknown:
    default:
        return "UNKNOWN";
    }
}

/* A range to be unmapped: the data of an Unmap request. */
typedef struct {
    UINT64 BlockAddress; /* the first block */
    UINT32 BlockCount;   /* how many */
    UINT32 Reserved;
} WNBD_UNMAP_DESCRIPTOR, *PWNBD_UNMAP_DESCRIPTOR;
WNBD_ASSERT_SZ_EQ(WNBD_UNMAP_DESCRIPTOR, 16)

/* What a program is to do. RequestType selects the member of Cmd; what is not used is 0. */
typedef struct {
    UINT64 RequestHandle;        /* its name in the answer; never repeated on a disk, never 0 */
    WnbdRequestType RequestType; /* selects the member of Cmd */
    union {
        struct {
            UINT64 BlockAddress;        /* the first block */
            UINT32 BlockCount;          /* WNBD_DEFAULT_MAX_TRANSFER_LENGTH bytes at most */
            UINT32 ForceUnitAccess : 1; /* from the medium */
            UINT32 Reserved : 31;
        } Read; /* WnbdReqTypeRead */
        struct {
            UINT64 BlockAddress;        /* the first block */
            UINT32 BlockCount;          /* the blocks are the request's data */
            UINT32 ForceUnitAccess : 1; /* on the medium before it is answered */
            UINT32 Reserved : 31;
        } Write; /* WnbdReqTypeWrite */
        struct {
            UINT64 BlockAddress; /* 0 and 0: everything that was written before */
            UINT32 BlockCount;   /* from there on */
            UINT32 Reserved;
        } Flush; /* WnbdReqTypeFlush */
        struct {
            UINT32 Count;      /* WNBD_UNMAP_DESCRIPTORs that are the request's data: 1 */
            UINT32 Anchor : 1; /* the blocks keep their place; the driver refuses such requests itself */
            UINT32 Reserved : 31;
        } Unmap; /* WnbdReqTypeUnmap */
        struct {
            UINT8 ServiceAction;     /* SPC-4, "PERSISTENT RESERVE IN command" */
            UINT16 AllocationLength; /* of the CDB; what is taken is the request's room for data */
        } PersistResIn;              /* WnbdReqTypePersistResIn */
        struct {
            UINT8 ServiceAction;        /* SPC-4, "PERSISTENT RESERVE OUT command" */
            UINT8 Scope : 4;            /* as there */
            UINT8 Type : 4;             /* as there */
            UINT16 ParameterListLength; /* bytes of the parameter list, which is the data of the request */
        } PersistResOut;                /* WnbdReqTypePersistResOut */
    } Cmd;                              /* what RequestType says */
    BYTE Reserved[32];
} WNBD_IO_REQUEST, *PWNBD_IO_REQUEST;
WNBD_ASSERT_SZ_EQ(WNBD_IO_REQUEST, 64)

/* How a request ended. */
typedef struct {
    UINT64 RequestHandle;        /* the request's */
    WnbdRequestType RequestType; /* the request's */
    WNBD_STATUS Status;          /* how it ended */
    BYTE Reserved[32];
} WNBD_IO_RESPONSE, *PWNBD_IO_RESPONSE;
WNBD_ASSERT_SZ_EQ(WNBD_IO_RESPONSE, 80)

/* --- Driver options ------------------------------------------------------------------------------------------- */

/* What kind of value an option has. */
typedef enum {
    WnbdOptUnknown = 0, /* none */
    WnbdOptBool = 1,    /* AsBool */
    WnbdOptInt64 = 2,   /* AsInt64 */
    WnbdOptWstr = 3     /* AsWstr */
} WnbdOptValType;

/* The value of an option. */
typedef struct {
    WnbdOptValType Type; /* selects the member of Data */
    union {
        BOOLEAN AsBool;                     /* true or false */
        INT64 AsInt64;                      /* a number */
        WCHAR AsWstr[WNBD_MAX_NAME_LENGTH]; /* when it is set: text that the driver turns into the option's type */
    } Data;                                 /* what Type says */
    BYTE Reserved[64];
} WNBD_OPTION_VALUE, *PWNBD_OPTION_VALUE;
WNBD_ASSERT_SZ_EQ(WNBD_OPTION_VALUE, 584)

/* An option of the driver. */
typedef struct {
    WCHAR Name[WNBD_MAX_OPT_NAME_LENGTH]; /* docs/options.md explains them */
    WnbdOptValType Type;                  /* of its values */
    WNBD_OPTION_VALUE Default;            /* built in */
    WNBD_OPTION_VALUE Value;              /* that holds now, or, in a list of stored ones, that is stored */
    BYTE Reserved[64];
} WNBD_OPTION, *PWNBD_OPTION;
WNBD_ASSERT_SZ_EQ(WNBD_OPTION, 1368)

/* Options of the driver. */
typedef struct {
    UINT32 ElementSize;     /* sizeof(WNBD_OPTION) of the one who filled the list */
    UINT32 Count;           /* elements that follow */
    WNBD_OPTION Options[1]; /* Count of them */
} WNBD_OPTION_LIST, *PWNBD_OPTION_LIST;
WNBD_ASSERT_SZ_EQ(WNBD_OPTION_LIST, 1376)

/* --- Commands ------------------------------------------------------------------------------------------------- */

/* Commands without operands. */
typedef struct {
    ULONG IoControlCode; /* the sub-code */
} WNBD_IOCTL_BASE_COMMAND, *PWNBD_IOCTL_BASE_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_BASE_COMMAND, 4)

/* Is the driver alive? No output. */
typedef WNBD_IOCTL_BASE_COMMAND WNBD_IOCTL_PING_COMMAND;
typedef PWNBD_IOCTL_BASE_COMMAND PWNBD_IOCTL_PING_COMMAND;

/* Loads stored options again. No output. */
typedef WNBD_IOCTL_BASE_COMMAND WNBD_IOCTL_RELOAD_CONFIG_COMMAND;
typedef PWNBD_IOCTL_BASE_COMMAND PWNBD_IOCTL_RELOAD_CONFIG_COMMAND;

/* Output: WNBD_VERSION of the driver. */
typedef WNBD_IOCTL_BASE_COMMAND WNBD_IOCTL_VERSION_COMMAND;
typedef PWNBD_IOCTL_BASE_COMMAND PWNBD_IOCTL_VERSION_COMMAND;

/*
 * Output: WNBD_CONNECTION_LIST with as many elements as fit the buffer; Count says how many. The number of bytes
 * returned is at most the buffer's size. A buffer below 8 bytes (ElementSize and Count) is STATUS_BUFFER_OVERFLOW.
 * A caller that sees a full buffer asks again with a larger one.
 */
typedef WNBD_IOCTL_BASE_COMMAND WNBD_IOCTL_LIST_COMMAND;
typedef PWNBD_IOCTL_BASE_COMMAND PWNBD_IOCTL_LIST_COMMAND;

/*
 * Makes a disk. Pends until the disk can be scanned or has failed; may be cancelled, and then leaves nothing behind.
 *
 * Output: WNBD_CONNECTION_INFO, or WNBD_IOCTL_CREATE_OUTPUT if the buffer is large enough for it.
 *
 * STATUS_OBJECT_NAME_COLLISION      183  the instance name is in use
 * STATUS_TOO_MANY_ADDRESSES          68  128 disks are mapped
 * STATUS_SHUTDOWN_IN_PROGRESS      1115  the option NewMappingsAllowed is false
 * STATUS_NOT_SUPPORTED               50  the server speaks only the oldstyle handshake
 * STATUS_BAD_NETWORK_PATH            53  no such host
 * STATUS_CONNECTION_REFUSED        1225  nobody listens on that port, or the server is shutting down
 * STATUS_NETWORK_UNREACHABLE       1231
 * STATUS_HOST_UNREACHABLE          1232
 * STATUS_IO_TIMEOUT                 121  connecting and the handshake took too long
 * STATUS_INVALID_NETWORK_RESPONSE    58  whoever listens there does not speak NBD, or wrongly
 * STATUS_CONNECTION_DISCONNECTED     64  closed in the middle of the handshake
 * STATUS_BAD_NETWORK_NAME            67  the server has no such export
 * STATUS_ACCESS_DENIED                5  the server wants TLS, or its policy refuses
 * STATUS_UNRECOGNIZED_MEDIA        1785  the export is smaller than one block, or too large
 * STATUS_INVALID_PARAMETER           87  also: a block size the server does not serve, or too many connections
 * STATUS_SHARING_VIOLATION           32  the export is mapped already, see NBD_CONNECTION_FLAGS.Force
 * STATUS_CANCELLED                  995
 */
typedef struct {
    ULONG IoControlCode;        /* IOCTL_WNBD_CREATE */
    WNBD_PROPERTIES Properties; /* what the disk is to be */
    BYTE Reserved[32];
} WNBD_IOCTL_CREATE_COMMAND, *PWNBD_IOCTL_CREATE_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_CREATE_COMMAND, 1408)

/*
 * The larger form of create's output, which has room to say why. If the output buffer holds it, the IRP itself
 * succeeds, whatever happened, and Status is the result; on failure Info is not meaningful and Message is one clause of
 * plain English, such as "the server 10.0.0.5 port 10809 refused the connection", in UTF-8 and without a full stop. On
 * success Message is empty, or such a clause about the disk that whoever asked for it should know.
 * Input checks that come before any connecting (short input) still fail the IRP.
 */
typedef struct {
    WNBD_CONNECTION_INFO Info; /* what it is */
    INT32 Status;              /* NTSTATUS */
    CHAR Message[508];         /* why, in words */
} WNBD_IOCTL_CREATE_OUTPUT, *PWNBD_IOCTL_CREATE_OUTPUT;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_CREATE_OUTPUT, 2544)

/* What a removal is part of. */
typedef struct {
    /* Not in other implementations: all disks are being removed, as WnbdRemoveAllDisks does, so it is not about this
     * one. It changes what the disk's owner is told, see WNBD_IOCTL_OWN_COMMAND. */
    UINT32 WithAllDisks : 1;
    UINT32 Reserved : 31;
} WNBD_REMOVE_COMMAND_FLAGS, *PWNBD_REMOVE_COMMAND_FLAGS;
WNBD_ASSERT_SZ_EQ(WNBD_REMOVE_COMMAND_FLAGS, 4)

/* How a disk is removed. */
typedef struct {
    WNBD_REMOVE_COMMAND_FLAGS Flags; /* what the removal is part of */
    BYTE Reserved[80];
} WNBD_REMOVE_COMMAND_OPTIONS, *PWNBD_REMOVE_COMMAND_OPTIONS;
WNBD_ASSERT_SZ_EQ(WNBD_REMOVE_COMMAND_OPTIONS, 84)

/* Removes a disk at once, whoever uses it. No output. STATUS_OBJECT_NAME_NOT_FOUND (2): there is no such disk. */
typedef struct {
    ULONG IoControlCode;                     /* IOCTL_WNBD_REMOVE */
    CHAR InstanceName[WNBD_MAX_NAME_LENGTH]; /* of the disk */
    WNBD_REMOVE_COMMAND_OPTIONS Options;     /* 0, or how */
    BYTE Reserved[32];
} WNBD_IOCTL_REMOVE_COMMAND, *PWNBD_IOCTL_REMOVE_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_REMOVE_COMMAND, 376)

/* Output: WNBD_DRV_STATS, or WNBD_IOCTL_STATS_OUTPUT if the buffer is large enough for it.
 * STATUS_OBJECT_NAME_NOT_FOUND (2): there is no such disk. */
typedef struct {
    ULONG IoControlCode;                     /* IOCTL_WNBD_STATS */
    CHAR InstanceName[WNBD_MAX_NAME_LENGTH]; /* of the disk */
    BYTE Reserved[32];
} WNBD_IOCTL_STATS_COMMAND, *PWNBD_IOCTL_STATS_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_STATS_COMMAND, 292)

/* What was transferred. */
typedef struct {
    UINT64 Answered; /* requests, however they ended */
    UINT64 Failed;   /* of these, with an error */
    UINT64 Bytes;    /* of those without */
    UINT64 Reserved;
} WNBD_TRAFFIC, *PWNBD_TRAFFIC;
WNBD_ASSERT_SZ_EQ(WNBD_TRAFFIC, 32)

/* The larger form of the output. A transfer that is divided counts as several requests; Unmap includes the writing of
 * zeroes. Latency is from the moment the driver had the request from Windows to its answer, waiting and what was sent
 * again included. */
typedef struct {
    WNBD_DRV_STATS Stats; /* the smaller form */
    UINT64 Now;           /* interrupt time when this was read */
    BYTE Reserved[56];
    WNBD_TRAFFIC Read;    /* of reads */
    WNBD_TRAFFIC Write;   /* of writes */
    WNBD_TRAFFIC Flush;   /* of flushes: Bytes is 0 */
    WNBD_TRAFFIC Unmap;   /* of unmaps */
    WNBD_LATENCY Latency; /* of all these */
} WNBD_IOCTL_STATS_OUTPUT, *PWNBD_IOCTL_STATS_OUTPUT;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_STATS_OUTPUT, 1408)

/* Output: WNBD_CONNECTION_INFO, or WNBD_IOCTL_SHOW_OUTPUT if the buffer is large enough for it.
 * STATUS_OBJECT_NAME_NOT_FOUND (2): there is no such disk. */
typedef struct {
    ULONG IoControlCode;                     /* IOCTL_WNBD_SHOW */
    CHAR InstanceName[WNBD_MAX_NAME_LENGTH]; /* of the disk */
    BYTE Reserved[32];
} WNBD_IOCTL_SHOW_COMMAND, *PWNBD_IOCTL_SHOW_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_SHOW_COMMAND, 292)

/* How a disk stands with its NBD server, or with the program that serves it. */
typedef enum {
    WnbdServerUnknown = 0,      /* the disk is being removed */
    WnbdServerConnected = 1,    /* requests are served */
    WnbdServerReconnecting = 2, /* the connection was lost and is being made again, or another program may attach itself
                                 * (KeepDisk); requests wait */
    WnbdServerLost = 3,         /* that has taken too long (ReconnectTimeoutMs): requests fail, until it has happened */
} WnbdServerState;

/* How a server's replies come: what was agreed on. */
typedef enum {
    WnbdRepliesSimple = 0,     /* a status each, and the data of reads */
    WnbdRepliesStructured = 1, /* holes are not sent as zeroes, errors say where they are */
    WnbdRepliesExtended = 2,   /* the same, with 64-bit lengths */
} WnbdReplies;

/* How a disk stands with its NBD server. */
typedef struct {
    UINT32 State;               /* WnbdServerState */
    UINT32 Connections;         /* that are open now */
    UINT64 LostForMs;           /* since when the connection is lost; 0 while connected */
    UINT64 Reconnects;          /* connections made after the first */
    UINT64 ReplayedRequests;    /* sent again, because their answer had not come */
    UINT64 UnfencedConnections; /* given up with writes unanswered, and the server did not close: it may carry them out
                                 * after newer ones */
    CHAR LastError[128];        /* why the connection was lost, or the last try to make it failed: one clause in UTF-8;
                                 * empty when there was nothing */
    UINT32 Replies;             /* WnbdReplies, of the connection that was made last */
    BYTE Reserved[60];
} WNBD_SERVER_STATUS, *PWNBD_SERVER_STATUS;
WNBD_ASSERT_SZ_EQ(WNBD_SERVER_STATUS, 232)

/* The larger form of the output. */
typedef struct {
    WNBD_CONNECTION_INFO Info; /* the smaller form */
    WNBD_SERVER_STATUS Server; /* how it stands with its NBD server */
} WNBD_IOCTL_SHOW_OUTPUT, *PWNBD_IOCTL_SHOW_OUTPUT;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_SHOW_OUTPUT, 2264)

/* --- Serving a disk ------------------------------------------------------------------------------------------- */
/*
 * Over the handle that made the disk (or attached itself to it) alone. Statuses of all of these:
 *
 * STATUS_INVALID_HANDLE   6  there is no such disk (any more), or the driver itself serves it
 * STATUS_ACCESS_DENIED    5  the disk belongs to another handle
 *
 * There are two ways to serve a disk, which may be mixed. ENTER is the fast one: it takes a batch of answers, gives a
 * batch of requests, and their data lies in memory that the driver and the program share, the arena. FETCH_REQ and
 * SEND_RSP move one request each and lock the pages of its data; they need no arena.
 *
 *   request waits --(given)--> with the program --(answered)--> done
 *                                   |
 *                                   +-- aborted (time-out, reset, removal): the answer finds STATUS_NOT_FOUND
 */

/*
 * Waits for a request. Output: the same structure, with Request filled, or, if the output buffer is smaller than that,
 * the WNBD_IO_REQUEST alone; the data of a write, unmap or reservation is at DataBuffer. Pends until there is a
 * request; may be cancelled. When the disk is gone: success, WnbdReqTypeDisconnect.
 *
 * STATUS_INVALID_PARAMETER 87  DataBuffer is not memory that can be written
 * STATUS_BUFFER_TOO_SMALL 122  the data does not fit; the request stays and can be fetched with a larger buffer
 * STATUS_INSUFFICIENT_RESOURCES 1450  as many of these wait, each with its locked buffer, as the disk can have requests
 */
typedef struct {
    ULONG IoControlCode;             /* IOCTL_WNBD_FETCH_REQ */
    WNBD_IO_REQUEST Request;         /* output: the request */
    WNBD_CONNECTION_ID ConnectionId; /* of the disk */
    PVOID DataBuffer;                /* gets the request's data */
    UINT32 DataBufferSize;           /* bytes there */
    BYTE Reserved[32];
} WNBD_IOCTL_FETCH_REQ_COMMAND, *PWNBD_IOCTL_FETCH_REQ_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_FETCH_REQ_COMMAND, 128)

/*
 * Answers a request. No output. With success the data of a read (or reservation) is DataBufferSize bytes at DataBuffer:
 * what it lacks is filled with zeroes, what is too much is ignored. The data is taken when the command completes.
 *
 * STATUS_NOT_FOUND       1168  no such request is with the program: answered already, aborted, or never given
 * STATUS_INVALID_PARAMETER 87  DataBuffer cannot be read, or is NULL with a size: the request fails then
 */
typedef struct {
    ULONG IoControlCode;             /* IOCTL_WNBD_SEND_RSP */
    WNBD_IO_RESPONSE Response;       /* how the request ended */
    WNBD_CONNECTION_ID ConnectionId; /* of the disk */
    PVOID DataBuffer;                /* has the answer's data */
    UINT32 DataBufferSize;           /* bytes there */
    BYTE Reserved[32];
} WNBD_IOCTL_SEND_RSP_COMMAND, *PWNBD_IOCTL_SEND_RSP_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_SEND_RSP_COMMAND, 144)

/* Resizes a disk; no output. Windows is told. STATUS_INVALID_PARAMETER (87): no blocks, or more than 2^63 - 1 bytes;
 * STATUS_OBJECT_NAME_NOT_FOUND (2): no such disk. */
typedef struct {
    ULONG IoControlCode;             /* IOCTL_WNBD_SET_DISK_SIZE */
    WNBD_CONNECTION_ID ConnectionId; /* of the disk */
    UINT64 BlockCount;               /* its size from now on */
    BYTE Reserved[32];
} WNBD_IOCTL_SET_SIZE_COMMAND, *PWNBD_IOCTL_SET_SIZE_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_SET_SIZE_COMMAND, 56)

/*
 * Pends as long as the disk is there, then says why it went; no output. When it is cancelled, which Windows does when
 * the thread that sent it ends, the disk has lost its owner. One a disk: STATUS_INVALID_DEVICE_STATE for a second.
 *
 * STATUS_SUCCESS                     0  the disk was removed by REMOVE
 * STATUS_SHUTDOWN_IN_PROGRESS     1115  the same, with all disks (WithAllDisks)
 * STATUS_DEVICE_REMOVED           1617  the adapter went, and its disks with it
 * STATUS_IO_TIMEOUT                121  the owner has not answered any more (StaleConnTimeoutMs), or has closed its
 * handle
 */
typedef struct {
    ULONG IoControlCode;             /* IOCTL_WNBD_OWN */
    WNBD_CONNECTION_ID ConnectionId; /* of the disk */
    BYTE Reserved[32];
} WNBD_IOCTL_OWN_COMMAND, *PWNBD_IOCTL_OWN_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_OWN_COMMAND, 48)

/*
 * Makes the arena and maps it into the calling process, once a handle (STATUS_INVALID_DEVICE_STATE for a second time).
 * Output: WNBD_ARENA. It stays mapped until the program calls UnmapViewOfFile on it, also after the disk is gone.
 */
typedef struct {
    ULONG IoControlCode;             /* IOCTL_WNBD_MAP_ARENA */
    WNBD_CONNECTION_ID ConnectionId; /* of the disk */
    BYTE Reserved[32];
} WNBD_IOCTL_MAP_ARENA_COMMAND, *PWNBD_IOCTL_MAP_ARENA_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_MAP_ARENA_COMMAND, 48)

/* Where the arena is. */
typedef struct {
    UINT64 Address; /* in the calling process */
    UINT64 Size;    /* bytes */
} WNBD_ARENA, *PWNBD_ARENA;
WNBD_ASSERT_SZ_EQ(WNBD_ARENA, 16)

/* An answer of ENTER. The data of a read (or reservation) is in the request's place in the arena. */
typedef struct {
    UINT64 RequestHandle; /* the request's */
    UINT64 Information;   /* as in WNBD_STATUS */
    UINT32 DataLength; /* bytes of data, with success: what it lacks is filled with zeroes, what is too much ignored */
    UINT8 ScsiStatus;  /* as in WNBD_STATUS */
    UINT8 SenseKey;    /* as in WNBD_STATUS */
    UINT8 ASC;         /* as in WNBD_STATUS */
    UINT8 ASCQ;        /* as in WNBD_STATUS */
    UINT8 InformationValid; /* as in WNBD_STATUS */
    BYTE Reserved[7];
} WNBD_ANSWER, *PWNBD_ANSWER;
WNBD_ASSERT_SZ_EQ(WNBD_ANSWER, 32)

/* A request of ENTER. */
typedef struct {
    WNBD_IO_REQUEST Request; /* what is to be done */
    UINT32 DataOffset; /* in the arena: its data, or room for that of its answer. The program's until it has answered */
    UINT32 DataLength; /* bytes there; 0: it has none */
} WNBD_ARENA_REQUEST, *PWNBD_ARENA_REQUEST;
WNBD_ASSERT_SZ_EQ(WNBD_ARENA_REQUEST, 72)

#define WNBD_ENTER_MAX_ANSWERS  128 /* that one ENTER takes */
#define WNBD_ENTER_MAX_REQUESTS 128 /* that one ENTER gives */

/*
 * Answers requests and waits for others. Output: WNBD_ENTER_OUTPUT. The answers have been taken (each with success, or
 * it is counted as refused) before anything is waited for.
 *
 * Requests: up to MaxRequests and what the output buffer has room for, as many as wait. If none does and Wait is 1 the
 * command pends until there is one, it is cancelled, another command's Wake ends it, or the disk is gone. It may also
 * end early without any request: then the next one gives it (its data is copied in the thread that calls). A command
 * whose data is large gives less than it could, so that no small request waits behind the copying.
 *
 * A request for whose data the arena has no room waits until answers make some. Requests of 32 KiB and less pass it,
 * for which a sixteenth of the arena is kept, but not for ever: it gets its turn.
 *
 * STATUS_INVALID_PARAMETER     87  more answers than the input holds or than are taken at once
 * STATUS_INVALID_DEVICE_STATE      requests are asked for and there is no arena
 */
typedef struct {
    ULONG IoControlCode;             /* IOCTL_WNBD_ENTER */
    UINT32 AnswerCount;              /* that follow at Answers */
    WNBD_CONNECTION_ID ConnectionId; /* of the disk */
    UINT32 MaxRequests;              /* 0: none */
    UINT32 Wait : 1;                 /* pend if none waits */
    UINT32 Reserved : 31;
    UINT32 Wake; /* so many commands that wait end without a request, at most */
    UINT32 Reserved2;
    WNBD_ANSWER Answers[1]; /* AnswerCount of them */
} WNBD_IOCTL_ENTER_COMMAND, *PWNBD_IOCTL_ENTER_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_ENTER_COMMAND, 64) /* its least size: without answers, 32 */

/* What ENTER gives. */
typedef struct {
    UINT32 RequestCount; /* that follow at Requests */
    UINT32 RefusedCount; /* answers that found no request: STATUS_NOT_FOUND, as at SEND_RSP */
    UINT32 Reserved;
    UINT32 Disconnected;            /* 1: the disk is gone, no more requests come */
    WNBD_ARENA_REQUEST Requests[1]; /* RequestCount of them */
} WNBD_ENTER_OUTPUT, *PWNBD_ENTER_OUTPUT;
WNBD_ASSERT_SZ_EQ(WNBD_ENTER_OUTPUT, 88) /* its least size: without requests, 16 */

/*
 * The disk, which has KeepDisk and no owner any more, is this handle's from now on. Output: WNBD_CONNECTION_INFO. What
 * the owner before had not answered waits to be given again, under new handles.
 *
 * STATUS_OBJECT_NAME_NOT_FOUND 2  no such disk
 * STATUS_SHARING_VIOLATION    32  it has an owner, or is not one that can be without, or its old owner is still mapping
 *                                 its arena
 */
typedef struct {
    ULONG IoControlCode;                     /* IOCTL_WNBD_ATTACH */
    CHAR InstanceName[WNBD_MAX_NAME_LENGTH]; /* of the disk */
    BYTE Reserved[32];
} WNBD_IOCTL_ATTACH_COMMAND, *PWNBD_IOCTL_ATTACH_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_ATTACH_COMMAND, 292)

/* --- Driver options ------------------------------------------------------------------------------------------- */
/*
 * Options are named without regard to case, and there are those that docs/options.md lists. Statuses of all of these:
 *
 * STATUS_OBJECT_NAME_NOT_FOUND  2  no such option; Persistent: no value is stored
 * STATUS_OBJECT_TYPE_MISMATCH   6  the value is not of the option's type, or not text that could be
 * STATUS_INVALID_PARAMETER     87  the text cannot be read as a value, or is out of the option's range
 */

/* Output: WNBD_OPTION_VALUE, that holds now or, Persistent, that is stored. */
typedef struct {
    ULONG IoControlCode;              /* IOCTL_WNBD_GET_DRV_OPT */
    WCHAR Name[WNBD_MAX_NAME_LENGTH]; /* of which WNBD_MAX_OPT_NAME_LENGTH count */
    BOOLEAN Persistent;               /* see above */
    BYTE Reserved[32];
} WNBD_IOCTL_GET_DRV_OPT_COMMAND, *PWNBD_IOCTL_GET_DRV_OPT_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_GET_DRV_OPT_COMMAND, 552)

/* No output. Persistent: stores the value first; if that fails nothing changes. */
typedef struct {
    ULONG IoControlCode;              /* IOCTL_WNBD_SET_DRV_OPT */
    WCHAR Name[WNBD_MAX_NAME_LENGTH]; /* of the option */
    WNBD_OPTION_VALUE Value;          /* the new one */
    BOOLEAN Persistent;               /* see above */
    BYTE Reserved[32];
} WNBD_IOCTL_SET_DRV_OPT_COMMAND, *PWNBD_IOCTL_SET_DRV_OPT_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_SET_DRV_OPT_COMMAND, 1144)

/* No output. The built-in default holds then; Persistent: the stored value is deleted first. */
typedef struct {
    ULONG IoControlCode;              /* IOCTL_WNBD_RESET_DRV_OPT */
    WCHAR Name[WNBD_MAX_NAME_LENGTH]; /* of the option */
    BOOLEAN Persistent;               /* see above */
    BYTE Reserved[32];
} WNBD_IOCTL_RESET_DRV_OPT_COMMAND, *PWNBD_IOCTL_RESET_DRV_OPT_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_RESET_DRV_OPT_COMMAND, 552)

/* Output: WNBD_OPTION_LIST with as many elements as fit the buffer, as LIST has it; Persistent: of stored ones alone.
 */
typedef struct {
    ULONG IoControlCode; /* IOCTL_WNBD_LIST_DRV_OPT */
    BOOLEAN Persistent;  /* see above */
    BYTE Reserved[32];
} WNBD_IOCTL_LIST_DRV_OPT_COMMAND, *PWNBD_IOCTL_LIST_DRV_OPT_COMMAND;
WNBD_ASSERT_SZ_EQ(WNBD_IOCTL_LIST_DRV_OPT_COMMAND, 40)

#endif
