/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where every member of the public structures is. Programs were built with these layouts by other compilers, against
 * another implementation: none of the numbers below may ever change. Compiles as C and C++ or not at all; bit fields
 * are looked at by test-layout-bits.
 */
#include <stddef.h>
#include <wnbd.h>

#define SIZE(type, size) static_assert(sizeof(type) == (size), "size of " #type);
#define AT(type, member, offset, size)                                                                                 \
    static_assert(offsetof(type, member) == (offset), #type "." #member " moved");                                     \
    static_assert(sizeof(((type *)0)->member) == (size), #type "." #member " has another size");
#define COMMAND(type) AT(type, IoControlCode, 0, 4)

/* clang-format off */

/* --- What programs were built with ---------------------------------------------------------------------------- */

SIZE(WNBD_STATUS, 32)
SIZE(NBD_CONNECTION_FLAGS, 4)
SIZE(NBD_CONNECTION_PROPERTIES, 552)
SIZE(WNBD_FLAGS, 4)
SIZE(WNBD_NAA_ID, 16)
SIZE(WNBD_PROPERTIES, 1368)
SIZE(WNBD_CONNECTION_INFO_FLAGS, 4)
SIZE(WNBD_CONNECTION_INFO, 2032)
SIZE(WNBD_CONNECTION_LIST, 2040)
SIZE(WNBD_DRV_STATS, 192)
SIZE(WNBD_UNMAP_DESCRIPTOR, 16)
SIZE(WNBD_IO_REQUEST, 64)
SIZE(WNBD_IO_RESPONSE, 80)
SIZE(WNBD_OPTION_VALUE, 584)
SIZE(WNBD_OPTION, 1368)
SIZE(WNBD_OPTION_LIST, 1376)
SIZE(WNBD_VERSION, 396)
SIZE(WNBD_USR_STATS, 256)
SIZE(WNBD_REMOVE_FLAGS, 4)
SIZE(WNBD_REMOVE_OPTIONS, 76)
SIZE(WNBD_DISK, 3704)
SIZE(WNBD_INTERFACE, 152)
SIZE(WNBD_IOCTL_BASE_COMMAND, 4)
SIZE(WNBD_IOCTL_CREATE_COMMAND, 1408)
SIZE(WNBD_REMOVE_COMMAND_FLAGS, 4)
SIZE(WNBD_REMOVE_COMMAND_OPTIONS, 84)
SIZE(WNBD_IOCTL_REMOVE_COMMAND, 376)
SIZE(WNBD_IOCTL_STATS_COMMAND, 292)
SIZE(WNBD_IOCTL_SHOW_COMMAND, 292)
SIZE(WNBD_IOCTL_FETCH_REQ_COMMAND, 128)
SIZE(WNBD_IOCTL_SET_SIZE_COMMAND, 56)
SIZE(WNBD_IOCTL_SEND_RSP_COMMAND, 144)
SIZE(WNBD_IOCTL_GET_DRV_OPT_COMMAND, 552)
SIZE(WNBD_IOCTL_SET_DRV_OPT_COMMAND, 1144)
SIZE(WNBD_IOCTL_RESET_DRV_OPT_COMMAND, 552)
SIZE(WNBD_IOCTL_LIST_DRV_OPT_COMMAND, 40)

AT(WNBD_STATUS, ScsiStatus, 0, 1)
AT(WNBD_STATUS, SenseKey, 1, 1)
AT(WNBD_STATUS, ASC, 2, 1)
AT(WNBD_STATUS, ASCQ, 3, 1)
AT(WNBD_STATUS, Information, 8, 8)
AT(WNBD_STATUS, ReservedCSI, 16, 8)
AT(WNBD_STATUS, ReservedSKS, 24, 4)

AT(NBD_CONNECTION_PROPERTIES, Hostname, 0, 256)
AT(NBD_CONNECTION_PROPERTIES, PortNumber, 256, 4)
AT(NBD_CONNECTION_PROPERTIES, ExportName, 260, 256)
AT(NBD_CONNECTION_PROPERTIES, Flags, 516, 4)

AT(WNBD_NAA_ID, data, 0, 16)

AT(WNBD_PROPERTIES, InstanceName, 0, 256)
AT(WNBD_PROPERTIES, SerialNumber, 256, 256)
AT(WNBD_PROPERTIES, Owner, 512, 16)
AT(WNBD_PROPERTIES, Flags, 528, 4)
AT(WNBD_PROPERTIES, BlockCount, 536, 8)
AT(WNBD_PROPERTIES, BlockSize, 544, 4)
AT(WNBD_PROPERTIES, MaxUnmapDescCount, 548, 4)
AT(WNBD_PROPERTIES, Pid, 552, 4)
AT(WNBD_PROPERTIES, NbdProperties, 556, 552)
AT(WNBD_PROPERTIES, NaaIdentifier, 1108, 16)

AT(WNBD_CONNECTION_INFO, Properties, 0, 1368)
AT(WNBD_CONNECTION_INFO, ConnectionFlags, 1368, 4)
AT(WNBD_CONNECTION_INFO, BusNumber, 1372, 2)
AT(WNBD_CONNECTION_INFO, TargetId, 1374, 2)
AT(WNBD_CONNECTION_INFO, Lun, 1376, 2)
AT(WNBD_CONNECTION_INFO, ConnectionId, 1384, 8)
AT(WNBD_CONNECTION_INFO, DiskNumber, 1392, 4)
AT(WNBD_CONNECTION_INFO, PNPDeviceID, 1396, 512)
AT(WNBD_CONNECTION_INFO, Reserved, 1908, 124)

AT(WNBD_CONNECTION_LIST, ElementSize, 0, 4)
AT(WNBD_CONNECTION_LIST, Count, 4, 4)
AT(WNBD_CONNECTION_LIST, Connections, 8, 2032)

AT(WNBD_DRV_STATS, TotalReceivedIORequests, 0, 8)
AT(WNBD_DRV_STATS, TotalSubmittedIORequests, 8, 8)
AT(WNBD_DRV_STATS, TotalReceivedIOReplies, 16, 8)
AT(WNBD_DRV_STATS, UnsubmittedIORequests, 24, 8)
AT(WNBD_DRV_STATS, PendingSubmittedIORequests, 32, 8)
AT(WNBD_DRV_STATS, AbortedSubmittedIORequests, 40, 8)
AT(WNBD_DRV_STATS, AbortedUnsubmittedIORequests, 48, 8)
AT(WNBD_DRV_STATS, CompletedAbortedIORequests, 56, 8)
AT(WNBD_DRV_STATS, OutstandingIOCount, 64, 8)
AT(WNBD_DRV_STATS, LastReceivedReqTimestamp, 72, 8)
AT(WNBD_DRV_STATS, LastSubmittedReqTimestamp, 80, 8)
AT(WNBD_DRV_STATS, LastReplyTimestamp, 88, 8)
AT(WNBD_DRV_STATS, Reserved, 96, 96)

AT(WNBD_UNMAP_DESCRIPTOR, BlockAddress, 0, 8)
AT(WNBD_UNMAP_DESCRIPTOR, BlockCount, 8, 4)
AT(WNBD_UNMAP_DESCRIPTOR, Reserved, 12, 4)

AT(WNBD_IO_REQUEST, RequestHandle, 0, 8)
AT(WNBD_IO_REQUEST, RequestType, 8, 4)
AT(WNBD_IO_REQUEST, Cmd, 16, 16)
AT(WNBD_IO_REQUEST, Cmd.Read.BlockAddress, 16, 8)
AT(WNBD_IO_REQUEST, Cmd.Read.BlockCount, 24, 4)
AT(WNBD_IO_REQUEST, Cmd.Write.BlockAddress, 16, 8)
AT(WNBD_IO_REQUEST, Cmd.Write.BlockCount, 24, 4)
AT(WNBD_IO_REQUEST, Cmd.Flush.BlockAddress, 16, 8)
AT(WNBD_IO_REQUEST, Cmd.Flush.BlockCount, 24, 4)
AT(WNBD_IO_REQUEST, Cmd.Flush.Reserved, 28, 4)
AT(WNBD_IO_REQUEST, Cmd.Unmap.Count, 16, 4)
AT(WNBD_IO_REQUEST, Cmd.PersistResIn.ServiceAction, 16, 1)
AT(WNBD_IO_REQUEST, Cmd.PersistResIn.AllocationLength, 18, 2)
AT(WNBD_IO_REQUEST, Cmd.PersistResOut.ServiceAction, 16, 1)
AT(WNBD_IO_REQUEST, Cmd.PersistResOut.ParameterListLength, 18, 2)
AT(WNBD_IO_REQUEST, Reserved, 32, 32)

AT(WNBD_IO_RESPONSE, RequestHandle, 0, 8)
AT(WNBD_IO_RESPONSE, RequestType, 8, 4)
AT(WNBD_IO_RESPONSE, Status, 16, 32)
AT(WNBD_IO_RESPONSE, Reserved, 48, 32)

AT(WNBD_OPTION_VALUE, Type, 0, 4)
AT(WNBD_OPTION_VALUE, Data, 8, 512)
AT(WNBD_OPTION_VALUE, Data.AsBool, 8, 1)
AT(WNBD_OPTION_VALUE, Data.AsInt64, 8, 8)
AT(WNBD_OPTION_VALUE, Data.AsWstr, 8, 512)
AT(WNBD_OPTION_VALUE, Reserved, 520, 64)

AT(WNBD_OPTION, Name, 0, 128)
AT(WNBD_OPTION, Type, 128, 4)
AT(WNBD_OPTION, Default, 136, 584)
AT(WNBD_OPTION, Value, 720, 584)
AT(WNBD_OPTION, Reserved, 1304, 64)

AT(WNBD_OPTION_LIST, ElementSize, 0, 4)
AT(WNBD_OPTION_LIST, Count, 4, 4)
AT(WNBD_OPTION_LIST, Options, 8, 1368)

AT(WNBD_VERSION, Major, 0, 4)
AT(WNBD_VERSION, Minor, 4, 4)
AT(WNBD_VERSION, Patch, 8, 4)
AT(WNBD_VERSION, Description, 12, 128)
AT(WNBD_VERSION, Reserved, 140, 256)

AT(WNBD_USR_STATS, TotalReceivedRequests, 0, 8)
AT(WNBD_USR_STATS, TotalSubmittedRequests, 8, 8)
AT(WNBD_USR_STATS, TotalReceivedReplies, 16, 8)
AT(WNBD_USR_STATS, UnsubmittedRequests, 24, 8)
AT(WNBD_USR_STATS, PendingSubmittedRequests, 32, 8)
AT(WNBD_USR_STATS, PendingReplies, 40, 8)
AT(WNBD_USR_STATS, ReadErrors, 48, 8)
AT(WNBD_USR_STATS, WriteErrors, 56, 8)
AT(WNBD_USR_STATS, FlushErrors, 64, 8)
AT(WNBD_USR_STATS, UnmapErrors, 72, 8)
AT(WNBD_USR_STATS, InvalidRequests, 80, 8)
AT(WNBD_USR_STATS, TotalRWRequests, 88, 8)
AT(WNBD_USR_STATS, TotalReadBlocks, 96, 8)
AT(WNBD_USR_STATS, TotalWrittenBlocks, 104, 8)
AT(WNBD_USR_STATS, PersistResInErrors, 112, 8)
AT(WNBD_USR_STATS, PersistResOutErrors, 120, 8)
AT(WNBD_USR_STATS, Reserved, 128, 128)

AT(WNBD_REMOVE_OPTIONS, Flags, 0, 4)
AT(WNBD_REMOVE_OPTIONS, SoftRemoveTimeoutMs, 4, 4)
AT(WNBD_REMOVE_OPTIONS, SoftRemoveRetryIntervalMs, 8, 4)
AT(WNBD_REMOVE_OPTIONS, Reserved, 12, 64)

AT(WNBD_DISK, Handle, 0, 8)
AT(WNBD_DISK, Context, 8, 8)
AT(WNBD_DISK, Properties, 16, 1368)
AT(WNBD_DISK, ConnectionInfo, 1384, 2032)
AT(WNBD_DISK, Interface, 3416, 8)
AT(WNBD_DISK, Stopping, 3424, 1)
AT(WNBD_DISK, Stopped, 3425, 1)
AT(WNBD_DISK, Started, 3426, 1)
AT(WNBD_DISK, DispatcherThreads, 3432, 8)
AT(WNBD_DISK, DispatcherThreadsCount, 3440, 4)
AT(WNBD_DISK, Stats, 3448, 256)

AT(WNBD_INTERFACE, Read, 0, 8)
AT(WNBD_INTERFACE, Write, 8, 8)
AT(WNBD_INTERFACE, Flush, 16, 8)
AT(WNBD_INTERFACE, Unmap, 24, 8)
AT(WNBD_INTERFACE, PersistResIn, 32, 8)
AT(WNBD_INTERFACE, PersistResOut, 40, 8)
AT(WNBD_INTERFACE, Reserved, 48, 104)

AT(WNBD_IOCTL_CREATE_COMMAND, Properties, 8, 1368)
AT(WNBD_IOCTL_CREATE_COMMAND, Reserved, 1376, 32)

AT(WNBD_REMOVE_COMMAND_OPTIONS, Flags, 0, 4)
AT(WNBD_REMOVE_COMMAND_OPTIONS, Reserved, 4, 80)

AT(WNBD_IOCTL_REMOVE_COMMAND, InstanceName, 4, 256)
AT(WNBD_IOCTL_REMOVE_COMMAND, Options, 260, 84)
AT(WNBD_IOCTL_REMOVE_COMMAND, Reserved, 344, 32)

AT(WNBD_IOCTL_STATS_COMMAND, InstanceName, 4, 256)
AT(WNBD_IOCTL_STATS_COMMAND, Reserved, 260, 32)

AT(WNBD_IOCTL_SHOW_COMMAND, InstanceName, 4, 256)
AT(WNBD_IOCTL_SHOW_COMMAND, Reserved, 260, 32)

AT(WNBD_IOCTL_FETCH_REQ_COMMAND, Request, 8, 64)
AT(WNBD_IOCTL_FETCH_REQ_COMMAND, ConnectionId, 72, 8)
AT(WNBD_IOCTL_FETCH_REQ_COMMAND, DataBuffer, 80, 8)
AT(WNBD_IOCTL_FETCH_REQ_COMMAND, DataBufferSize, 88, 4)
AT(WNBD_IOCTL_FETCH_REQ_COMMAND, Reserved, 92, 32)

AT(WNBD_IOCTL_SET_SIZE_COMMAND, ConnectionId, 8, 8)
AT(WNBD_IOCTL_SET_SIZE_COMMAND, BlockCount, 16, 8)
AT(WNBD_IOCTL_SET_SIZE_COMMAND, Reserved, 24, 32)

AT(WNBD_IOCTL_SEND_RSP_COMMAND, Response, 8, 80)
AT(WNBD_IOCTL_SEND_RSP_COMMAND, ConnectionId, 88, 8)
AT(WNBD_IOCTL_SEND_RSP_COMMAND, DataBuffer, 96, 8)
AT(WNBD_IOCTL_SEND_RSP_COMMAND, DataBufferSize, 104, 4)
AT(WNBD_IOCTL_SEND_RSP_COMMAND, Reserved, 108, 32)

AT(WNBD_IOCTL_GET_DRV_OPT_COMMAND, Name, 4, 512)
AT(WNBD_IOCTL_GET_DRV_OPT_COMMAND, Persistent, 516, 1)
AT(WNBD_IOCTL_GET_DRV_OPT_COMMAND, Reserved, 517, 32)

AT(WNBD_IOCTL_SET_DRV_OPT_COMMAND, Name, 4, 512)
AT(WNBD_IOCTL_SET_DRV_OPT_COMMAND, Value, 520, 584)
AT(WNBD_IOCTL_SET_DRV_OPT_COMMAND, Persistent, 1104, 1)
AT(WNBD_IOCTL_SET_DRV_OPT_COMMAND, Reserved, 1105, 32)

AT(WNBD_IOCTL_RESET_DRV_OPT_COMMAND, Name, 4, 512)
AT(WNBD_IOCTL_RESET_DRV_OPT_COMMAND, Persistent, 516, 1)
AT(WNBD_IOCTL_RESET_DRV_OPT_COMMAND, Reserved, 517, 32)

AT(WNBD_IOCTL_LIST_DRV_OPT_COMMAND, Persistent, 4, 1)
AT(WNBD_IOCTL_LIST_DRV_OPT_COMMAND, Reserved, 5, 32)

COMMAND(WNBD_IOCTL_BASE_COMMAND)
COMMAND(WNBD_IOCTL_CREATE_COMMAND)
COMMAND(WNBD_IOCTL_REMOVE_COMMAND)
COMMAND(WNBD_IOCTL_STATS_COMMAND)
COMMAND(WNBD_IOCTL_SHOW_COMMAND)
COMMAND(WNBD_IOCTL_FETCH_REQ_COMMAND)
COMMAND(WNBD_IOCTL_SET_SIZE_COMMAND)
COMMAND(WNBD_IOCTL_SEND_RSP_COMMAND)
COMMAND(WNBD_IOCTL_GET_DRV_OPT_COMMAND)
COMMAND(WNBD_IOCTL_SET_DRV_OPT_COMMAND)
COMMAND(WNBD_IOCTL_RESET_DRV_OPT_COMMAND)
COMMAND(WNBD_IOCTL_LIST_DRV_OPT_COMMAND)

/* --- Not in other implementations ----------------------------------------------------------------------------- */

AT(NBD_CONNECTION_PROPERTIES, Connections, 520, 4)
AT(WNBD_PROPERTIES, PhysicalBlockSize, 1124, 4)
AT(WNBD_PROPERTIES, QueueDepth, 1128, 4)
AT(WNBD_PROPERTIES, ArenaSize, 1132, 4)
AT(WNBD_PROPERTIES, Reserved, 1136, 228)

SIZE(WNBD_TRAFFIC, 32)
AT(WNBD_TRAFFIC, Answered, 0, 8)
AT(WNBD_TRAFFIC, Failed, 8, 8)
AT(WNBD_TRAFFIC, Bytes, 16, 8)
SIZE(WNBD_IOCTL_STATS_OUTPUT, 1408)
AT(WNBD_IOCTL_STATS_OUTPUT, Stats, 0, 192)
AT(WNBD_IOCTL_STATS_OUTPUT, Now, 192, 8)
AT(WNBD_IOCTL_STATS_OUTPUT, Reserved, 200, 56)
AT(WNBD_IOCTL_STATS_OUTPUT, Read, 256, 32)
AT(WNBD_IOCTL_STATS_OUTPUT, Write, 288, 32)
AT(WNBD_IOCTL_STATS_OUTPUT, Flush, 320, 32)
AT(WNBD_IOCTL_STATS_OUTPUT, Unmap, 352, 32)
AT(WNBD_IOCTL_STATS_OUTPUT, Latency, 384, 1024)
SIZE(WNBD_LATENCY, 1024)
AT(WNBD_LATENCY, Read, 0, 256)
AT(WNBD_LATENCY, Write, 256, 256)
AT(WNBD_LATENCY, Flush, 512, 256)
AT(WNBD_LATENCY, Unmap, 768, 256)

SIZE(WNBD_IOCTL_OWN_COMMAND, 48)
AT(WNBD_IOCTL_OWN_COMMAND, ConnectionId, 8, 8)

SIZE(WNBD_IOCTL_MAP_ARENA_COMMAND, 48)
AT(WNBD_IOCTL_MAP_ARENA_COMMAND, ConnectionId, 8, 8)

SIZE(WNBD_ARENA, 16)
AT(WNBD_ARENA, Address, 0, 8)
AT(WNBD_ARENA, Size, 8, 8)

SIZE(WNBD_ANSWER, 32)
AT(WNBD_ANSWER, RequestHandle, 0, 8)
AT(WNBD_ANSWER, Information, 8, 8)
AT(WNBD_ANSWER, DataLength, 16, 4)
AT(WNBD_ANSWER, ScsiStatus, 20, 1)
AT(WNBD_ANSWER, SenseKey, 21, 1)
AT(WNBD_ANSWER, ASC, 22, 1)
AT(WNBD_ANSWER, ASCQ, 23, 1)
AT(WNBD_ANSWER, InformationValid, 24, 1)

SIZE(WNBD_ARENA_REQUEST, 72)
AT(WNBD_ARENA_REQUEST, Request, 0, 64)
AT(WNBD_ARENA_REQUEST, DataOffset, 64, 4)
AT(WNBD_ARENA_REQUEST, DataLength, 68, 4)

SIZE(WNBD_IOCTL_ENTER_COMMAND, 64)
AT(WNBD_IOCTL_ENTER_COMMAND, AnswerCount, 4, 4)
AT(WNBD_IOCTL_ENTER_COMMAND, ConnectionId, 8, 8)
AT(WNBD_IOCTL_ENTER_COMMAND, MaxRequests, 16, 4)
AT(WNBD_IOCTL_ENTER_COMMAND, Wake, 24, 4)
AT(WNBD_IOCTL_ENTER_COMMAND, Answers, 32, 32)

SIZE(WNBD_ENTER_OUTPUT, 88)
AT(WNBD_ENTER_OUTPUT, RequestCount, 0, 4)
AT(WNBD_ENTER_OUTPUT, RefusedCount, 4, 4)
AT(WNBD_ENTER_OUTPUT, Reserved, 8, 4)
AT(WNBD_ENTER_OUTPUT, Disconnected, 12, 4)
AT(WNBD_ENTER_OUTPUT, Requests, 16, 72)

SIZE(WNBD_IOCTL_ATTACH_COMMAND, 292)
AT(WNBD_IOCTL_ATTACH_COMMAND, InstanceName, 4, 256)

COMMAND(WNBD_IOCTL_OWN_COMMAND)
COMMAND(WNBD_IOCTL_MAP_ARENA_COMMAND)
COMMAND(WNBD_IOCTL_ENTER_COMMAND)
COMMAND(WNBD_IOCTL_ATTACH_COMMAND)


/* The names of pointers point, but for PWNBD_CONNECTION_INFO_FLAGS. */
static_assert(sizeof(*(PWNBD_STATUS)0) == sizeof(WNBD_STATUS), "not its pointer");
static_assert(sizeof(*(PNBD_CONNECTION_FLAGS)0) == sizeof(NBD_CONNECTION_FLAGS), "not its pointer");
static_assert(sizeof(*(PNBD_CONNECTION_PROPERTIES)0) == sizeof(NBD_CONNECTION_PROPERTIES), "not its pointer");
static_assert(sizeof(*(PWNBD_FLAGS)0) == sizeof(WNBD_FLAGS), "not its pointer");
static_assert(sizeof(*(PWNBD_NAA_ID)0) == sizeof(WNBD_NAA_ID), "not its pointer");
static_assert(sizeof(*(PWNBD_PROPERTIES)0) == sizeof(WNBD_PROPERTIES), "not its pointer");
static_assert(sizeof(*(PWNBD_CONNECTION_INFO)0) == sizeof(WNBD_CONNECTION_INFO), "not its pointer");
static_assert(sizeof(*(PWNBD_CONNECTION_LIST)0) == sizeof(WNBD_CONNECTION_LIST), "not its pointer");
static_assert(sizeof(*(PWNBD_DRV_STATS)0) == sizeof(WNBD_DRV_STATS), "not its pointer");
static_assert(sizeof(*(PWNBD_UNMAP_DESCRIPTOR)0) == sizeof(WNBD_UNMAP_DESCRIPTOR), "not its pointer");
static_assert(sizeof(*(PWNBD_IO_REQUEST)0) == sizeof(WNBD_IO_REQUEST), "not its pointer");
static_assert(sizeof(*(PWNBD_IO_RESPONSE)0) == sizeof(WNBD_IO_RESPONSE), "not its pointer");
static_assert(sizeof(*(PWNBD_OPTION_VALUE)0) == sizeof(WNBD_OPTION_VALUE), "not its pointer");
static_assert(sizeof(*(PWNBD_OPTION)0) == sizeof(WNBD_OPTION), "not its pointer");
static_assert(sizeof(*(PWNBD_OPTION_LIST)0) == sizeof(WNBD_OPTION_LIST), "not its pointer");
static_assert(sizeof(*(PWNBD_VERSION)0) == sizeof(WNBD_VERSION), "not its pointer");
static_assert(sizeof(*(PWNBD_USR_STATS)0) == sizeof(WNBD_USR_STATS), "not its pointer");
static_assert(sizeof(*(PWNBD_REMOVE_FLAGS)0) == sizeof(WNBD_REMOVE_FLAGS), "not its pointer");
static_assert(sizeof(*(PWNBD_REMOVE_OPTIONS)0) == sizeof(WNBD_REMOVE_OPTIONS), "not its pointer");
static_assert(sizeof(*(PWNBD_DISK)0) == sizeof(WNBD_DISK), "not its pointer");
static_assert(sizeof(*(PWNBD_INTERFACE)0) == sizeof(WNBD_INTERFACE), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_BASE_COMMAND)0) == sizeof(WNBD_IOCTL_BASE_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_CREATE_COMMAND)0) == sizeof(WNBD_IOCTL_CREATE_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_REMOVE_COMMAND_FLAGS)0) == sizeof(WNBD_REMOVE_COMMAND_FLAGS), "not its pointer");
static_assert(sizeof(*(PWNBD_REMOVE_COMMAND_OPTIONS)0) == sizeof(WNBD_REMOVE_COMMAND_OPTIONS), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_REMOVE_COMMAND)0) == sizeof(WNBD_IOCTL_REMOVE_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_STATS_COMMAND)0) == sizeof(WNBD_IOCTL_STATS_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_SHOW_COMMAND)0) == sizeof(WNBD_IOCTL_SHOW_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_FETCH_REQ_COMMAND)0) == sizeof(WNBD_IOCTL_FETCH_REQ_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_SET_SIZE_COMMAND)0) == sizeof(WNBD_IOCTL_SET_SIZE_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_SEND_RSP_COMMAND)0) == sizeof(WNBD_IOCTL_SEND_RSP_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_GET_DRV_OPT_COMMAND)0) == sizeof(WNBD_IOCTL_GET_DRV_OPT_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_SET_DRV_OPT_COMMAND)0) == sizeof(WNBD_IOCTL_SET_DRV_OPT_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_RESET_DRV_OPT_COMMAND)0) == sizeof(WNBD_IOCTL_RESET_DRV_OPT_COMMAND), "not its pointer");
static_assert(sizeof(*(PWNBD_IOCTL_LIST_DRV_OPT_COMMAND)0) == sizeof(WNBD_IOCTL_LIST_DRV_OPT_COMMAND), "not its pointer");
SIZE(PWNBD_CONNECTION_INFO_FLAGS, 4)
static_assert(sizeof(PWNBD_IOCTL_PING_COMMAND) == 8 && sizeof(WNBD_IOCTL_PING_COMMAND) == 4, "PING");
static_assert(sizeof(PWNBD_IOCTL_LIST_COMMAND) == 8 && sizeof(WNBD_IOCTL_LIST_COMMAND) == 4, "LIST");
static_assert(sizeof(PWNBD_IOCTL_RELOAD_CONFIG_COMMAND) == 8 && sizeof(WNBD_IOCTL_RELOAD_CONFIG_COMMAND) == 4, "RELOAD");
static_assert(sizeof(PWNBD_IOCTL_VERSION_COMMAND) == 8 && sizeof(WNBD_IOCTL_VERSION_COMMAND) == 4, "VERSION");

/* clang-format on */
