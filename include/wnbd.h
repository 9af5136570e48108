/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wnbd.dll: make, find, measure and remove WNBD disks.
 *
 * A WNBD disk is an ordinary Windows disk whose blocks come from an NBD server or from a program that uses this
 * library. Its name is the instance name: unique on the machine, case-sensitive, 1 to 255 bytes of UTF-8. Structures,
 * sizes and numbers are in wnbd_ioctl.h.
 *
 * Return values are Win32 error codes, 0 for success. Three groups appear again and again:
 *
 * OPEN: 110 ERROR_OPEN_FAILED, the adapter could not be opened, for any reason.
 *
 * RAW: the reason itself. 259 ERROR_NO_MORE_ITEMS the driver is not installed, 2 ERROR_FILE_NOT_FOUND it is installed
 * but its adapter does not work, 5 ERROR_ACCESS_DENIED the caller is not an administrator; others from Windows.
 *
 * DRV: what the driver answered, see wnbd_ioctl.h.
 *
 * A failure that its code does not explain is also told to the logger (WnbdSetLogger), in words.
 *
 * All functions may be called from any thread, but one WNBD_DISK must not be closed while another thread uses it.
 * Pointers are borrowed for the call unless said otherwise.
 */
#ifndef WNBD_SHARED_H
#define WNBD_SHARED_H

#include <windows.h>
#include <cfgmgr32.h>
#include <setupapi.h>

#include "wnbd_ioctl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A log message is cut to this many bytes, NUL included. */
#define WNBD_LOG_MESSAGE_MAX_SIZE 4096

#define WNBD_MIN_DISPATCHER_THREAD_COUNT 1   /* threads of a dispatcher, at least */
#define WNBD_MAX_DISPATCHER_THREAD_COUNT 255 /* and at most */

/* Soft removal, when the caller gives no options: how long a vetoed one is tried again. */
#define WNBD_DEFAULT_RM_TIMEOUT_MS (30 * 1000)
/* And the pause between two attempts. */
#define WNBD_DEFAULT_RM_RETRY_INTERVAL_MS (2 * 1000)

#define WNBD_HARDWAREID     "root\\wnbd"            /* hardware id of the adapter's device node */
#define WNBD_HARDWAREID_LEN sizeof(WNBD_HARDWAREID) /* bytes, NUL included */

/* The oldest Windows that the driver can be installed on: Windows Server 2019, Windows 10 1809. */

#define WNBD_REQ_WIN_VERSION_MAJOR 10    /* of the oldest Windows: 10.0.17763 */
#define WNBD_REQ_WIN_VERSION_MINOR 0     /* of the oldest Windows: 10.0.17763 */
#define WNBD_REQ_WIN_VERSION_BUILD 17763 /* of the oldest Windows: 10.0.17763 */

/* How important a message of the library is. */
typedef enum {
    WnbdLogLevelCritical = 0, /* never used by the library */
    WnbdLogLevelError = 1,    /* why a call has failed */
    WnbdLogLevelWarning = 2,  /* what went wrong and failed nothing */
    WnbdLogLevelInfo = 3,     /* what happens to a disk */
    WnbdLogLevelDebug = 4,    /* steps on the way */
    WnbdLogLevelTrace = 5     /* never used by the library */
} WnbdLogLevel;

/* Its name, in capitals. */
static inline const CHAR *WnbdLogLevelToStr(WnbdLogLevel LogLevel)
{
    switch (LogLevel) {
    case WnbdLogLevelCritical:
        return "CRITICAL";
    case WnbdLogLevelError:
        return "ERROR";
    case WnbdLogLevelWarning:
        return "WARNING";
    case WnbdLogLevelInfo:
        return "INFO";
    case WnbdLogLevelDebug:
        return "DEBUG";
    case WnbdLogLevelTrace:
    default:
        return "TRACE";
    }
}

/* Counters of a disk that this process serves. All 0 for an NBD disk of the driver. */
typedef struct _WNBD_USR_STATS {
    UINT64 TotalReceivedRequests;    /* taken from the driver */
    UINT64 TotalSubmittedRequests;   /* given to a callback, or refused by the library */
    UINT64 TotalReceivedReplies;     /* calls of WnbdSendResponse(Ex), and the library's refusals */
    UINT64 UnsubmittedRequests;      /* taken, and their callback has not returned */
    UINT64 PendingSubmittedRequests; /* given to a callback and not answered */
    UINT64 PendingReplies;           /* answers on their way to the driver */
    UINT64 ReadErrors;               /* answers with a SCSI status other than good, by type of request */
    UINT64 WriteErrors;              /* the same of writes */
    UINT64 FlushErrors;              /* of flushes */
    UINT64 UnmapErrors;              /* of unmaps */
    UINT64 InvalidRequests;          /* refused by the library: no callback for them was run */
    UINT64 TotalRWRequests;          /* reads and writes given to a callback, however they ended */
    UINT64 TotalReadBlocks;          /* that these reads asked for */
    UINT64 TotalWrittenBlocks;       /* that these writes had */
    UINT64 PersistResInErrors;       /* answers with another SCSI status than good */
    UINT64 PersistResOutErrors;      /* the same */
    BYTE Reserved[128];
} WNBD_USR_STATS, *PWNBD_USR_STATS;
WNBD_ASSERT_SZ_EQ(WNBD_USR_STATS, 256)

/* How a disk is removed; all zero asks for a soft removal without fall-back and without a limit in time. */
typedef struct {
    UINT32 HardRemove : 1;         /* do not ask Windows, remove at once: unwritten data of programs is lost */
    UINT32 HardRemoveFallback : 1; /* if the soft removal fails, remove at once */
    UINT32 Reserved : 30;
} WNBD_REMOVE_FLAGS, *PWNBD_REMOVE_FLAGS;
WNBD_ASSERT_SZ_EQ(WNBD_REMOVE_FLAGS, 4)

/* How long, and how often, a soft removal is tried. */
typedef struct {
    WNBD_REMOVE_FLAGS Flags;         /* soft or hard */
    DWORD SoftRemoveTimeoutMs;       /* how long a vetoed removal is tried again; 0: no limit */
    DWORD SoftRemoveRetryIntervalMs; /* pause between attempts */
    BYTE Reserved[64];
} WNBD_REMOVE_OPTIONS, *PWNBD_REMOVE_OPTIONS;
WNBD_ASSERT_SZ_EQ(WNBD_REMOVE_OPTIONS, 76)

/* The callbacks of a program that serves a disk: struct _WNBD_INTERFACE. */
typedef struct _WNBD_INTERFACE WNBD_INTERFACE;
typedef WNBD_INTERFACE *PWNBD_INTERFACE;

/*
 * A disk of this process. Always allocated by the library. Programs may read Handle, Properties and ConnectionInfo and
 * change nothing. Both are what WnbdCreate knew and are not refreshed, but Properties.BlockCount follows
 * WnbdSetDiskSize.
 */
typedef struct _WNBD_DISK {
    HANDLE Handle;              /* the adapter, opened for overlapped use */
    PVOID Context;              /* the caller's, see WnbdGetUserContext */
    WNBD_PROPERTIES Properties; /* what the caller gave; of an NBD disk, BlockCount and BlockSize of the export */
    WNBD_CONNECTION_INFO ConnectionInfo; /* what the driver answered */
    const WNBD_INTERFACE *Interface;     /* the caller's */
    BOOLEAN Stopping;                    /* WnbdStopDispatcher was called, or had to be by the library itself */
    BOOLEAN Stopped;                     /* a dispatcher thread has learned that the disk is gone */
    BOOLEAN Started;                     /* WnbdStartDispatcher has succeeded */
    HANDLE *DispatcherThreads;           /* the library's */
    UINT32 DispatcherThreadsCount;       /* of these */
    WNBD_USR_STATS Stats;                /* read it with WnbdGetUserspaceStats */
} WNBD_DISK, *PWNBD_DISK;
#ifdef _WIN64
WNBD_ASSERT_SZ_EQ(WNBD_DISK, 3704)
#endif

/* --- Callbacks of a program that serves a disk ---------------------------------------------------------------- */
/*
 * The dispatcher (WnbdStartDispatcher) calls them on its threads, several at once. Each request wants one answer,
 * WnbdSendResponse(Ex) with its RequestHandle: before the callback returns, or later, from any thread, in any order. As
 * long as it is not answered Windows waits for it; after some seconds (10 to 60) Windows gives up, and the answer finds
 * nothing (1168).
 *
 * Buffer and Descriptors may be used until the callback returns, and not after that. The data of a write must be
 * consumed or copied by then.
 *
 * A callback may be NULL: the library refuses such requests in its place (ILLEGAL REQUEST, invalid command). It does so
 * as well with what Properties.Flags do not offer, with an anchored unmap unless UnmapAnchorSupported (invalid field in
 * CDB), and with more descriptors than MaxUnmapDescCount, 0 meaning 1 (invalid field in parameter list).
 *
 * A callback must not call WnbdWaitDispatcher or WnbdClose of its disk: they wait for it.
 */

/* BlockCount blocks, WNBD_DEFAULT_MAX_TRANSFER_LENGTH bytes at most. Buffer has room for them; an answer whose data is
 * already there (DataBuffer == Buffer) is the one that costs no copying. */
typedef VOID (*ReadFunc)(PWNBD_DISK Disk, UINT64 RequestHandle, PVOID Buffer, UINT64 BlockAddress, UINT32 BlockCount,
                         BOOLEAN ForceUnitAccess);

/* Buffer holds the blocks. ForceUnitAccess: on the medium before it is answered; only if FUASupported. */
typedef VOID (*WriteFunc)(PWNBD_DISK Disk, UINT64 RequestHandle, PVOID Buffer, UINT64 BlockAddress, UINT32 BlockCount,
                          BOOLEAN ForceUnitAccess);

/* Everything that was answered before, in that range, goes to the medium; 0 and 0: in the whole disk. Only if
 * FlushSupported. */
typedef VOID (*FlushFunc)(PWNBD_DISK Disk, UINT64 RequestHandle, UINT64 BlockAddress, UINT32 BlockCount);

/* The driver gives one descriptor a request. Only if UnmapSupported. */
typedef VOID (*UnmapFunc)(PWNBD_DISK Disk, UINT64 RequestHandle, PWNBD_UNMAP_DESCRIPTOR Descriptors, UINT32 Count);

/* Only if PersistResSupported. The answer's data is the parameter data of SPC-4, cut to what the initiator has room
 * for. */
typedef VOID (*PersistResInFunc)(PWNBD_DISK Disk, UINT64 RequestHandle, UINT8 ServiceAction);

/* Only if PersistResSupported. Buffer holds the parameter list. */
typedef VOID (*PersistResOutFunc)(PWNBD_DISK Disk, UINT64 RequestHandle, UINT8 ServiceAction, UINT8 Scope, UINT8 Type,
                                  PVOID Buffer, UINT32 ParameterListLength);

/* The callbacks. Any of them may be NULL. */
struct _WNBD_INTERFACE {
    ReadFunc Read;                   /* of blocks */
    WriteFunc Write;                 /* of blocks */
    FlushFunc Flush;                 /* of what was written */
    UnmapFunc Unmap;                 /* of blocks nobody needs any more */
    PersistResInFunc PersistResIn;   /* PERSISTENT RESERVE IN */
    PersistResOutFunc PersistResOut; /* PERSISTENT RESERVE OUT */
    VOID *Reserved[13];
};
#ifdef _WIN64
WNBD_ASSERT_SZ_EQ(WNBD_INTERFACE, 152)
#endif

/* Receives a message of the library. The texts live for the call only; called on whatever thread uses the library, and
 * by several at once. Message has no line end; WnbdGetLogMessageId tells its number. */
typedef VOID (*LogMessageFunc)(WnbdLogLevel LogLevel, const char *Message, const char *FileName, UINT32 Line,
                               const char *FunctionName);

/* --- Life of a disk ------------------------------------------------------------------------------------------- */

/*
 * Makes a disk. There are two kinds:
 *
 * Properties->Flags.UseKernelNbd 1: the driver connects to Properties->NbdProperties itself and keeps the disk after
 * this process has gone. Returns when the server has answered. Connecting is bounded in time by the driver (10 s unless
 * configured). Interface is ignored.
 *
 * 0: this process serves the disk with the callbacks of Interface, from WnbdStartDispatcher on; until then its requests
 * wait. The disk goes when it is closed or this process ends, unless it has KeepDisk (see WnbdAttach). WNBD_PROPERTIES
 * says what is accepted.
 *
 * Windows' disk device appears soon after, see WnbdPollDiskNumber.
 *
 * Interface   kept, not copied: it must live until WnbdClose. NULL if there will be no dispatcher
 * Context     kept; returned by WnbdGetUserContext
 * PDisk       gives a WNBD_DISK for WnbdClose; written on success only
 *
 * 87 NULL arguments; 14 no memory; 111 a string without NUL in its array; RAW; DRV, of an NBD disk with the reason in
 * words to the logger at level error. After a failure there is no disk.
 */
DWORD WnbdCreate(const PWNBD_PROPERTIES Properties, const PWNBD_INTERFACE Interface, PVOID Context, PWNBD_DISK *PDisk);

/*
 * Makes a disk of the export Properties->NbdProperties and serves it, as the client of the NBD server in this process.
 * Returns when the disk is gone, whoever removed it, and leaves nothing behind. The caller has called WSAStartup. One
 * connection; UseKernelNbd, Connections and KeepDisk do not count. The export decides about BlockCount and the other
 * flags as with UseKernelNbd; 4096-byte blocks need LargeBlocksAllowed.
 *
 * A connection that is lost is made again. Requests wait as long as the driver's ReconnectTimeoutMs says (0: for ever),
 * though Windows gives one up after some time and asks again; then they fail until there is a connection.
 *
 * The first failure of setting it up, with the reason in words to the logger at level error: a Winsock resolver's code
 * (11001 WSAHOST_NOT_FOUND ...); 2250 ERROR_NOT_CONNECTED; 5 the server refuses the export; 31 ERROR_GEN_FAILURE it
 * does not speak NBD, wrongly, or broke the handshake off; 87 a bad argument, a block size that the server does not
 * serve, an export that is smaller than a block; 32
 * ERROR_SHARING_VIOLATION the export is mapped already, see NBD_CONNECTION_FLAGS.Force; 111 a string without NUL; 8 no
 * memory; as WnbdCreate and WnbdStartDispatcher.
 *
 * Later why the disk went: 0 somebody has unmapped it, by WnbdRemoveEx for instance; 1115 ERROR_SHUTDOWN_IN_PROGRESS
 * all disks were removed (WnbdRemoveAllDisks); 1617 ERROR_DEVICE_REMOVED the adapter was reset or removed; 121
 * ERROR_SEM_TIMEOUT it did not answer any more (StaleConnTimeoutMs); anything else: what kept this process from serving
 * it. Other implementations give 0 for all of these.
 */
DWORD WnbdRunNbdDaemon(const PWNBD_PROPERTIES Properties);

/*
 * Takes over a disk with KeepDisk whose process has ended or closed it. It is as after WnbdCreate; requests that the
 * former process had not answered come again. Arguments and results as there, and 2 there is no such disk, 32 it has an
 * owner, or is not one that can be without. Not in other implementations.
 */
DWORD WnbdAttach(const char *InstanceName, const PWNBD_INTERFACE Interface, PVOID Context, PWNBD_DISK *PDisk);

/*
 * Removes a disk, whoever made it.
 *
 * Soft: Windows is asked to remove the disk device, which flushes file systems and lets programs refuse (veto); while
 * it is vetoed this is tried again until the time-out. Then the driver ends the mapping. Hard: the driver ends the
 * mapping at once. RemoveOptions NULL: soft, with hard fall-back, for WNBD_DEFAULT_RM_TIMEOUT_MS.
 *
 * 2 not mapped; 87 empty name; OPEN. Without fall-back also: 1460 ERROR_TIMEOUT vetoed to the end (the logger is told
 * by whom); 110 Windows has no device for the disk; 15610 ERROR_REMOVE_FAILED any other failure of Plug and Play.
 */
DWORD WnbdRemoveEx(const char *InstanceName, PWNBD_REMOVE_OPTIONS RemoveOptions);

/* The same for a disk of this process; 0 also when its handle is closed already. Disk stays valid until WnbdClose. */
DWORD WnbdRemove(PWNBD_DISK Disk, PWNBD_REMOVE_OPTIONS RemoveOptions);

/*
 * Resizes a disk that this process serves: tells the driver and makes Windows read the size again. From the moment the
 * driver has agreed Disk->Properties.BlockCount is BlockCount, also if Windows could not be told.
 *
 * 87 no blocks, or more than 2^63 - 1 bytes; 1168 ERROR_NOT_FOUND Disk has no handle any more; DRV; errors of opening
 * the disk device and of IOCTL_DISK_UPDATE_PROPERTIES. If Windows has no disk device yet there is nobody to be told.
 */
DWORD WnbdSetDiskSize(PWNBD_DISK Disk, UINT64 BlockCount);

/*
 * Takes Disk, which may be NULL. No other thread may use it any more. An NBD disk stays mapped. A disk that this
 * process serves goes; with KeepDisk it stays, and waits for WnbdAttach. Call it when WnbdWaitDispatcher has returned:
 * if the dispatcher still runs it is ended first (the disk is removed the hard way, unless it has KeepDisk), and this
 * waits for the callbacks that run.
 */
VOID WnbdClose(PWNBD_DISK Disk);

/*
 * Waits until Windows has made the disk device.
 *
 * ExpectMapped  TRUE: fail with 2 if no such disk is mapped; FALSE: wait for that too
 * TryOpen       TRUE: wait also until \\.\PhysicalDriveN opens for reading
 * TimeoutMs     total time; 0: one attempt. RetryIntervalMs: pause between attempts
 * DiskNumber    receives N
 *
 * 258 WAIT_TIMEOUT; 2; 87 NULL or empty arguments; OPEN; errors of opening the drive other than 2 and 433.
 */
DWORD WnbdPollDiskNumber(const char *InstanceName, BOOLEAN ExpectMapped, BOOLEAN TryOpen, DWORD TimeoutMs,
                         DWORD RetryIntervalMs, PDWORD DiskNumber);

/* --- Looking at disks ----------------------------------------------------------------------------------------- */

/*
 * Lists all disks. *BufferSize: bytes at ConnectionList, which may be NULL when that is 0. If it is too small the
 * result is still 0, *BufferSize is the size to come back with and the list is not meaningful; otherwise *BufferSize is
 * the number of bytes used. Disks may appear between two calls: repeat while the size grows. 87 NULL arguments; OPEN.
 */
DWORD WnbdList(PWNBD_CONNECTION_LIST ConnectionList, PDWORD BufferSize);

/* One disk, with disk number and PnP device id as far as Windows has them. 2 not mapped; 87 empty name; OPEN. */
DWORD WnbdShow(const char *InstanceName, PWNBD_CONNECTION_INFO ConnectionInfo);

/* How a disk stands with its NBD server: connected or not, since when, why. 2 not mapped; 87 NULL or an empty name;
 * OPEN. Not in other implementations of this library. */
DWORD WnbdGetServerStatus(const char *InstanceName, PWNBD_SERVER_STATUS Status);

/* The driver's counters. 2 not mapped; 87 empty name; OPEN. */
DWORD WnbdGetDriverStats(const char *InstanceName, PWNBD_DRV_STATS Stats);

/* The same, and what was transferred and how long it took. 2 not mapped; 87 NULL or an empty name; 13 the driver is
 * older than this; OPEN. Not in other implementations of this library. */
DWORD WnbdGetDiskStats(const char *InstanceName, PWNBD_IOCTL_STATS_OUTPUT Stats);

/* The library's counters, as they are now and consistent with each other. 87 NULL arguments. */
DWORD WnbdGetUserspaceStats(PWNBD_DISK Disk, PWNBD_USR_STATS Stats);

/* How long answers took so far, from the moment the library had the request to the answer. 87 NULL arguments; 50
 * ERROR_NOT_SUPPORTED Disk is not served by this process. */
DWORD WnbdGetLatency(PWNBD_DISK Disk, PWNBD_LATENCY Latency);

/* What WnbdCreate was given as Context. 87 if an argument is NULL. */
DWORD WnbdGetUserContext(PWNBD_DISK Disk, PVOID *Context);

/* What the driver answered when the disk was made. 87 if an argument is NULL. */
DWORD WnbdGetConnectionInfo(PWNBD_DISK Disk, PWNBD_CONNECTION_INFO ConnectionInfo);

/* The version of this library. 87 if Version is NULL. */
DWORD WnbdGetLibVersion(PWNBD_VERSION Version);

/* The version of the driver that runs. 87 if Version is NULL; OPEN, DRV. */
DWORD WnbdGetDriverVersion(PWNBD_VERSION Version);

/* --- Messages and sense --------------------------------------------------------------------------------------- */

/* Where messages of this process go; NULL: nowhere. Until it is called: to stderr, a line each. */
VOID WnbdSetLogger(LogMessageFunc Logger);

/* In a logger: the id of the message that it is being told, on this thread; 0 elsewhere. docs/messages.md has each
 * one's meaning and what to do. An id keeps its meaning for ever. Not in other implementations of this library. */
UINT32 WnbdGetLogMessageId(VOID);

/* The least important level that is still reported; WnbdLogLevelWarning until it is called. */
VOID WnbdSetLogLevel(WnbdLogLevel LogLevel);

/* Makes *Status a check condition with a valid INFORMATION value, usually the LBA; ASCQ stays as it is. */
VOID WnbdSetSenseEx(PWNBD_STATUS Status, UINT8 SenseKey, UINT8 Asc, UINT64 Info);

/* The same without INFORMATION. */
VOID WnbdSetSense(PWNBD_STATUS Status, UINT8 SenseKey, UINT8 Asc);

/* --- Serving a disk ------------------------------------------------------------------------------------------- */
/*
 * The usual life: WnbdCreate, WnbdStartDispatcher, (WnbdPollDiskNumber), WnbdWaitDispatcher, WnbdClose. A disk has one
 * dispatcher in its life.
 */

/*
 * Starts the threads that fetch requests and call the callbacks, ThreadCount at a time. It maps the memory for their
 * data (Properties.ArenaSize) into this process.
 *
 * 87 ThreadCount is not 1 to 255, Disk has no Interface, or its dispatcher was started before; 14 no memory; DRV, for
 * instance 6 for an NBD disk. If a thread cannot be made the disk is removed, and the result is why.
 */
DWORD WnbdStartDispatcher(PWNBD_DISK Disk, DWORD ThreadCount);

/*
 * Removes the disk, see WnbdRemove; its dispatcher then ends by itself, and goes on serving until the disk is gone. The
 * first call does it, others return 0 at once: a program that wants to try again uses WnbdRemove.
 */
DWORD WnbdStopDispatcher(PWNBD_DISK Disk, PWNBD_REMOVE_OPTIONS RemoveOptions);

/* Returns 0 when the disk is gone (whoever removed it) and no callback runs any more: the time for WnbdClose. Any
 * number of threads may wait. 87 NULL; 233 ERROR_PIPE_NOT_CONNECTED the dispatcher was not started. */
DWORD WnbdWaitDispatcher(PWNBD_DISK Disk);

/*
 * Answers a request of the dispatcher. With success (Response->Status all 0) DataBufferSize bytes at DataBuffer are the
 * data of a read or PersistResIn: what it lacks is filled with zeroes, and it may be NULL with 0; what is too much is
 * ignored. With other statuses, and for other requests, data is ignored. Response and DataBuffer are borrowed for the
 * call.
 *
 * Within the callback of the request itself it returns at once, and the answer goes to the driver together with others
 * as soon as the thread has nothing else to do, some 20 ms later at the latest; then 0 does not say that the driver
 * still knew the request.
 *
 * 1168 ERROR_NOT_FOUND no such request is unanswered: it was answered before, or Windows has given it up; 87 NULL
 * arguments, or DataBuffer NULL with a size: the request fails then; 233 ERROR_PIPE_NOT_CONNECTED there is no
 * dispatcher, or the disk is gone; DRV.
 */
DWORD WnbdSendResponse(PWNBD_DISK Disk, PWNBD_IO_RESPONSE Response, PVOID DataBuffer, UINT32 DataBufferSize);

/*
 * The same, with Overlapped, whose hEvent is needed: after 0 it is signalled; after 997 ERROR_IO_PENDING it is
 * signalled at the end, GetOverlappedResult gives the result (it looks at the event, whatever handle it is given), and
 * until then Overlapped must live. Response and DataBuffer are borrowed for the call all the same.
 */
DWORD WnbdSendResponseEx(PWNBD_DISK Disk, PWNBD_IO_RESPONSE Response, PVOID DataBuffer, UINT32 DataBufferSize,
                         LPOVERLAPPED Overlapped);

/* --- Driver options ------------------------------------------------------------------------------------------- */
/*
 * Named settings of the driver, docs/options.md lists them. Each has a value that holds now and perhaps one that is
 * stored, which holds from the adapter's next start on. Names are UTF-8, in any case of letters. Persistent says which
 * of the two is meant, or that the stored one is changed as well.
 */

/* What an option is now or, Persistent, what is stored. 2 no such option, or nothing is stored; 87 NULL arguments;
 * OPEN, DRV. */
DWORD WnbdGetDrvOpt(const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent);

/*
 * Changes what holds now and, Persistent, stores it first: if that fails nothing has changed. The value has the
 * option's type or is text (WnbdOptWstr), which the driver converts. Setting NewMappingsAllowed to false returns when
 * the mappings that are under way have been made or have failed.
 *
 * 2 no such option; 6 another type; 87 NULL arguments, a text that is no such value, or a value out of the option's
 * range; OPEN, DRV.
 */
DWORD WnbdSetDrvOpt(const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent);

/* Restores the built-in default and, Persistent, deletes the stored value first. 2 no such option, or Persistent and
 * nothing is stored: then nothing has changed; 87 NULL; OPEN, DRV. */
DWORD WnbdResetDrvOpt(const char *Name, BOOLEAN Persistent);

/* All options with what holds now; Persistent: those that are stored, with what is stored. Buffer and size as for
 * WnbdList. 87 NULL arguments; 8 no memory; OPEN, DRV. */
DWORD WnbdListDrvOpt(PWNBD_OPTION_LIST OptionList, PDWORD BufferSize, BOOLEAN Persistent);

/* --- Adapter and driver --------------------------------------------------------------------------------------- */

/*
 * Opens the adapter for overlapped reading and writing; the caller closes it with CloseHandle. The handle is shared:
 * any number of processes may have the adapter open, otherwise a client would fail whenever another is at work or holds
 * a disk. RAW.
 */
DWORD WnbdOpenAdapter(PHANDLE Handle);

/* The adapter's device instance, valid in this process. Opens the adapter to see that it works. RAW. */
DWORD WnbdGetAdapterDevInst(PDEVINST DeviceInst);

/*
 * Installs the driver: makes the adapter's device node and gives it the driver of the INF file FileName (UTF-8 path;
 * the other files stand beside it). Device nodes left behind by an earlier installation are removed first. After a
 * failure nothing remains. *RebootRequired is set either way. Needs an administrator. The driver's performance counters
 * are registered from wnbd.man in the same folder; that this is missing, or does not work, is a warning to the logger.
 *
 * 87 NULL arguments; 50 this Windows is too old; 2 no such file, a folder, or one of the other files is missing;
 * 0xE0000202 ERROR_DUPLICATE_FOUND an adapter exists already; 21 ERROR_NOT_READY the driver was installed but its
 * adapter did not start; others from Windows' set-up.
 */
DWORD WnbdInstallDriver(CONST CHAR *FileName, PBOOL RebootRequired);

/*
 * Removes all disks (hard), the adapter's device nodes and the driver packages whose catalog is wnbd.cat. Goes on after
 * a failure and returns the last one; 0 also if nothing was installed. *RebootRequired is set to TRUE if Windows must
 * be restarted to finish, and otherwise left alone. From its beginning on nobody can map a disk (NewMappingsAllowed).
 * The registration of the performance counters is taken back; that this does not work is a warning to the logger.
 */
DWORD WnbdUninstallDriver(PBOOL RebootRequired);

/*
 * Stops the adapter and starts it again (Plug and Play disables and enables it), which options such as the queue limits
 * need to take effect. All disks go with it, and who has one or the adapter open vetoes it: WnbdRemoveAllDisks first.
 *
 * RAW; 170 ERROR_BUSY vetoed; 15610 ERROR_REMOVE_FAILED the adapter cannot be disabled for another reason; 21
 * ERROR_NOT_READY it is disabled now and cannot be enabled.
 */
DWORD WnbdResetAdapter(void);

/* The same; vetoed, it tries again every RetryIntervalMs until TimeoutMs is over; 0: no limit. */
DWORD WnbdResetAdapterEx(DWORD TimeoutMs, DWORD RetryIntervalMs);

/* Sets the option NewMappingsAllowed to false, which it stays until somebody resets it or the adapter starts again, and
 * hard-removes every disk, stopping at the first failure. AdapterHandle: from WnbdOpenAdapter. DRV, 8 no memory. */
DWORD WnbdRemoveAllDisks(HANDLE AdapterHandle);

/* --- Low level ------------------------------------------------------------------------------------------------ */
/*
 * One command to the adapter each. Adapter is a handle of WnbdOpenAdapter. With Overlapped NULL they return when the
 * command is done. Otherwise 997 ERROR_IO_PENDING may be returned: Overlapped->hEvent (which is needed, and is
 * signalled after 0 as well) is signalled at the end and GetOverlappedResult gives the result; output buffers and
 * Overlapped must live until then, other arguments only for the call. A pending command is cancelled with CancelIoEx,
 * from any thread.
 */

/* Is the driver alive? DRV. */
DWORD WnbdIoctlPing(HANDLE Adapter, LPOVERLAPPED Overlapped);

/* Makes a disk, see WnbdCreate, without an object in this process. 87, 111, 50, DRV. The reason of a failure is told to
 * the logger only when Overlapped is NULL. */
DWORD WnbdIoctlCreate(HANDLE Adapter, PWNBD_PROPERTIES Properties, PWNBD_CONNECTION_INFO ConnectionInfo,
                      LPOVERLAPPED Overlapped);

/* Hard removal. RemoveOptions may be NULL. 2 not mapped, 87 empty name, 111 name too long, DRV. */
DWORD WnbdIoctlRemove(HANDLE Adapter, const char *InstanceName, PWNBD_REMOVE_COMMAND_OPTIONS RemoveOptions,
                      LPOVERLAPPED Overlapped);

/* As WnbdList. Looks for Windows' disk devices too, so it never pends. DRV, 8 no memory. */
DWORD WnbdIoctlList(HANDLE Adapter, PWNBD_CONNECTION_LIST ConnectionList, PDWORD BufferSize, LPOVERLAPPED Overlapped);

/* As WnbdShow. Never pends either. 2, 87, DRV, 8 no memory. */
DWORD WnbdIoctlShow(HANDLE Adapter, const char *InstanceName, PWNBD_CONNECTION_INFO ConnectionInfo,
                    LPOVERLAPPED Overlapped);

/* As WnbdGetDriverStats. 2, 87, 111, DRV. */
DWORD WnbdIoctlStats(HANDLE Adapter, const char *InstanceName, PWNBD_DRV_STATS Stats, LPOVERLAPPED Overlapped);

/* As WnbdGetDriverVersion. 87, DRV. */
DWORD WnbdIoctlVersion(HANDLE Adapter, PWNBD_VERSION Version, LPOVERLAPPED Overlapped);

/*
 * Serving a disk without a dispatcher: over the handle that made it, ConnectionId from its WNBD_CONNECTION_INFO. See
 * WNBD_IOCTL_FETCH_REQ_COMMAND. DataBuffer must live until the end here, when it pends, and Request as well: it is
 * filled when the event is signalled.
 *
 * 87, 5 the disk is another handle's, 6 there is no such disk, 122 the data does not fit and the request can be fetched
 * again, 1450 as many wait as the disk can have requests, DRV.
 */
DWORD WnbdIoctlFetchRequest(HANDLE Adapter, WNBD_CONNECTION_ID ConnectionId, PWNBD_IO_REQUEST Request, PVOID DataBuffer,
                            UINT32 DataBufferSize, LPOVERLAPPED Overlapped);

/*
 * Answers what WnbdIoctlFetchRequest has given, see WNBD_IOCTL_SEND_RSP_COMMAND. DataBuffer must live until the end
 * here, too.
 *
 * 87, 5 the disk is another handle's, 6 there is no such disk, 1168 no such request is unanswered, DRV.
 */
DWORD WnbdIoctlSendResponse(HANDLE Adapter, WNBD_CONNECTION_ID ConnectionId, PWNBD_IO_RESPONSE Response,
                            PVOID DataBuffer, UINT32 DataBufferSize, LPOVERLAPPED Overlapped);

/* The driver's part of WnbdSetDiskSize. 87, 2 there is no such disk, 5, DRV. */
DWORD WnbdIoctlSetDiskSize(HANDLE Adapter, WNBD_CONNECTION_ID ConnectionId, UINT64 BlockCount, LPOVERLAPPED Overlapped);

/* As WnbdGetDrvOpt. 2, 87, DRV. */
DWORD WnbdIoctlGetDrvOpt(HANDLE Adapter, const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent,
                         LPOVERLAPPED Overlapped);

/* As WnbdSetDrvOpt. 2, 6, 87, DRV. */
DWORD WnbdIoctlSetDrvOpt(HANDLE Adapter, const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent,
                         LPOVERLAPPED Overlapped);

/* As WnbdResetDrvOpt. 2, 87, DRV. */
DWORD WnbdIoctlResetDrvOpt(HANDLE Adapter, const char *Name, BOOLEAN Persistent, LPOVERLAPPED Overlapped);

/* As WnbdListDrvOpt. Never pends. 87, DRV, 8 no memory. */
DWORD WnbdIoctlListDrvOpt(HANDLE Adapter, PWNBD_OPTION_LIST OptionList, PDWORD BufferSize, BOOLEAN Persistent,
                          LPOVERLAPPED Overlapped);

/* Loads stored options again; one that is not stored stays as it is. DRV. */
DWORD WnbdIoctlReloadConfig(HANDLE Adapter, LPOVERLAPPED Overlapped);

/* How many requests Windows keeps in flight for an open disk (not adapter) handle and for its adapter. Never pends.
 * 87 NULL arguments; errors of Windows. */
DWORD WnbdIoctlGetIOLimits(HANDLE DiskHandle, PDWORD LunMaxIoCount, PDWORD AdapterMaxIoCount, LPOVERLAPPED Overlapped);

/* --- Of 2020 -------------------------------------------------------------------------------------------------- */
/*
 * Functions that programs from before the first release may call. Of the others of that time,
 * WnbdGetDiskNumberBySerialNumber and WnbdCoInitializeBasic, nothing is left to do: WnbdShow and WnbdPollDiskNumber
 * give the number by the disk's name, and the library needs no COM.
 */

/* Says what to use instead to whoever compiles a call. */
#if defined(_MSC_VER) && !defined(__clang__)
#define WNBD_DEPRECATED(use) __declspec(deprecated("use " use))
#else
#define WNBD_DEPRECATED(use) __attribute__((deprecated("use " use)))
#endif

/* Sets the option LogLevel, and stores it. OPEN, DRV. */
WNBD_DEPRECATED("WnbdSetDrvOpt") DWORD WnbdRaiseDrvLogLevel(USHORT LogLevel);

/* Both at once. RAW. */
WNBD_DEPRECATED("WnbdOpenAdapter and WnbdGetAdapterDevInst")
DWORD WnbdOpenAdapterEx(PHANDLE Handle, PDEVINST CMDeviceInstance);

/* WnbdGetAdapterDevInst under another name. RAW. */
WNBD_DEPRECATED("WnbdGetAdapterDevInst") DWORD WnbdOpenAdapterCMDeviceInstance(PDEVINST DeviceInstance);

#ifdef __cplusplus
}
#endif

#endif
