/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_CLIENT_COMMANDS_H
#define WNBD_CLIENT_COMMANDS_H

#include "wnbd-client/arguments.h"

/* What each command does. The result is the exit code, a Win32 error; a failure has been said on stderr by then. */
typedef int command_run(const struct arguments *arguments);

command_run command_map;                                                                              /* map.c */
command_run command_exports;                                                                          /* exports.c */
command_run command_unmap;                                                                            /* unmap.c */
command_run command_list;                                                                             /* list.c */
command_run command_show;                                                                             /* show.c */
command_run command_stats;                                                                            /* stats.c */
command_run command_list_opt, command_get_opt, command_set_opt, command_reset_opt, command_set_debug; /* options.c */
command_run command_reset_adapter;                                                                    /* reset.c */
command_run command_version;                                                                          /* version.c */
command_run command_install_driver;                                                                   /* driver.c */
command_run command_uninstall_driver;
command_run command_help; /* main.c */

#endif
