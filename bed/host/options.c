/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the sanitizers are to do: their reports come before a test framework's handlers of signals. */

#define SIGNALS "handle_segv=2:handle_abort=2:handle_sigbus=2:handle_sigill=2:handle_sigfpe=2"

const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return SIGNALS ":detect_stack_use_after_return=1";
}

const char *__tsan_default_options(void)
{
    return SIGNALS ":halt_on_error=0:exitcode=66:second_deadlock_stack=1";
}
