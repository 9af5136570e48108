// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * existing_cpp NAME: a disk in memory, of a program in C++ that knows WNBD 0.7.0 and nothing newer. It answers within
 * its callbacks, reads of what was never written without any data, and keeps a persistent reservation. With the end of
 * stdin it removes the disk. Lines: `option VALUE of COUNT`, `mapped NUMBER`, `removed ERROR`, `ended ERROR`, `totals
 * REQUESTS DRIVER'S-REPLIES`, `log MESSAGE`.
 */
#include <wnbd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace
{

constexpr UINT32 kBlockSize = 512;
constexpr UINT64 kBlocks = 65536;
constexpr UINT8 kIllegalRequest = 0x05;
constexpr UINT8 kOutOfRange = 0x21;

using Block = std::vector<unsigned char>;

class Guard
{
  public:
    explicit Guard(SRWLOCK &lock) : lock_(lock)
    {
        AcquireSRWLockExclusive(&lock_);
    }
    ~Guard()
    {
        ReleaseSRWLockExclusive(&lock_);
    }
    Guard(const Guard &) = delete;
    Guard &operator=(const Guard &) = delete;

  private:
    SRWLOCK &lock_;
};

class Reply
{
  public:
    Reply(PWNBD_DISK disk, UINT64 handle, WnbdRequestType type) : disk_(disk)
    {
        response_.RequestHandle = handle;
        response_.RequestType = type;
    }
    void send(PVOID data = nullptr, UINT32 length = 0)
    {
        WnbdSendResponse(disk_, &response_, data, length);
    }
    void refuse(UINT64 block)
    {
        WnbdSetSenseEx(&response_.Status, kIllegalRequest, kOutOfRange, block);
        send();
    }

  private:
    PWNBD_DISK disk_;
    WNBD_IO_RESPONSE response_ = {};
};

// Of blocks, those that were written. Its callbacks run in several threads.
class Store
{
  public:
    bool read(UINT64 block, UINT32 count, unsigned char *data);
    void write(UINT64 block, UINT32 count, const unsigned char *data);
    void unmap(UINT64 block, UINT32 count);
    static bool has(PWNBD_DISK disk, UINT64 block, UINT32 count)
    {
        return block + count <= disk->Properties.BlockCount;
    }
    static Store &of(PWNBD_DISK disk)
    {
        PVOID context = nullptr;

        WnbdGetUserContext(disk, &context);
        return *static_cast<Store *>(context);
    }

    Block parameters = Block(24); // of the last PERSISTENT RESERVE OUT

  private:
    SRWLOCK lock_ = SRWLOCK_INIT;
    std::map<UINT64, Block> blocks_;
};

// false: none of them was ever written
bool Store::read(UINT64 block, UINT32 count, unsigned char *data)
{
    Guard guard(lock_);
    auto found = blocks_.lower_bound(block);
    bool any = false;

    std::memset(data, 0, count * kBlockSize);
    for (; found != blocks_.end() && found->first < block + count; ++found, any = true)
        std::memcpy(data + (found->first - block) * kBlockSize, found->second.data(), kBlockSize);
    return any;
}

void Store::write(UINT64 block, UINT32 count, const unsigned char *data)
{
    Guard guard(lock_);

    for (UINT32 i = 0; i < count; i++, data += kBlockSize)
        blocks_[block + i].assign(data, data + kBlockSize);
}

void Store::unmap(UINT64 block, UINT32 count)
{
    Guard guard(lock_);

    blocks_.erase(blocks_.lower_bound(block), blocks_.lower_bound(block + count));
}

VOID on_read(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 block, UINT32 count, BOOLEAN)
{
    Reply reply(disk, handle, WnbdReqTypeRead);

    if (!Store::has(disk, block, count))
        reply.refuse(block);
    else if (Store::of(disk).read(block, count, static_cast<unsigned char *>(buffer)))
        reply.send(buffer, count * kBlockSize);
    else
        reply.send();
}

VOID on_write(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 block, UINT32 count, BOOLEAN)
{
    Reply reply(disk, handle, WnbdReqTypeWrite);

    if (!Store::has(disk, block, count))
        return reply.refuse(block);
    Store::of(disk).write(block, count, static_cast<unsigned char *>(buffer));
    reply.send();
}

VOID on_flush(PWNBD_DISK disk, UINT64 handle, UINT64, UINT32)
{
    Reply(disk, handle, WnbdReqTypeFlush).send();
}

VOID on_unmap(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR descriptors, UINT32 count)
{
    for (UINT32 i = 0; i < count; i++)
        Store::of(disk).unmap(descriptors[i].BlockAddress, descriptors[i].BlockCount);
    Reply(disk, handle, WnbdReqTypeUnmap).send();
}

VOID on_reserve_in(PWNBD_DISK disk, UINT64 handle, UINT8)
{
    Block &parameters = Store::of(disk).parameters;

    Reply(disk, handle, WnbdReqTypePersistResIn).send(parameters.data(), static_cast<UINT32>(parameters.size()));
}

VOID on_reserve_out(PWNBD_DISK disk, UINT64 handle, UINT8, UINT8, UINT8, PVOID buffer, UINT32 length)
{
    const unsigned char *bytes = static_cast<unsigned char *>(buffer);

    Store::of(disk).parameters.assign(bytes, bytes + length);
    Reply(disk, handle, WnbdReqTypePersistResOut).send();
}

VOID on_log(WnbdLogLevel level, const char *message, const char *, UINT32, const char *)
{
    std::printf("log %s %s\n", WnbdLogLevelToStr(level), message);
}

WNBD_INTERFACE callbacks = {on_read, on_write, on_flush, on_unmap, on_reserve_in, on_reserve_out, {}};

WNBD_PROPERTIES properties_of(const std::string &name)
{
    WNBD_PROPERTIES properties = {};

    std::strncpy(properties.InstanceName, name.c_str(), sizeof(properties.InstanceName) - 1);
    std::strncpy(properties.SerialNumber, "serial", sizeof(properties.SerialNumber) - 1);
    properties.BlockCount = kBlocks;
    properties.BlockSize = kBlockSize;
    properties.MaxUnmapDescCount = 1;
    properties.Flags.FlushSupported = properties.Flags.UnmapSupported = properties.Flags.PersistResSupported = 1;
    return properties;
}

void say_options()
{
    WNBD_OPTION_VALUE value = {WnbdOptInt64, {}, {}};
    std::vector<unsigned char> list;
    DWORD size = 0;

    WnbdGetDrvOpt("MaxIOReqPerLun", &value, FALSE);
    while (WnbdListDrvOpt(reinterpret_cast<PWNBD_OPTION_LIST>(list.data()), &size, FALSE) == ERROR_SUCCESS &&
           size > list.size())
        list.resize(size);
    std::printf("option %lld of %u\n", static_cast<long long>(value.Data.AsInt64),
                static_cast<unsigned>(reinterpret_cast<PWNBD_OPTION_LIST>(list.data())->Count));
}

DWORD WINAPI remove_with_stdin(PVOID name)
{
    WNBD_REMOVE_OPTIONS options = {};
    char line[64];

    while (std::fgets(line, sizeof(line), stdin)) {
    }
    options.Flags.HardRemoveFallback = 1;
    options.SoftRemoveTimeoutMs = WNBD_DEFAULT_RM_TIMEOUT_MS;
    options.SoftRemoveRetryIntervalMs = 100;
    std::printf("removed %lu\n", WnbdRemoveEx(static_cast<const std::string *>(name)->c_str(), &options));
    return 0;
}

void say_totals(PWNBD_DISK disk, const std::string &name)
{
    WNBD_USR_STATS stats = {};
    WNBD_DRV_STATS driver = {};

    WnbdGetUserspaceStats(disk, &stats);
    WnbdGetDriverStats(name.c_str(), &driver);
    std::printf("totals %llu %lld\n", static_cast<unsigned long long>(stats.TotalReceivedRequests),
                static_cast<long long>(driver.TotalReceivedIOReplies));
}

DWORD serve(PWNBD_DISK disk, std::string name)
{
    DWORD number = 0;
    DWORD error = WnbdStartDispatcher(disk, 2);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdPollDiskNumber(name.c_str(), TRUE, TRUE, 30000, 100, &number);
    say_totals(disk, name);
    std::printf("mapped %lu %lu\n", number, error);
    std::fflush(stdout);
    HANDLE remover = CreateThread(nullptr, 0, remove_with_stdin, &name, 0, nullptr);
    error = WnbdWaitDispatcher(disk);
    WaitForSingleObject(remover, INFINITE);
    CloseHandle(remover);
    std::printf("ended %lu\n", error);
    return error;
}

} // namespace

int main(int argc, char **argv)
{
    const std::string name = argc == 2 ? argv[1] : "";
    WNBD_PROPERTIES properties = properties_of(name);
    PWNBD_DISK disk = nullptr;
    Store store;

    WnbdSetLogger(on_log);
    WnbdSetLogLevel(WnbdLogLevelWarning);
    say_options();
    DWORD error = WnbdCreate(&properties, &callbacks, &store, &disk);
    if (error == ERROR_SUCCESS)
        error = serve(disk, name);
    WnbdClose(disk);
    return static_cast<int>(error);
}
