/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command table with nothing behind it. */
#ifndef TESTS_UNIT_NO_COMMANDS_H
#define TESTS_UNIT_NO_COMMANDS_H

#include "wnbd-client/commands.h"

#define NO_COMMAND(name)                                                                                               \
    int name(const struct arguments *arguments)                                                                        \
    {                                                                                                                  \
        (void)arguments;                                                                                               \
        return 0;                                                                                                      \
    }
NO_COMMAND(command_map)
NO_COMMAND(command_exports)
NO_COMMAND(command_unmap)
NO_COMMAND(command_list)
NO_COMMAND(command_show)
NO_COMMAND(command_stats)
NO_COMMAND(command_version)
NO_COMMAND(command_list_opt)
NO_COMMAND(command_get_opt)
NO_COMMAND(command_set_opt)
NO_COMMAND(command_reset_opt)
NO_COMMAND(command_set_debug)
NO_COMMAND(command_reset_adapter)
NO_COMMAND(command_install_driver)
NO_COMMAND(command_uninstall_driver)
NO_COMMAND(command_help)

#endif
