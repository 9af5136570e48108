/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's side of the serving miniport (serving.c), for test_serving.py: servetest COMMAND. Prints what it finds;
 * exit code 0 when all went well.
 *
 *   map    memory shared with the miniport is seen from both sides
 *   lock   the program's memory is filled and read, and refused where its protection says so
 *   close  a handle is closed with a request under way
 *   die    a process is terminated with a request under way
 *   hold   what `die` terminates
 *   watch  prints `ready` when one holds, and how long after that its handle is closed
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "tests/bed/serving.h"

#define IOCTL_MINIPORT_PROCESS_SERVICE_IRP 0x4D038
#define NT_ACCESS_VIOLATION                0xC0000005
#define PAGE                               4096
#define PROMPT_MS                          5000 /* Wine's figures are tens of milliseconds */

static int failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            failures++;                                                                                                \
            printf("FAILED: line %d: %s (error %lu)\n", __LINE__, #condition, GetLastError());                         \
        }                                                                                                              \
    } while (0)

static HANDLE open_adapter(void)
{
    HANDLE adapter = INVALID_HANDLE_VALUE;

    for (int i = 0; i < 600 && adapter == INVALID_HANDLE_VALUE; i++) {
        if (i != 0) {
            Sleep(50);
        }
        adapter = CreateFileA("\\\\.\\Scsi0:", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    }
    CHECK(adapter != INVALID_HANDLE_VALUE);
    return adapter;
}

static struct serving ask(HANDLE adapter, enum serving_code code, const void *address, ULONG64 length, ULONG value)
{
    struct serving command = {.code = code, .address = (ULONG_PTR)address, .length = length, .value = value};
    OVERLAPPED at = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    DWORD got = 0;

    DeviceIoControl(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &command, sizeof(command),
                    NULL, &at);
    CHECK(GetOverlappedResult(adapter, &at, &got, TRUE) && got == sizeof(command));
    CloseHandle(at.hEvent);
    return command;
}

static void begin_wait(HANDLE adapter, OVERLAPPED *at)
{
    static struct serving command = {.code = SERVING_WAIT};

    memset(at, 0, sizeof(*at));
    at->hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    CHECK(!DeviceIoControl(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &command,
                           sizeof(command), NULL, at) &&
          GetLastError() == ERROR_IO_PENDING);
}

/* Until the miniport has seen so many handles close and has so many requests waiting; answers the milliseconds. */
static DWORD wait_for(HANDLE adapter, ULONG cleanups, ULONG waiting)
{
    DWORD begin = GetTickCount();
    struct serving counts;

    do {
        counts = ask(adapter, SERVING_COUNT, NULL, 0, 0);
    } while ((counts.cleanups != cleanups || counts.waiting != waiting) && GetTickCount() - begin < PROMPT_MS);
    CHECK(counts.cleanups == cleanups && counts.waiting == waiting);
    return GetTickCount() - begin;
}

static void command_map(void)
{
    HANDLE adapter = open_adapter();
    struct serving answer = ask(adapter, SERVING_MAP, NULL, 0, 0);
    volatile UCHAR *view = (UCHAR *)(ULONG_PTR)answer.address;

    CHECK(answer.status == 0 && answer.length == SERVING_SECTION_BYTES && view != NULL);
    if (answer.status != 0) {
        printf("status %#lx\n", answer.status);
        return;
    }
    view[70000] = 11;
    CHECK(ask(adapter, SERVING_POKE, (void *)70000, 0, 22).value == 11);
    CHECK(view[70000] == 22);
    CloseHandle(adapter);
    CHECK(view[70000] == 22);
    CHECK(UnmapViewOfFile((void *)(ULONG_PTR)answer.address));
    CHECK(!UnmapViewOfFile((void *)(ULONG_PTR)answer.address));
}

static void command_lock(void)
{
    UCHAR *pages = VirtualAlloc(NULL, 3 * PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    HANDLE adapter = open_adapter();
    DWORD old;

    CHECK(ask(adapter, SERVING_FILL, pages + 1, 5000, 3).status == 0);
    CHECK(pages[0] == 0 && pages[1] == 3 && pages[5000] == 3 && pages[5001] == 0);
    CHECK(ask(adapter, SERVING_SUM, pages, 3 * PAGE, 0).value == 3 * 5000);
    VirtualProtect(pages + PAGE, PAGE, PAGE_READONLY, &old);
    VirtualProtect(pages + 2 * PAGE, PAGE, PAGE_NOACCESS, &old);
    CHECK(ask(adapter, SERVING_FILL, pages + PAGE - 1, 2, 9).status == NT_ACCESS_VIOLATION);
    CHECK(pages[PAGE - 1] == 3);
    CHECK(ask(adapter, SERVING_SUM, pages + PAGE - 1, 2, 0).value == 6);
    CHECK(ask(adapter, SERVING_SUM, pages + 2 * PAGE - 1, 2, 0).status == NT_ACCESS_VIOLATION);
    CHECK(ask(adapter, SERVING_SUM, NULL, 8, 0).status == NT_ACCESS_VIOLATION);
    VirtualFree(pages, 0, MEM_RELEASE);
    CHECK(ask(adapter, SERVING_SUM, pages, 8, 0).status == NT_ACCESS_VIOLATION);
    CHECK(ask(adapter, SERVING_SUM, (void *)0xFFFF800000000000, 8, 0).status == NT_ACCESS_VIOLATION);
    CloseHandle(adapter);
}

static void command_close(void)
{
    HANDLE other = open_adapter();
    HANDLE adapter = open_adapter();
    OVERLAPPED at;

    ask(adapter, SERVING_MAP, NULL, 0, 0);
    begin_wait(adapter, &at);
    wait_for(other, 0, 1);
    CloseHandle(adapter);
    printf("close: %lu ms\n", wait_for(other, 1, 0));
    CHECK(WaitForSingleObject(at.hEvent, PROMPT_MS) == WAIT_OBJECT_0);
    CloseHandle(other);
}

static void command_hold(void)
{
    HANDLE adapter = open_adapter();
    OVERLAPPED at;

    ask(adapter, SERVING_MAP, NULL, 0, 0);
    begin_wait(adapter, &at);
    begin_wait(adapter, &at);
    Sleep(INFINITE);
}

static void command_die(void)
{
    HANDLE other = open_adapter();
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    char line[MAX_PATH + 8];
    char self[MAX_PATH];

    GetModuleFileNameA(NULL, self, sizeof(self));
    snprintf(line, sizeof(line), "\"%s\" hold", self);
    CHECK(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process));
    wait_for(other, 0, 2);
    CHECK(TerminateProcess(process.hProcess, 9));
    printf("die: %lu ms\n", wait_for(other, 1, 0));
    CHECK(WaitForSingleObject(process.hProcess, PROMPT_MS) == WAIT_OBJECT_0);
    CloseHandle(other);
}

static void command_watch(void)
{
    HANDLE other = open_adapter();

    wait_for(other, 0, 2);
    printf("ready\n");
    printf("watch: %lu ms\n", wait_for(other, 1, 0));
    CloseHandle(other);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } commands[] = {
        {"map", command_map},   {"lock", command_lock}, {"close", command_close},
        {"hold", command_hold}, {"die", command_die},   {"watch", command_watch},
    };

    setvbuf(stdout, NULL, _IONBF, 0);
    for (unsigned i = 0; argc == 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            commands[i].run();
            return failures != 0;
        }
    }
    return 2;
}
