// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * loader NAME: serves a disk in memory with libwnbd.dll as it is found by name, as programs do that were built long
 * ago: nothing is linked, the headers give types and sizes alone. Lines: `version MAJOR.MINOR`, `created`, `mapped
 * NUMBER`, `ended ERROR`. Ends with its stdin.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <wnbd.h>

namespace
{

template <typename Function> Function *load(HMODULE library, const char *name)
{
    FARPROC function = GetProcAddress(library, name);
    Function *result;

    if (!function) {
        std::printf("missing %s\n", name);
        std::exit(1);
    }
    std::memcpy(&result, &function, sizeof(result));
    return result;
}

#define LOAD(library, name) load<decltype(name)>(library, #name)

struct Library {
    explicit Library(HMODULE module)
        : version(LOAD(module, WnbdGetLibVersion)), create(LOAD(module, WnbdCreate)),
          start(LOAD(module, WnbdStartDispatcher)), stop(LOAD(module, WnbdStopDispatcher)),
          wait(LOAD(module, WnbdWaitDispatcher)), close(LOAD(module, WnbdClose)), send(LOAD(module, WnbdSendResponse)),
          sense(LOAD(module, WnbdSetSense)), context(LOAD(module, WnbdGetUserContext)),
          poll(LOAD(module, WnbdPollDiskNumber))
    {
    }

    decltype(WnbdGetLibVersion) *version;
    decltype(WnbdCreate) *create;
    decltype(WnbdStartDispatcher) *start;
    decltype(WnbdStopDispatcher) *stop;
    decltype(WnbdWaitDispatcher) *wait;
    decltype(WnbdClose) *close;
    decltype(WnbdSendResponse) *send;
    decltype(WnbdSetSense) *sense;
    decltype(WnbdGetUserContext) *context;
    decltype(WnbdPollDiskNumber) *poll;
};

constexpr UINT32 kBlockSize = 512;
constexpr UINT64 kBlockCount = 65536;

struct Disk {
    const Library *library;
    unsigned char *memory;
};

Library *library;

Disk *disk_of(PWNBD_DISK disk)
{
    PVOID context = nullptr;

    library->context(disk, &context);
    return static_cast<Disk *>(context);
}

void answer(PWNBD_DISK disk, UINT64 handle, WnbdRequestType type, bool in_range, PVOID data, UINT32 length)
{
    WNBD_IO_RESPONSE response = {};

    response.RequestHandle = handle;
    response.RequestType = type;
    if (!in_range)
        library->sense(&response.Status, 5, 0x21);
    library->send(disk, &response, in_range ? data : nullptr, in_range ? length : 0);
}

bool is_in_range(PWNBD_DISK disk, UINT64 address, UINT32 count)
{
    return address + count <= disk->Properties.BlockCount;
}

VOID read_blocks(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 address, UINT32 count, BOOLEAN)
{
    bool in_range = is_in_range(disk, address, count);

    if (in_range)
        std::memcpy(buffer, disk_of(disk)->memory + address * kBlockSize, count * kBlockSize);
    answer(disk, handle, WnbdReqTypeRead, in_range, buffer, count * kBlockSize);
}

VOID write_blocks(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 address, UINT32 count, BOOLEAN)
{
    bool in_range = is_in_range(disk, address, count);

    if (in_range)
        std::memcpy(disk_of(disk)->memory + address * kBlockSize, buffer, count * kBlockSize);
    answer(disk, handle, WnbdReqTypeWrite, in_range, nullptr, 0);
}

VOID flush_blocks(PWNBD_DISK disk, UINT64 handle, UINT64, UINT32)
{
    answer(disk, handle, WnbdReqTypeFlush, true, nullptr, 0);
}

VOID unmap_blocks(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR descriptors, UINT32 count)
{
    bool in_range = count == 1 && is_in_range(disk, descriptors[0].BlockAddress, descriptors[0].BlockCount);

    if (in_range)
        std::memset(disk_of(disk)->memory + descriptors[0].BlockAddress * kBlockSize, 0,
                    descriptors[0].BlockCount * kBlockSize);
    answer(disk, handle, WnbdReqTypeUnmap, in_range, nullptr, 0);
}

const WNBD_INTERFACE callbacks = {read_blocks, write_blocks, flush_blocks, unmap_blocks, nullptr, nullptr, {nullptr}};

int fail(const char *what, DWORD error)
{
    std::printf("failed %s %lu\n", what, error);
    return 1;
}

void say_version()
{
    WNBD_VERSION version = {};

    library->version(&version);
    std::printf("version %u.%u\n", static_cast<unsigned>(version.Major), static_cast<unsigned>(version.Minor));
}

DWORD WINAPI stop_with_stdin(PVOID parameter)
{
    char line[64];

    while (std::fgets(line, sizeof(line), stdin)) {
    }
    library->stop(static_cast<PWNBD_DISK>(parameter), nullptr);
    return 0;
}

int serve(PWNBD_DISK disk, const char *name)
{
    HANDLE stopper;
    DWORD number = 0;
    DWORD error = library->start(disk, 4);

    if (error != ERROR_SUCCESS)
        return fail("start", error);
    error = library->poll(name, TRUE, TRUE, 30000, 100, &number);
    if (error != ERROR_SUCCESS)
        return fail("poll", error);
    std::printf("mapped %lu\n", number);
    std::fflush(stdout);
    stopper = CreateThread(nullptr, 0, stop_with_stdin, disk, 0, nullptr);
    error = library->wait(disk);
    WaitForSingleObject(stopper, INFINITE);
    CloseHandle(stopper);
    std::printf("ended %lu\n", error);
    return error == ERROR_SUCCESS ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    HMODULE module = LoadLibraryA("libwnbd.dll");
    WNBD_PROPERTIES properties = {};
    WNBD_INTERFACE interface_of_disk = callbacks;
    Disk context;
    PWNBD_DISK disk;
    DWORD error;

    if (argc != 2 || !module)
        return fail("load", argc == 2 ? GetLastError() : ERROR_INVALID_PARAMETER);
    Library loaded(module);
    library = &loaded;
    context.library = library;
    context.memory = static_cast<unsigned char *>(std::calloc(kBlockCount, kBlockSize));
    std::strncpy(properties.InstanceName, argv[1], sizeof(properties.InstanceName) - 1);
    properties.BlockCount = kBlockCount;
    properties.BlockSize = kBlockSize;
    properties.MaxUnmapDescCount = 1;
    properties.Flags.UnmapSupported = 1;
    properties.Flags.FlushSupported = 1;
    say_version();
    error = library->create(&properties, &interface_of_disk, &context, &disk);
    if (error != ERROR_SUCCESS)
        return fail("create", error);
    std::printf("created\n");
    error = static_cast<DWORD>(serve(disk, argv[1]));
    library->close(disk);
    return static_cast<int>(error);
}
