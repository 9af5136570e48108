/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * interrupt FILE PROGRAM [ARGUMENT ...]: starts the program on a console of its own, with our standard handles; as soon
 * as FILE exists, types Ctrl-C on that console. Ends with the program's exit code.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

#define STEP_MS  10
#define LIMIT_MS 120000

static int fail(const char *what)
{
    fprintf(stderr, "interrupt: %s: error %lu\n", what, GetLastError());
    return 125;
}

/* The rest of the command line behind its first `count` words. */
static wchar_t *skip_words(wchar_t *at, unsigned count)
{
    BOOL quoted = FALSE;

    for (; count > 0; count--) {
        for (; *at && (quoted || *at != ' '); at++)
            quoted ^= *at == '"';
        while (*at == ' ')
            at++;
    }
    return at;
}

static BOOL own_console(void)
{
    FreeConsole();
    return AllocConsole();
}

static BOOL start(wchar_t *command, STARTUPINFOW *startup, PROCESS_INFORMATION *process)
{
    return CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, startup, process);
}

/* FALSE: the program ended before. */
static BOOL wait_for_file(const wchar_t *name, HANDLE process)
{
    for (DWORD waited = 0; waited < LIMIT_MS && WaitForSingleObject(process, STEP_MS) == WAIT_TIMEOUT;
         waited += STEP_MS) {
        if (GetFileAttributesW(name) != INVALID_FILE_ATTRIBUTES)
            return TRUE;
    }
    return FALSE;
}

int wmain(int argc, wchar_t **argv)
{
    STARTUPINFOW startup = {.cb = sizeof(startup),
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
                            .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                            .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    PROCESS_INFORMATION process;
    DWORD code;

    if (argc < 3)
        return fail("interrupt FILE PROGRAM [ARGUMENT ...]");
    if (!own_console())
        return fail("no console");
    if (!start(skip_words(GetCommandLineW(), 2), &startup, &process))
        return fail("the program does not start");
    SetConsoleCtrlHandler(NULL, TRUE); /* only now: it is inherited */
    if (!wait_for_file(argv[1], process.hProcess))
        fprintf(stderr, "interrupt: the program ended first\n");
    else if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
        return fail("Ctrl-C");
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}
