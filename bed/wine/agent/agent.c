/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bed's own program inside the prefix (bed-agent.exe), in three forms:
 *
 *   session OWNER [INF HARDWARE-ID]
 *                               the first process of the prefix and the last: services end when no ordinary process is
 *                               left. Installs the driver, prints `ready`, waits for a line or the end of its input,
 *                               removes the driver, prints `stopped`. Instead of either: `failed <clause>`.
 *                               OWNER is a Unix pid or 0: when that process is gone, so are we, and with us the prefix.
 *   exec CODE-FILE COMMAND ...  runs the command with our handles and writes its whole 32-bit exit code, of which a
 *                               Unix parent sees eight bits only, into the file.
 *   debug PID EVENT             what Wine starts for a process that has crashed: writes the stacks to C:\\crash.log.
 */
#include <process.h>
#include <stdio.h>
#include <wchar.h>

#include "bed/wine/agent/install.h"

#define START_TRIES    3
#define START_PAUSE_MS 200

static void say(const char *word, const wchar_t *more)
{
    printf("%s %ls\n", word, more);
    fflush(stdout);
}

/* Whoever wanted this bed may be killed without a chance to end it. */
static unsigned __stdcall watch_owner(void *argument)
{
    const wchar_t *owner = argument;
    wchar_t path[64];

    _snwprintf(path, 63, L"Z:\\proc\\%ls", owner);
    path[63] = 0;
    while (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES) {
        Sleep(1000);
    }
    TerminateProcess(GetCurrentProcess(), 1);
    return 0;
}

static int session(int argc, wchar_t **argv)
{
    wchar_t error[MAX_PATH] = {0};
    char line[64];
    int code = 0;

    if (wcscmp(argv[2], L"0")) {
        _beginthreadex(NULL, 0, watch_owner, argv[2], 0, NULL);
    }
    if (argc == 5 && !install_adapter(argv[3], argv[4], error)) {
        say("failed", error);
        return 1;
    }
    say("ready", L"");
    if (!fgets(line, sizeof(line), stdin)) {
        line[0] = 0;
    }
    if (remove_adapters(error)) {
        say("stopped", L"");
    } else {
        say("failed", error);
        code = 1;
    }
    return code;
}

/* The rest of a command line behind its next `count` words. */
static wchar_t *skip_words(wchar_t *at, unsigned count)
{
    while (count--) {
        bool quoted = false;

        while (*at && (quoted || (*at != ' ' && *at != '\t'))) {
            quoted ^= *at == '"';
            at++;
        }
        while (*at == ' ' || *at == '\t') {
            at++;
        }
    }
    return at;
}

/* What became of the program; before that, a word that says we have begun. */
static bool write_result(const wchar_t *path, const char *text)
{
    FILE *file = _wfopen(path, L"w");

    if (!file) {
        return false;
    }
    fputs(text, file);
    return fclose(file) == 0;
}

/* When we are killed, the program and what it started end as well. */
static void tie_to_us(HANDLE process)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
    AssignProcessToJobObject(job, process);
}

/* Now and then, on a busy machine, a process of Wine's ends before it has begun: nothing of the program has run then.
 */
static BOOL start_suspended(wchar_t *command, STARTUPINFOW *startup, PROCESS_INFORMATION *process)
{
    for (int i = 0; i < START_TRIES; i++) {
        if (CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, startup, process)) {
            return TRUE;
        }
        if (GetLastError() != ERROR_INTERNAL_ERROR) {
            return FALSE;
        }
        Sleep(START_PAUSE_MS);
    }
    return FALSE;
}

static int run(const wchar_t *code_file)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    DWORD code = 0;
    char text[16];

    if (!write_result(code_file, "begun")) {
        fprintf(stderr, "bed: the exit code cannot be written\n");
        return 126;
    }
    if (!start_suspended(skip_words(GetCommandLineW(), 3), &startup, &process)) {
        fprintf(stderr, "bed: the program does not start (error %lu)\n", GetLastError());
        return 127;
    }
    tie_to_us(process.hProcess);
    ResumeThread(process.hThread);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    snprintf(text, sizeof(text), "%lu", code);
    if (!write_result(code_file, text)) {
        fprintf(stderr, "bed: the exit code cannot be written\n");
        return 126;
    }
    return (int)code;
}

/* Wine's debugger writes to a console of its own unless it is given handles. The event is inherited through us. */
static int debug(const wchar_t *pid, const wchar_t *event)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    HANDLE file = CreateFileW(L"C:\\crash.log", FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                              OPEN_ALWAYS, 0, NULL);
    STARTUPINFOW startup = {
        .cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES, .hStdOutput = file, .hStdError = file};
    PROCESS_INFORMATION process;
    wchar_t command[64];

    _snwprintf(command, 63, L"winedbg --auto %ls %ls", pid, event);
    command[63] = 0;
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        return 1;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    return 0;
}

int wmain(int argc, wchar_t **argv)
{
    if (argc >= 3 && !wcscmp(argv[1], L"session") && (argc == 3 || argc == 5)) {
        return session(argc, argv);
    }
    if (argc >= 4 && !wcscmp(argv[1], L"exec")) {
        return run(argv[2]);
    }
    if (argc == 4 && !wcscmp(argv[1], L"debug")) {
        return debug(argv[2], argv[3]);
    }
    fprintf(stderr, "bed-agent: session OWNER [INF HARDWARE-ID] | exec CODE-FILE COMMAND ...\n");
    return 2;
}
