/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that the library says (libwnbd/log.h), in one table. What stands where it is said is the format alone, which the
 * compiler checks there; of this table is made, by tests/unit/test-messages.c, the library's part of docs/messages.md.
 *
 *   10xx  debug     steps on the way
 *   11xx  info      what happens to a disk
 *   12xx  warning   what went wrong and failed nothing
 *   13xx  error     why a call has failed
 *
 * Four digits, because the driver's messages (driver/messages.h) and the service's events (wnbd-service/events.mc) have
 * three. An id keeps its meaning for ever. What has the same meaning and remedy is one message, with the reason in it.
 */
#ifndef LIBWNBD_MESSAGES_H
#define LIBWNBD_MESSAGES_H

/*
 * MESSAGE(name, id, level, text, meaning, what to do). `level` is the last word of a WnbdLogLevel. `text` has *Words*
 * where the formats have conversions, or whole clauses where they differ; a message of one disk names it.
 */
#define LIBRARY_MESSAGES(MESSAGE)                                                                                      \
    MESSAGE(SENT_AGAIN, 1000, Debug, "'*Disk*': *Count* requests will be sent again",                                  \
            "The old connection has not answered them, and the next one gets them.", "Nothing.")                       \
    MESSAGE(EXPORT_GREW, 1100, Info, "'*Disk*': *Change*: *Bytes* bytes, was *BytesBefore*",                           \
            "The server's export is larger than before, and so is the disk.",                                          \
            "Extend the volume, if it is to be larger.")                                                               \
    MESSAGE(NO_CONNECTION_YET, 1101, Info, "'*Disk*': still no connection: *Reason*",                                  \
            "A try to make a connection that was lost again has failed. The next one follows within 5 s.",             \
            "See that the server runs and can be reached.")                                                            \
    MESSAGE(MAPPED_WITH_NOTE, 1200, Warning, "'*Disk*' is mapped: *Note*",                                             \
            "The disk is there, and is not all that its export is.", "Nothing, if the disk is what you want.")         \
    MESSAGE(REQUEST_REFUSED, 1201, Warning,                                                                            \
            "'*Disk*': a request of type *Type* was refused: this program does not serve it (ASC 0x*ASC*)",            \
            "The program has no callback for such requests, or the request is not one that a disk can carry out.",     \
            "Nothing; the author of the program sees by it what WNBD_INTERFACE lacks and WNBD_FLAGS promise.")         \
    MESSAGE(UNMAPPED_HARD, 1202, Warning, "'*Disk*' was unmapped the hard way: *Reason*",                              \
            "Windows did not let go of the disk in time, and it was taken away all the same.",                         \
            "Check its file system. Close what uses a disk before it is unmapped.")                                    \
    MESSAGE(NODE_STAYS, 1203, Warning, "the device node of the failed installation could not be removed",              \
            "The driver was not installed, and the device manager shows an adapter that does not work.",               \
            "Use 'wnbd-client uninstall-driver', or remove the adapter in the device manager.")                        \
    MESSAGE(COUNTERS_NOT_REGISTERED, 1204, Warning, "the performance counters are not registered: *Reason*",           \
            "The driver is installed and works; perfmon does not show its counters (docs/counters.md).",               \
            "If you need them, mend what the reason names and install the driver again.")                              \
    MESSAGE(COUNTERS_STAY, 1205, Warning, "the performance counters stay registered: *Reason*",                        \
            "The driver is gone, and perfmon still has the names of its counters. They do no harm.",                   \
            "Nothing; the next installation replaces them.")                                                           \
    MESSAGE(SERVER_DID_NOT_CLOSE, 1206, Warning,                                                                       \
            "'*Disk*': the server did not close the old connection, whose writes may be carried out after newer ones", \
            "A lost connection is replaced though the server may still carry out old writes of it.",                   \
            "Check the file system if the server was alive all the time.")                                             \
    MESSAGE(CONNECTION_LOST, 1207, Warning, "'*Disk*': the connection is lost: *Reason*",                              \
            "The disk has no connection to its server. Its requests wait until there is one (ReconnectTimeoutMs).",    \
            "See that the server runs and can be reached. Message 1208 says that the disk goes on.")                   \
    MESSAGE(CONNECTED_AGAIN, 1208, Warning, "'*Disk*': connected again",                                               \
            "A connection that was lost is there again. The disk's requests go on.", "Nothing.")                       \
    MESSAGE(ADAPTER_NOT_OPENED, 1300, Error, "cannot open the WNBD adapter: *Reason*",                                 \
            "The driver cannot be talked to: nothing can be mapped, listed or unmapped.",                              \
            "Install the driver, start its adapter in the device manager, or run the program as administrator, as "    \
            "the reason says.")                                                                                        \
    MESSAGE(NOT_MAPPED, 1301, Error, "cannot map '*Disk*': *Reason*", "The disk that was asked for is not there.",     \
            "Correct what the reason names: the server, its port, the export, or the properties that were asked for.") \
    MESSAGE(NOT_UNMAPPED, 1302, Error, "cannot unmap '*Disk*': *Reason*",                                              \
            "The disk is still mapped, because Windows did not let go of it.",                                         \
            "Close what uses the disk and unmap it again, or unmap it the hard way.")                                  \
    MESSAGE(NOT_SERVED, 1303, Error,                                                                                   \
            "cannot serve '*Disk*': the dispatcher's threads cannot be made: Windows error *Error*",                   \
            "The disk was made and taken away again.", "Map it again when the machine has more memory.")               \
    MESSAGE(SERVED_NO_MORE, 1304, Error, "'*Disk*' cannot be served any more: Windows error *Error*",                  \
            "The driver does not give the program requests any more. The disk goes, unless it is to be kept "          \
            "(KeepDisk).",                                                                                             \
            "Map the disk again, then check its file system; report it.")                                              \
    MESSAGE(GIVEN_UP, 1305, Error,                                                                                     \
            "'*Disk*': no connection within *Milliseconds* ms: requests fail until there is one (*Reason*)",           \
            "Programs and the file system on the disk get errors. The disk goes on trying to reach its server.",       \
            "Bring the server back, then check the file system; or unmap the disk.")                                   \
    MESSAGE(RESET_VETOED, 1306, Error, "cannot reset the WNBD adapter: it or one of its disks is in use",              \
            "Somebody has a disk open, and Windows did not stop the adapter. The disks go on.",                        \
            "Close what uses the disks, or unmap them, then reset the adapter again.")                                 \
    MESSAGE(NOT_DISABLED, 1307, Error,                                                                                 \
            "cannot reset the WNBD adapter: Plug and Play could not disable it (configuration manager code *Code*)",   \
            "Windows did not stop the adapter, for the reason that its code says (cfgmgr32.h). The disks go on.",      \
            "Look at the adapter in the device manager; restart Windows.")                                             \
    MESSAGE(NOT_ENABLED, 1308, Error,                                                                                  \
            "the WNBD adapter is disabled and cannot be enabled again (configuration manager code *Code*)",            \
            "The disks are gone, and none can be mapped.",                                                             \
            "Enable the adapter in the device manager; else restart Windows or install the driver anew.")              \
    MESSAGE(PACKAGE_UNUSABLE, 1309, Error, "cannot install the driver: *Reason*",                                      \
            "What was given is no INF file of a driver, or not all of its files are beside it.",                       \
            "Give the path of wnbd.inf in a whole driver package.")                                                    \
    MESSAGE(WINDOWS_TOO_OLD, 1310, Error,                                                                              \
            "cannot install the driver: it needs Windows 10.0.*Build* or newer, this is *Version*",                    \
            "The driver uses what this Windows does not have.", "Update Windows.")                                     \
    MESSAGE(INSTALLED_ALREADY, 1311, Error, "cannot install the driver: a WNBD adapter is installed already",          \
            "There is one adapter of the driver on a machine.",                                                        \
            "Uninstall the driver that is there first: 'wnbd-client uninstall-driver'.")                               \
    MESSAGE(ADAPTER_NOT_STARTED, 1312, Error,                                                                          \
            "cannot install the driver: Windows accepted it, but its adapter did not start",                           \
            "Usually Windows does not trust the driver's signature. What was installed is removed again.",             \
            "docs/packaging.md says how Windows comes to trust it. Look into the event log System, source wnbd, too.") \
    MESSAGE(DISKS_NOT_REMOVED, 1313, Error, "cannot remove all disks before uninstalling: Windows error *Error*",      \
            "The driver is uninstalled all the same; Windows may need a restart for it.",                              \
            "Unmap the disks and uninstall the driver again, or restart Windows.")                                     \
    MESSAGE(NODE_NOT_REMOVED, 1314, Error, "cannot remove the device node of the WNBD adapter: Windows error *Error*", \
            "The adapter is still there, or what an earlier installation has left of it.",                             \
            "Remove the adapter in the device manager, or restart Windows and try again.")                             \
    MESSAGE(PACKAGE_NOT_REMOVED, 1315, Error, "cannot remove the driver package *File*: Windows error *Error*",        \
            "The driver's files are still in the driver store. Nothing uses them.",                                    \
            "Use 'pnputil /delete-driver FILE /force'.")

#define LIBRARY_MESSAGE_ID(name, id, ...) MESSAGE_##name = (id),
enum library_message { LIBRARY_MESSAGES(LIBRARY_MESSAGE_ID) };
#undef LIBRARY_MESSAGE_ID

#endif
