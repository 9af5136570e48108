/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands by their names. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    command_function *run;
    const char *syntax;
} commands[] = {
    {"write-random", command_write_random, "DISK [--seed S --offset O --bytes B --depth D --size REQUEST]"},
    {"verify", command_verify, "DISK, the same options: what write-random wrote is still there"},
    {"hash", command_hash, "DISK, the same options but --seed: the SHA-256 of a range"},
    {"storm", command_storm,
     "DISK [--threads T --seconds S | --requests R --min BYTES --max BYTES --seed S --bytes B --out FILE]"},
    {"read", command_read, "DISK OFFSET LENGTH [--out FILE]"},
    {"write", command_write, "DISK OFFSET LENGTH BYTE"},
    {"flush", command_flush, "DISK"},
    {"hold", command_hold, "DISK [--seconds S --until FILE --ready FILE]"},
    {"cdb", command_cdb, "DISK HEX [--in N | --out FILE | --out-hex BYTES] [--direct]"},
    {"info", command_info, "DISK"},
    {"rate", command_rate, "DISK [--disks N --depth D --size BYTES --ms MS | --requests R --seed S --write]"},
    {"mapping", command_mapping, "DISK: how many bytes are mapped to something, and how many may still be"},
    {"attributes", command_attributes, "DISK [--mask BITS --value BITS], of DISK_ATTRIBUTE_OFFLINE and _READ_ONLY"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* -> EXIT_CODE_USE. */
static int usage(void)
{
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(stderr, "diskio %s %s\n", commands[i].name, commands[i].syntax);
    fputs("DISK is N, PhysicalDriveN or a path. For all: --through, --access read|write|both|none\n", stderr);
    return EXIT_CODE_USE;
}

int disk_run(struct arguments *arguments)
{
    struct disk disk;
    const char *name;

    if (arguments->count == 0)
        return usage();
    name = arguments_word(arguments, "the command");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            int code;

            disk_open(&disk, arguments);
            code = commands[i].run(&disk, arguments);
            disk_close(&disk);
            return code;
        }
    }
    return usage();
}
