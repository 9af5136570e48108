/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that the driver says (driver/log.h), in one table: each message has an id, the disk that it is about, and what to
 * do. Of it are made the line for a debugger, the event of a trace session and the entry of the event log, and, by
 * tests/unit/test-messages.c: docs/messages.md, driver/messages.mc and driver/wnbd-events.man.
 *
 *   1xx  what happens                           trace, debugger
 *   2xx  something was not as it should be, and was dealt with      also the event log, as a warning
 *   3xx  something that was promised failed                         also the event log, as an error
 *
 * An id keeps its meaning for ever: other texts or other inserts are another id.
 */
#ifndef WNBD_DRIVER_MESSAGES_H
#define WNBD_DRIVER_MESSAGES_H

/*
 * ADAPTER(name, id, text, inserts, meaning, what to do); DISK(...) likewise, of a message that is about one disk: its
 * name stands before the text. `text` is a format with %s, %d, %u, %x and their l and ll, in which the conversions are
 * the inserts that `inserts` names, in order, with a blank between. No '!' and no other '%': the event log's formats
 * know these.
 */
#define DRIVER_MESSAGES(ADAPTER, DISK)                                                                                 \
    ADAPTER(ADAPTER_STARTED, 100, "the adapter has started, version %s", "Version",                                    \
            "Windows has started the adapter: disks can be mapped.", "Nothing.")                                       \
    ADAPTER(ADAPTER_ENDED, 101, "the adapter has ended", "", "The adapter was removed, and its disks with it.",        \
            "Nothing, if somebody meant it to be: an update of the driver, reset-adapter, uninstall-driver.")          \
    DISK(NBD_DISK_MAPPED, 102,                                                                                         \
         "mapped at target %u, connection %llu: %s port %u export '%s', %llu blocks of %u bytes",                      \
         "Target Connection Server Port Export Blocks BlockSize", "The disk of an NBD server is there.", "Nothing.")   \
    DISK(PROGRAM_DISK_MAPPED, 103,                                                                                     \
         "mapped at target %u, connection %llu: process %d of '%s', %llu blocks of %u bytes",                          \
         "Target Connection Process Owner Blocks BlockSize", "The disk that a program serves is there.", "Nothing.")   \
    DISK(DISK_REMOVED, 104, "removed", "", "The disk is gone.",                                                        \
         "Nothing, if somebody meant it to be; else the messages before this one say why.")                            \
    DISK(CONNECTED_AGAIN, 105, "connected again (%llu)", "Reconnects",                                                 \
         "A connection that was lost is there again; the number counts those of the disk. Its requests go on.",        \
         "Nothing.")                                                                                                   \
    DISK(EXPORT_GREW, 106, "%s: %llu bytes, was %llu", "Change Bytes BytesBefore",                                     \
         "The server's export is larger than before, and so is the disk.",                                             \
         "Extend the volume, if it is to be larger.")                                                                  \
    DISK(NAME_NOT_FOUND, 107, "looking '%s' up failed with status 0x%08lx", "Server Status",                           \
         "The server's name has no address; the status is Winsock Kernel's. It comes with each try.",                  \
         "Check the name, and that this machine's name servers answer.")                                               \
    DISK(COUNTERS, 108,                                                                                                \
         "counters: %lld requests, %lld sends, %lld receives, %lld copies, %lld copied, %lld direct, %lld handovers",  \
         "Requests Sends Receives Copies Copied Direct Handovers",                                                     \
         "What the requests of a removed disk have cost. Debug builds alone say it.", "Nothing.")                      \
    DISK(QUEUE_DEPTH_REFUSED, 200, "Storport did not take the queue depth", "",                                        \
         "The disk works with the queue depth that Storport has for it.", "Nothing; report it if the disk is slow.")   \
    DISK(                                                                                                              \
        NOT_PAUSED, 201, "Storport did not pause the disk", "",                                                        \
        "The server or the program of the disk is away, and Windows goes on sending it requests, which may time out.", \
        "Check the file system if writes have failed.")                                                                \
    DISK(CONNECTIONS_MISSING, 202, "not all of %u connections are there: %s", "Connections Reason",                    \
         "The disk serves with fewer connections than it was mapped with, and tries to make the others.",              \
         "See whether the server limits how many one client may have.")                                                \
    DISK(CONNECTION_MEMORY, 203, "there is memory for %u of %u connections", "Connections Wanted",                     \
         "The disk serves with fewer connections than were asked for.", "Map it again when more memory is free.")      \
    ADAPTER(OPTION_TYPE, 204, "%s: the stored value is neither REG_QWORD nor REG_DWORD and is ignored", "Option",      \
            "Something but this driver has written the option to the registry.",                                       \
            "Set it anew with 'wnbd-client set-opt --persistent'.")                                                    \
    ADAPTER(OPTION_RANGE, 205, "%s: the stored value %lld is not within %lld and %lld and is ignored",                 \
            "Option Value Minimum Maximum", "The option keeps the value that it would have without the stored one.",   \
            "Set it anew with 'wnbd-client set-opt --persistent'; docs/options.md has the ranges.")                    \
    ADAPTER(OPTIONS_UNREADABLE, 206, "the stored options cannot be read: 0x%08lx", "Status",                           \
            "All options have their defaults, or what the service's Parameters say.",                                  \
            "Check them with 'wnbd-client list-opt'; start the adapter again with 'wnbd-client reset-adapter'.")       \
    ADAPTER(KEEP_ALIVE, 207, "keep-alive option %lu could not be set: 0x%08lx", "Option Status",                       \
            "A server that falls silent is noticed by the time-outs of requests only.", "Nothing; report it.")         \
    DISK(SERVER_NOT_TOLD, 208, "the server could not be told that it is given up", "",                                 \
         "A server that does not suit the disk was left without a goodbye. Some keep an export locked until they "     \
         "notice.",                                                                                                    \
         "If the export is refused elsewhere, wait for the server or restart it.")                                     \
    DISK(SERVER_DID_NOT_CLOSE, 209, "the server did not close within %lu ms", "Milliseconds",                          \
         "A lost connection is replaced though the server may still carry out old writes of it (UnfencedConnections "  \
         "of 'wnbd-client show').",                                                                                    \
         "Check the file system if the server was alive all the time.")                                                \
    ADAPTER(COUNTERS_REFUSED, 210, "Windows does not take the performance counters: 0x%08lx", "Status",                \
            "The disks work; perfmon does not show them (docs/counters.md).",                                          \
            "Start the adapter again with 'wnbd-client reset-adapter', if you need the counters.")                     \
    ADAPTER(ADAPTER_FAILED, 300, "the adapter cannot start: 0x%08lx", "Status", "No disk can be mapped.",              \
            "Start it again with 'wnbd-client reset-adapter' or restart Windows; else install the driver anew.")       \
    DISK(NOT_MAPPED, 301, "not mapped: %s (0x%08lx)", "Reason Status", "The disk that was asked for is not there.",    \
         "Correct what the reason names: the server, its port, the export, or the properties that were asked for.")    \
    DISK(CONNECTION_LOST, 302, "the connection is lost: %s", "Reason",                                                 \
         "The disk has no connection to its server. Its requests wait until there is one (ReconnectTimeoutMs).",       \
         "See that the server runs and can be reached. Message 105 says that the disk goes on.")                       \
    DISK(GIVEN_UP, 303, "no connection within %lu ms: requests fail until there is one (%s)", "Milliseconds Reason",   \
         "Programs and the file system on the disk get errors. The disk goes on trying to reach its server.",          \
         "Bring the server back, then check the file system; or unmap the disk.")                                      \
    DISK(PROGRAM_GONE, 304, "the program that serves the disk is gone", "",                                            \
         "The disk was to be kept (KeepDisk): its requests wait until a program attaches itself.",                     \
         "Start the program again.")                                                                                   \
    DISK(PROGRAM_NOT_BACK, 305, "no program has attached itself within %lu ms: requests fail until one does",          \
         "Milliseconds", "Programs and the file system on the disk get errors.",                                       \
         "Start the program again, then check the file system; or unmap the disk.")                                    \
    DISK(PROGRAM_SILENT, 306, "its program has not answered for %lu ms: the disk is removed", "Milliseconds",          \
         "The program has the disk open and answers no requests (StaleReqTimeoutMs, StaleConnTimeoutMs).",             \
         "See what the program waits for, start it again, then check the file system.")                                \
    DISK(NO_DATA, 307, "an SRB of %lu bytes has no data", "Bytes",                                                     \
         "Storport has sent a request without its memory, and it has failed.", "Report it.")

#define MESSAGES_ID(name, id, ...) MESSAGE_##name = (id),
enum message_id { DRIVER_MESSAGES(MESSAGES_ID, MESSAGES_ID) };
#undef MESSAGES_ID

enum message_kind { MESSAGE_INFORMATION = 1, MESSAGE_WARNING = 2, MESSAGE_ERROR = 3 };
#define MESSAGES_KIND(id) ((enum message_kind)((unsigned)(id) / 100))

/* Who says it, to trace sessions: the provider's GUID (driver/event.c, driver/wnbd-events.man) and name. */
#define MESSAGES_PROVIDER_NAME "WNBD-Driver"
#define MESSAGES_PROVIDER_GUID {0xEB5D7AD0, 0x9401, 0x4FDC, {0x94, 0x5D, 0x8B, 0x7B, 0xD0, 0x3A, 0x44, 0x57}}
#define MESSAGES_PROVIDER_TEXT "{eb5d7ad0-9401-4fdc-945d-8b7bd03a4457}"

/* The channel of the events, as the manifest defines it, and the keyword that mc.exe gives to a first channel's. */
#define MESSAGES_CHANNEL         16
#define MESSAGES_CHANNEL_KEYWORD 0x8000000000000000ULL

/* What makes an id the message id of the table in wnbd.sys: the customer's bit, and the facility of I/O errors. */
#define MESSAGES_FACILITY_IO 4
#define MESSAGES_CODE(id)    ((unsigned)MESSAGES_KIND(id) << 30 | 1u << 29 | MESSAGES_FACILITY_IO << 16 | (unsigned)(id))

#endif
