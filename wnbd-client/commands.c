/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command table: the one place that knows names, arguments, limits, defaults and their explanations. */
#include "wnbd-client/commands.h"

#define NAME_BYTES          255
#define URI_BYTES           8191 /* what a command line may have, about */
#define MAX_CONNECTIONS     16   /* as wnbd_ioctl.h has both */
#define DEFAULT_CONNECTIONS "1"
#define ANY_NUMBER          UINT32_MAX
#define ANY_SIZE            UINT64_MAX
#define PATH_BYTES          4096
#define SERVED_BYTES        INT64_MAX /* of a disk that a program serves */
#define MAX_THREADS         255
#define DEFAULT_THREADS     "4"
#define DAY_SECONDS         (24 * 60 * 60)

/* clang-format off */
#define INSTANCE_NAME(place) \
    {"instance-name", PARAMETER_TEXT, place, 1, NAME_BYTES, NULL, "The disk's name.", true}
#define OPTION_NAME \
    {"name", PARAMETER_TEXT, PLACE_REQUIRED, 1, NAME_BYTES, NULL, "The option's name, in any case of letters.", false}
#define PERSISTENT(help) \
    {"persistent", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL, help, false}
#define WATCH(help) \
    {"watch", PARAMETER_PERIOD, PLACE_OPTION, 1, DAY_SECONDS, "1", help, false}, \
    {"count", PARAMETER_NUMBER, PLACE_OPTION, 1, ANY_NUMBER, NULL, \
     "End after so many tables of --watch.", false}
#define NO_SUCH_DISK \
    {2, "no disk of that name is mapped"}
#define NO_SUCH_OPTION \
    {2, "there is no such option; with --persistent also: nothing is stored"}
#define OLD_SERVER \
    {50, "the server speaks the old-style handshake only"}
#define NO_SUCH_HOST \
    {53, "there is no such host"}
#define NO_NBD \
    {58, "what answers is not an NBD server, or breaks the protocol"}
#define SERVER_CLOSED \
    {64, "the server closed the connection during the handshake"}
#define NO_SUCH_EXPORT \
    {67, "the server has no such export"}
#define NO_ANSWER \
    {121, "the server did not answer in time"}
#define SERVER_REFUSED \
    {1225, "the server refused the connection or, for now, the export"}
#define FORMAT \
    {"format", PARAMETER_TEXT, PLACE_OPTION, 1, NAME_BYTES, "text", "text or json.", false}

const struct command commands[] = {
    {{"version", "-v"},
     "Print the versions of client, library and driver.",
     {FORMAT}, 0, command_version, "version --format json", {{0}}},

    {{"help", "-h", "--help"},
     "List the commands, or explain one.",
     {{"command-name", PARAMETER_TEXT, PLACE_OPTIONAL, 1, NAME_BYTES, NULL, "The command to explain.", false},
      {"markdown", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL, "All of it, as docs/reference.md has it.", false}},
     0, command_help, "help map", {{0}}},

    {{"list", "ls"},
     "List the disks.",
     {PERSISTENT("Instead, the mappings that are recorded, and whether they are there now."),
      WATCH("Every so many seconds tell what each disk does: requests per second, MB (millions of bytes) read and "
            "written per second, the time within which 50, 99 and 99.9 % of the requests were answered (known up to a "
            "factor of two), requests that are not answered now, connections that were made again. On a console keys "
            "sort the table and q quits; elsewhere lines follow each other."),
      FORMAT}, 0, command_list, "list --watch 5", {{0}}},

    {{"show"},
     "Show all that is known of a disk.",
     {INSTANCE_NAME(PLACE_REQUIRED), FORMAT}, 0, command_show, "show vol1",
     {NO_SUCH_DISK}},

    {{"map"},
     "Map an export of an NBD server as a disk. Returns when the disk can be used; the disk stays until it is unmapped "
     "or the machine is restarted. NBD traffic is clear text. With --file or --ram there is no server: this program "
     "itself is the disk, until it is unmapped or Ctrl-C is typed.",
     {INSTANCE_NAME(PLACE_REQUIRED),
      {"hostname", PARAMETER_TEXT, PLACE_OPTIONAL, 1, URI_BYTES, NULL,
       "Name, IPv4 or IPv6 address of the server; or an NBD URI, which says port and export as well: "
       "nbd://host[:port][/export]. Not with --file or --ram.", true},
      {"port", PARAMETER_NUMBER, PLACE_OPTION, 1, 65535, "10809", "TCP port of the server.", true},
      {"export-name", PARAMETER_TEXT, PLACE_OPTION, 0, NAME_BYTES, "instance-name",
       "The server's name for the export; may be empty.", true},
      {"skip-handshake", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "The server starts without the NBD handshake; needs --disk-size.", true},
      {"read-only", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL, "Refuse to write to the disk.", true},
      {"disk-size", PARAMETER_SIZE, PLACE_OPTION, 0, ANY_SIZE, NULL,
       "Size of the disk, when the handshake is skipped: bytes, or a number with K, M, G, T, P or E.", true},
      {"block-size", PARAMETER_SIZE, PLACE_OPTION, 512, 4096, "512",
       "Bytes per block: 512 or 4096. A disk that was partitioned with the other size is unreadable.", true},
      {"physical-block-size", PARAMETER_SIZE, PLACE_OPTION, 512, 65536, "as the server prefers",
       "Bytes that the disk says it writes at once, which is what Windows aligns partitions and writes to: a power of "
       "two, from block-size to 65536.", false},
      {"connections", PARAMETER_NUMBER, PLACE_OPTION, 1, MAX_CONNECTIONS, DEFAULT_CONNECTIONS,
       "TCP connections to the server, if it says that several see the same data. More of them can be faster, and one "
       "that is lost leaves the others.", false},
      PERSISTENT("Record the mapping too, so that the WNBD service makes it again when the machine starts. A disk that is "
                 "mapped already, by the same arguments, is only recorded. With --user the service serves it, and "
                 "this program does not stay."),
      {"force", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "Map the export although this machine has it mapped already. Two writers destroy a file system.", false},
      {"user", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "This process is the NBD client, not the driver: runs until the disk is unmapped or Ctrl-C unmaps it.", false},
      {"file", PARAMETER_TEXT, PLACE_OPTION, 1, PATH_BYTES, NULL,
       "Instead of a server: the file whose contents are the disk.", false},
      {"size", PARAMETER_SIZE, PLACE_OPTION, 512, SERVED_BYTES, "that of the file",
       "Size of the disk, with --file: the file is made, or extended, if need be; it is sparse.", false},
      {"ram", PARAMETER_SIZE, PLACE_OPTION, 512, SERVED_BYTES, NULL,
       "Instead of a server: a disk of that size in memory, which is taken when it is written to. Its contents go with "
       "the disk.", false},
      {"threads", PARAMETER_NUMBER, PLACE_OPTION, 1, MAX_THREADS, DEFAULT_THREADS,
       "With --file or --ram: how many requests are served at once.", false},
      {"wait", PARAMETER_FLAG, PLACE_OPTION, 0, 1, "true", "Return when Windows has the disk.", false},
      {"no-wait", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "Return when the server has answered, and do not wait until Windows has the disk.", false},
      FORMAT},
     4, command_map, "map vol1 192.0.2.10 --export-name disk1",
     {{2, "with --file: there is no such file, and no --size to make it with"},
      {3, "with --file: there is no such folder"},
      {5, "the server refuses the export, or wants TLS for it; with --file: Windows refuses the file"},
      {31, "with --user: what answers is not an NBD server, or breaks the protocol"},
      {32, "the export is mapped already, see --force; with --file: the file is in use"},
      OLD_SERVER,
      NO_SUCH_HOST,
      NO_NBD,
      SERVER_CLOSED,
      NO_SUCH_EXPORT,
      {68, "as many disks are mapped as the adapter can have, 128"},
      {87, "also: the server does not serve blocks of that size"},
      NO_ANSWER,
      {183, "the name is in use"},
      {258, "Windows did not show the disk in time, so it was unmapped again; with --user --persistent: nor did the service"},
      {995, "the disk was unmapped, or Ctrl-C typed, before it was ready"},
      {1062, "with --user --persistent: the WNBD service does not run"},
      {1115, "new mappings are not allowed: option NewMappingsAllowed"},
      SERVER_REFUSED,
      {2250, "with --user: the server cannot be reached"},
      {11001, "with --user: there is no such host"}}},

    {{"exports"},
     "List the exports of an NBD server, or tell of one, without mapping anything. NBD traffic is clear text.",
     {{"hostname", PARAMETER_TEXT, PLACE_REQUIRED, 1, URI_BYTES, NULL,
       "Name, IPv4 or IPv6 address of the server; or an NBD URI: nbd://host[:port][/export].", false},
      {"port", PARAMETER_NUMBER, PLACE_OPTION, 1, 65535, "10809", "TCP port of the server.", false},
      {"export-name", PARAMETER_TEXT, PLACE_OPTION, 1, NAME_BYTES, NULL, "Only this export.", false},
      FORMAT},
     0, command_exports, "exports 192.0.2.10",
     {{5, "the server refuses to tell"},
      OLD_SERVER,
      NO_SUCH_HOST,
      NO_NBD,
      SERVER_CLOSED,
      NO_SUCH_EXPORT,
      NO_ANSWER,
      SERVER_REFUSED}},

    {{"unmap", "rm"},
     "Unmap disks, one after the other; one that cannot be unmapped leaves the others. Windows is asked first, so that "
     "file systems are flushed and programs that use the disk can refuse; if they still do after the time-out, the disk "
     "is unmapped the hard way. Of two words the second is taken for hard-disconnect if it is true or false. A "
     "disk that is recorded comes back when the WNBD service is started next, unless --persistent is given.",
     {INSTANCE_NAME(PLACE_REPEATED),
      {"hard-disconnect", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "Do not ask, unmap at once. Unwritten data is lost.", true},
      {"no-hard-disconnect-fallback", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "Fail rather than unmap the hard way.", false},
      {"soft-disconnect-timeout", PARAMETER_NUMBER, PLACE_OPTION, 0, DAY_SECONDS, "30",
       "Seconds to keep asking; 0: no limit.", false},
      {"soft-disconnect-retry-interval", PARAMETER_NUMBER, PLACE_OPTION, 0, DAY_SECONDS, "2",
       "Seconds between two attempts.", false},
      {"all", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL, "Unmap all disks there are.", false},
      PERSISTENT("Delete the records too, also of disks that are not mapped.")},
     2, command_unmap, "unmap vol1",
     {NO_SUCH_DISK,
      {1460, "with --no-hard-disconnect-fallback: it is in use"}}},

    {{"stats"},
     "Print the driver's counters of a disk.",
     {INSTANCE_NAME(PLACE_REQUIRED),
      WATCH("Every so many seconds tell what the disk does, by kind of request, as list --watch does of all disks."),
      FORMAT}, 0, command_stats, "stats vol1 --watch",
     {NO_SUCH_DISK}},

    {{"list-opt"},
     "List the driver's options with their values and built-in defaults.",
     {PERSISTENT("Only the options that are stored, with the stored values."), FORMAT},
     0, command_list_opt, "list-opt --persistent", {{0}}},

    {{"get-opt"},
     "Print the value of a driver option.",
     {OPTION_NAME, PERSISTENT("The stored value, not the one that holds now."), FORMAT},
     0, command_get_opt, "get-opt ReconnectTimeoutMs",
     {NO_SUCH_OPTION}},

    {{"set-opt"},
     "Set a driver option. The queue limits take effect when the adapter is started next, see reset-adapter.",
     {OPTION_NAME,
      {"value", PARAMETER_TEXT, PLACE_REQUIRED, 1, NAME_BYTES, NULL,
       "A number, decimal or with 0x, or true or false, as the option wants.", false},
      PERSISTENT("Store the value too, so that it holds after a restart.")},
     0, command_set_opt, "set-opt ReconnectTimeoutMs 300000 --persistent",
     {{2, "there is no such option"},
      {87, "also: the option takes no such value"}}},

    {{"reset-opt"},
     "Restore the built-in default of a driver option.",
     {OPTION_NAME, PERSISTENT("Delete the stored value too.")},
     0, command_reset_opt, "reset-opt ReconnectTimeoutMs --persistent",
     {NO_SUCH_OPTION}},

    {{"set-debug"},
     "Have the driver log all it does, or only errors and warnings: option LogLevel 4 or its default, stored.",
     {{"debug-mode", PARAMETER_FLAG, PLACE_REQUIRED, 0, 1, NULL, "true or false.", true}},
     0, command_set_debug, "set-debug true", {{0}}},

    {{"reset-adapter"},
     "Stop the adapter and start it again, for options that take effect then. Fails while a disk is in use.",
     {{"hard-disconnect-mappings", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "Unmap all disks the hard way first. Unwritten data is lost.", false},
      {"reset-timeout", PARAMETER_NUMBER, PLACE_OPTION, 0, DAY_SECONDS, "10",
       "Seconds to keep trying while something is in use; 0: no limit.", false},
      {"reset-retry-interval", PARAMETER_NUMBER, PLACE_OPTION, 0, DAY_SECONDS, "1",
       "Seconds between two attempts.", false}},
     0, command_reset_adapter, "reset-adapter --hard-disconnect-mappings",
     {{21, "the adapter was stopped and does not start again"},
      {170, "a disk or the adapter is in use"},
      {15610, "Windows cannot stop the adapter"}}},

    {{"install-driver"},
     "Install the driver with its performance counters, and the service that maps recorded disks if wnbd-service.exe "
     "stands beside this program.",
     {{"filename", PARAMETER_TEXT, PLACE_REQUIRED, 1, ANY_NUMBER, NULL,
       "The driver's INF file; its other files stand beside it.", false}},
     0, command_install_driver, "install-driver wnbd.inf",
     {{2, "there is no such file, or one that belongs to it is not beside it"},
      {21, "the driver was installed and its adapter did not start"},
      {50, "this Windows is too old"},
      {3758096898, "a WNBD adapter is installed already"}}},

    {{"uninstall-driver"},
     "Remove the service, unmap all disks the hard way and remove the driver from this machine. Records of mappings stay.",
     {{"keep-service", PARAMETER_FLAG, PLACE_OPTION, 0, 1, NULL,
       "Stop the service only, for an upgrade: install-driver starts it again.", false}},
     0, command_uninstall_driver, "uninstall-driver", {{0}}},

    {{0}, 0, {{0}}, 0, 0, 0, {{0}}},
};
/* clang-format on */
