/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads, writes and questions a disk through \\.\PhysicalDriveN, as any Windows program may. */
#include "commands.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct arguments arguments;

    _setmode(_fileno(stdout), _O_BINARY);
    arguments_take(&arguments, argc, argv);
    return disk_run(&arguments);
}
