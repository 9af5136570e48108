/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drives a disk of the bed for test_bed.py: bedtest COMMAND N [ARGUMENTS], with N of \\.\PhysicalDriveN. It waits up to
 * a minute for the disk. Prints what it finds; exit code 0 when all went well, 1 otherwise.
 *
 *   info N               geometry, length, number, address, properties
 *   rw N                 writes and reads back patterns of many lengths and offsets, with and without write-through
 *   queue N              the same with many overlapped requests from four threads
 *   edges N              what must fail fails with the documented error
 *   read N OFFSET BYTES  one read; prints its error number
 *   write N OFFSET BYTES one write; prints its error number
 *   flush N              FlushFileBuffers; prints its error number
 *   pass N               SCSI pass-through, both forms
 *   trim N               TRIM of a range
 *   absent N             the disk must not be there
 *   remove N             query-and-remove through \\.\BedControl; prints the verdict
 *   inject KIND N        an injection (a number of control.h, or NUMBER:COUNT) for disk N, or for its adapter with
 *                        `inject-adapter`
 *   remove-open N        the same with a handle open, which must be vetoed
 *   cycle-adapter N      disables and enables the adapter of disk N through \\.\BedControl
 *   adapter disable      the same with the first adapter, in two steps; `adapter enable` is the second
 *   notified N           the same, and which notifications of CM_Register_Notification came
 *   service              one service request to \\.\Scsi0:; prints its error number (wrong.c)
 *   list                 what BedControl lists
 *   violations           what BedControl counted
 */
#include "tests/bed/bedtest.h"

int failures;

void fail(const char *what)
{
    printf("FAILED: %s (error %lu)\n", what, GetLastError());
    failures++;
}

HANDLE open_disk(const char *number, DWORD flags)
{
    char name[64];
    HANDLE disk = INVALID_HANDLE_VALUE;

    snprintf(name, sizeof(name), "\\\\.\\PhysicalDrive%s", number);
    for (int i = 0; i < 1200 && disk == INVALID_HANDLE_VALUE; i++) {
        if (i != 0) {
            Sleep(50);
        }
        disk = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                           flags, NULL);
    }
    if (disk == INVALID_HANDLE_VALUE) {
        printf("no disk %s: error %lu\n", number, GetLastError());
        exit(1);
    }
    return disk;
}

/* A transfer on a synchronous or overlapped handle; the error number, 0 for success with all bytes moved. */
DWORD transfer(HANDLE disk, BOOL write, ULONGLONG offset, void *data, DWORD length)
{
    OVERLAPPED at = {0};
    DWORD moved = 0;
    DWORD error = 0;

    at.Offset = (DWORD)offset;
    at.OffsetHigh = (DWORD)(offset >> 32);
    at.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (!(write ? WriteFile(disk, data, length, &moved, &at) : ReadFile(disk, data, length, &moved, &at))) {
        error = GetLastError();
        if (error == ERROR_IO_PENDING) {
            error = GetOverlappedResult(disk, &at, &moved, TRUE) ? 0 : GetLastError();
        }
    }
    CloseHandle(at.hEvent);
    return error == 0 && moved != length ? ERROR_READ_FAULT : error;
}

DWORD control(HANDLE disk, DWORD code, void *in, DWORD in_length, void *out, DWORD out_length, DWORD *got)
{
    return DeviceIoControl(disk, code, in, in_length, out, out_length, got, NULL) ? 0 : GetLastError();
}

struct command {
    const char *name;
    void (*run)(const char *number);
};

static const struct command disk_commands[] = {
    {"info", command_info},         {"rw", command_rw},         {"queue", command_queue},
    {"edges", command_edges},       {"flush", command_flush},   {"pass", command_pass},
    {"trim", command_trim},         {"absent", command_absent}, {"cycle-adapter", command_cycle_adapter},
    {"notified", command_notified},
};

static BOOL run_disk_command(const char *name, const char *number)
{
    for (unsigned i = 0; i < sizeof(disk_commands) / sizeof(disk_commands[0]); i++) {
        if (strcmp(disk_commands[i].name, name) == 0) {
            disk_commands[i].run(number);
            return TRUE;
        }
    }
    return FALSE;
}

static void run(const char *name, char **arguments, int count)
{
    if (strcmp(name, "list") == 0) {
        command_list();
    } else if (strcmp(name, "violations") == 0) {
        command_violations();
    } else if (strcmp(name, "counts") == 0) {
        command_counts();
    } else if (strcmp(name, "service") == 0) {
        command_service();
    } else if (count == 2 && strncmp(name, "inject", 6) == 0) {
        command_inject(arguments[0], arguments[1], strcmp(name, "inject-adapter") == 0);
    } else if (count == 3 && (strcmp(name, "read") == 0 || strcmp(name, "write") == 0)) {
        command_one(arguments[0], name[0] == 'w', arguments[1], arguments[2]);
    } else if (count == 1 && strcmp(name, "adapter") == 0) {
        command_adapter(strcmp(arguments[0], "enable") == 0);
    } else if (count == 1 && strcmp(name, "counters") == 0) {
        command_counters(arguments[0]);
    } else if (count == 1 && strncmp(name, "remove", 6) == 0) {
        command_remove(arguments[0], strcmp(name, "remove-open") == 0);
    } else if (count != 1 || !run_disk_command(name, arguments[0])) {
        printf("FAILED: unknown command %s\n", name);
        failures++;
    }
}

/* Several commands may follow one another, separated by commas that stand alone. */
int main(int argc, char **argv)
{
    int at = 1;

    setvbuf(stdout, NULL, _IONBF, 0);
    while (at < argc) {
        int end = at + 1;

        while (end < argc && strcmp(argv[end], ",") != 0) {
            end++;
        }
        run(argv[at], argv + at + 1, end - at - 1);
        at = end + 1;
    }
    return failures != 0 || argc < 2;
}
