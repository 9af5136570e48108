/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a program for ARM64 begins. On x64 this is a part of mingw-w64's C runtime, which Debian does not have for
 * ARM64; all the rest of the runtime is Windows' own (ucrtbase.dll). Only what our programs need: a wmain, no
 * constructors of C++ and no callbacks of thread-local storage.
 */
#include <stdlib.h>

/* Exports of the Universal C Runtime that Microsoft declares in corecrt_startup.h and mingw-w64 nowhere. */
void _set_app_type(int type);
int _configure_wide_argv(int mode);
int _initialize_wide_environment(void);

#define CONSOLE_APP          1 /* _crt_console_app */
#define UNEXPANDED_ARGUMENTS 1 /* _crt_argv_unexpanded_arguments */

int wmain(int argc, wchar_t **argv);
void mainCRTStartup(void);

void mainCRTStartup(void)
{
    _set_app_type(CONSOLE_APP);
    if (_configure_wide_argv(UNEXPANDED_ARGUMENTS) || _initialize_wide_environment())
        abort();
    exit(wmain(*__p___argc(), *__p___wargv()));
}
