/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sends the adapter every control command with every input length from nothing to beyond its size, and every output
 * length likewise, with random content. Each call must end soon, must not write beyond the output buffer, must be
 * refused when it is too short, and the adapter must still answer afterwards.
 */
#include "arguments.h"
#include "pattern.h"

#include <stdio.h>
#include <string.h>

#include <windows.h>
#include <initguid.h>
#include <setupapi.h>

DEFINE_GUID(ADAPTER, 0x949dd17c, 0xb06c, 0x4c14, 0x8e, 0x13, 0xf1, 0xa3, 0xa4, 0xa6, 0xdb, 0xcb);

#define SERVICE_IRP  0x4D038u /* IOCTL_MINIPORT_PROCESS_SERVICE_IRP */
#define CALL_MS      15000u
#define BUFFER_BYTES 8192u
#define CANARY       0xC5
#define EXTRA_BYTES  64u
#define ERRORS_MAX   32
#define CODE_PING    1
#define CODE_CREATE  2
#define CODE_LAST    37 /* two beyond the last one */
#define NAME_OFFSET  4  /* of the commands that start with an instance name */
#define FLAGS_OFFSET (8 + 528)
#define USE_NBD      0x20u
#define HOST_OFFSET  (8 + 556)
#define PORT_OFFSET  (HOST_OFFSET + 256)
#define PORT_REFUSED 1u

/* The size of each command's input and output, from the interface description; an unknown command has none. */
static const struct {
    DWORD input;
    DWORD output;
} sizes[CODE_LAST + 1] = {
    [1] = {4, 0},      [2] = {1408, 2032}, [3] = {376, 0},  [4] = {128, 64},    [5] = {144, 0},
    [6] = {4, 2040},   [7] = {292, 192},   [8] = {4, 0},    [9] = {4, 396},     [10] = {292, 2032},
    [11] = {552, 584}, [12] = {1144, 0},   [13] = {552, 0}, [14] = {40, 1376},  [15] = {56, 0},
    [32] = {48, 0},    [33] = {48, 0},     [34] = {32, 64}, [35] = {292, 2544},
};

struct probe {
    HANDLE adapter;
    HANDLE event;
    uint64_t random;
    const char *name; /* a mapped disk, NULL: none */
    unsigned char input[BUFFER_BYTES];
    unsigned char output[BUFFER_BYTES];
    uint64_t calls;
    unsigned faults;
    struct {
        DWORD error;
        unsigned times;
    } seen[ERRORS_MAX]; /* of the command that is being probed */
};

static HANDLE open_adapter(void)
{
    union {
        SP_DEVICE_INTERFACE_DETAIL_DATA_W detail;
        unsigned char bytes[2048];
    } answer;
    SP_DEVICE_INTERFACE_DATA interface_data = {.cbSize = sizeof(interface_data)};
    HDEVINFO set = SetupDiGetClassDevsW(&ADAPTER, NULL, NULL, DIGCF_PRESENT | DIGCF_DEVICEINTERFACE);
    HANDLE adapter;

    answer.detail.cbSize = sizeof(answer.detail);
    if (set == INVALID_HANDLE_VALUE || !SetupDiEnumDeviceInterfaces(set, NULL, &ADAPTER, 0, &interface_data) ||
        !SetupDiGetDeviceInterfaceDetailW(set, &interface_data, &answer.detail, sizeof(answer), NULL, NULL))
        die(EXIT_CODE_FAIL, "no adapter: error %lu", GetLastError());
    adapter = CreateFileW(answer.detail.DevicePath, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                          NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (adapter == INVALID_HANDLE_VALUE)
        die(EXIT_CODE_FAIL, "cannot open the adapter: error %lu", GetLastError());
    SetupDiDestroyDeviceInfoList(set);
    return adapter;
}

static void fault(struct probe *probe, ULONG code, DWORD in_length, DWORD out_length, const char *what)
{
    printf("FAULT: command %lu, %lu bytes in, %lu bytes out: %s\n", code, in_length, out_length, what);
    probe->faults++;
}

static void count_error(struct probe *probe, DWORD error)
{
    for (int i = 0; i < ERRORS_MAX; i++) {
        if (probe->seen[i].times != 0 && probe->seen[i].error != error)
            continue;
        probe->seen[i].error = error;
        probe->seen[i].times++;
        return;
    }
}

/* Sends what is in probe->input; the Win32 error. Empty buffers are NULL. */
static DWORD call(struct probe *probe, DWORD in_length, DWORD out_length, DWORD *returned)
{
    OVERLAPPED overlapped = {.hEvent = probe->event};
    DWORD error = ERROR_SUCCESS;

    *returned = 0;
    probe->calls++;
    memset(probe->output, CANARY, sizeof(probe->output));
    ResetEvent(probe->event);
    if (!DeviceIoControl(probe->adapter, SERVICE_IRP, in_length ? probe->input : NULL, in_length,
                         out_length ? probe->output : NULL, out_length, NULL, &overlapped))
        error = GetLastError();
    if (error != ERROR_SUCCESS && error != ERROR_IO_PENDING)
        return error;
    if (WaitForSingleObject(probe->event, CALL_MS) != WAIT_OBJECT_0) {
        CancelIoEx(probe->adapter, &overlapped);
        if (WaitForSingleObject(probe->event, CALL_MS) != WAIT_OBJECT_0)
            die(EXIT_CODE_FAIL, "a command ended neither by itself nor when it was cancelled");
        return WAIT_TIMEOUT;
    }
    return GetOverlappedResult(probe->adapter, &overlapped, returned, FALSE) ? ERROR_SUCCESS : GetLastError();
}

/*
 * Random content for a command. A create never leaves this machine: it names either no NBD server or one that refuses.
 */
static void fill(struct probe *probe, ULONG code)
{
    for (DWORD i = 0; i < BUFFER_BYTES; i += 8) {
        uint64_t word = random_next(&probe->random);

        memcpy(probe->input + i, &word, sizeof(word));
    }
    memcpy(probe->input, &code, sizeof(code));
    if (code != CODE_CREATE)
        return;
    if (random_next(&probe->random) % 8 == 0) {
        DWORD port = PORT_REFUSED;

        probe->input[FLAGS_OFFSET] |= USE_NBD;
        strcpy((char *)probe->input + HOST_OFFSET, "127.0.0.1");
        memcpy(probe->input + PORT_OFFSET, &port, sizeof(port));
    } else {
        probe->input[FLAGS_OFFSET] &= (unsigned char)~USE_NBD;
    }
}

static void fill_name(struct probe *probe, ULONG code)
{
    memset(probe->input, 0, sizeof(probe->input));
    memcpy(probe->input, &code, sizeof(code));
    if (probe->name)
        strncpy((char *)probe->input + NAME_OFFSET, probe->name, 255);
}

static void one(struct probe *probe, ULONG code, DWORD in_length, DWORD out_length)
{
    DWORD returned;
    DWORD error = call(probe, in_length, out_length, &returned);

    count_error(probe, error);
    if (error == WAIT_TIMEOUT)
        fault(probe, code, in_length, out_length, "did not end");
    if (error == ERROR_SUCCESS && in_length < (sizes[code].input ? sizes[code].input : sizeof(ULONG)))
        fault(probe, code, in_length, out_length, "succeeded though it is too short");
    if (returned > out_length)
        fault(probe, code, in_length, out_length, "returned more than the buffer holds");
    for (DWORD i = out_length; i < sizeof(probe->output); i++) {
        if (probe->output[i] != CANARY) {
            fault(probe, code, in_length, out_length, "wrote beyond the output buffer");
            break;
        }
    }
}

static void probe_inputs(struct probe *probe, ULONG code)
{
    DWORD output = sizes[code].output;
    const DWORD outputs[] = {0, 1, output ? output - 1 : 4, output, output + EXTRA_BYTES, 2544, 4096};

    for (DWORD length = 0; length <= sizes[code].input + EXTRA_BYTES; length++) {
        fill(probe, code);
        one(probe, code, length, outputs[random_next(&probe->random) % (sizeof(outputs) / sizeof(outputs[0]))]);
    }
}

/* Right input, every output length. Commands that change something are left to probe_inputs(). */
static void probe_outputs(struct probe *probe, ULONG code)
{
    bool is_query = code == 6 || code == 7 || code == 9 || code == 10;

    for (DWORD length = 0; is_query && length <= sizes[code].output + EXTRA_BYTES; length++) {
        fill_name(probe, code);
        one(probe, code, sizes[code].input, length);
    }
}

static void check_alive(struct probe *probe, ULONG after)
{
    DWORD returned;
    DWORD error;

    fill_name(probe, CODE_PING);
    error = call(probe, sizes[CODE_PING].input, 0, &returned);
    if (error != ERROR_SUCCESS)
        fault(probe, after, error, 0, "the adapter does not answer a ping afterwards (the error is given as bytes in)");
}

static void print_errors(const struct probe *probe, ULONG code)
{
    printf("command %lu:", code);
    for (int i = 0; i < ERRORS_MAX && probe->seen[i].times != 0; i++)
        printf(" %lux%u", probe->seen[i].error, probe->seen[i].times);
    puts("");
}

/* ioctlprobe [--seed S] [--name DISK]: one line a command, `error x times` each, then the totals. */
int main(int argc, char **argv)
{
    static struct probe probe;
    struct arguments arguments;

    arguments_take(&arguments, argc, argv);
    probe.random = arguments_number(&arguments, "--seed", 1);
    probe.name = arguments_text(&arguments, "--name", NULL);
    arguments_check_all_used(&arguments);
    probe.adapter = open_adapter();
    probe.event = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (ULONG code = 0; code <= CODE_LAST; code++) {
        memset(probe.seen, 0, sizeof(probe.seen));
        probe_inputs(&probe, code);
        probe_outputs(&probe, code);
        print_errors(&probe, code);
        check_alive(&probe, code);
    }
    printf("%llu calls, %u faults\n", (unsigned long long)probe.calls, probe.faults);
    CloseHandle(probe.event);
    CloseHandle(probe.adapter);
    return probe.faults ? EXIT_CODE_FAIL : 0;
}
