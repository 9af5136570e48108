/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/wsk/env.h"
#include "bed/wsk/net.h"

/* Linux, x86-64 */
enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_CLOSE = 3,
    SYS_POLL = 7,
    SYS_SOCKET = 41,
    SYS_CONNECT = 42,
    SYS_SENDMSG = 46,
    SYS_RECVMSG = 47,
    SYS_SHUTDOWN = 48,
    SYS_BIND = 49,
    SYS_GETSOCKNAME = 51,
    SYS_GETPEERNAME = 52,
    SYS_SETSOCKOPT = 54,
    SYS_GETSOCKOPT = 55,
    SYS_EVENTFD2 = 290,
};

#define LINUX_AF_INET6      10
#define LINUX_SOCK_FLAGS    (1 | 0x800 | 0x80000) /* SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC */
#define LINUX_EVENTFD_FLAGS (0x800 | 0x80000)
#define LINUX_MSG_NOSIGNAL  0x4000
#define LINUX_POLLIN        1
#define LINUX_POLLOUT       4
#define LINUX_SHUT_WR       1
#define LINUX_SOL_SOCKET    1
#define LINUX_SO_ERROR      4
#define LINUX_EINTR         4
#define LINUX_EAGAIN        11
#define LINUX_EALREADY      114
#define LINUX_EINPROGRESS   115

struct linux_message {
    void *name;
    uint32_t name_length;
    const struct net_part *parts; /* struct iovec has the same form */
    size_t count;
    void *control;
    size_t control_length;
    int flags;
};

struct linux_poll {
    int fd;
    short events;
    short returned;
};

static int64_t call5(int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

static int64_t call3(int64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    return call5(number, a, b, c, 0, 0);
}

static const struct {
    int error;
    NTSTATUS status;
} errors[] = {
    {LINUX_EAGAIN, NET_AGAIN},   {LINUX_EINPROGRESS, NET_AGAIN},
    {LINUX_EALREADY, NET_AGAIN}, {106, STATUS_SUCCESS}, /* EISCONN: what was under way has worked */
    {111, (NTSTATUS)0xC0000236},                        /* ECONNREFUSED, STATUS_CONNECTION_REFUSED */
    {101, (NTSTATUS)0xC000023C},                        /* ENETUNREACH, STATUS_NETWORK_UNREACHABLE */
    {113, (NTSTATUS)0xC000023D},                        /* EHOSTUNREACH, STATUS_HOST_UNREACHABLE */
    {110, (NTSTATUS)0xC00000B5},                        /* ETIMEDOUT, STATUS_IO_TIMEOUT */
    {104, (NTSTATUS)0xC000020D},                        /* ECONNRESET, STATUS_CONNECTION_RESET */
    {32, (NTSTATUS)0xC000020D},                         /* EPIPE */
    {103, (NTSTATUS)0xC0000241},                        /* ECONNABORTED, STATUS_CONNECTION_ABORTED */
    {107, (NTSTATUS)0xC0000140},                        /* ENOTCONN, STATUS_INVALID_CONNECTION */
    {98, (NTSTATUS)0xC000020A},                         /* EADDRINUSE, STATUS_ADDRESS_ALREADY_EXISTS */
    {99, (NTSTATUS)0xC0000207},                         /* EADDRNOTAVAIL, STATUS_INVALID_ADDRESS_COMPONENT */
    {97, (NTSTATUS)0xC00000BB},                         /* EAFNOSUPPORT, STATUS_NOT_SUPPORTED */
    {12, (NTSTATUS)0xC000009A},                         /* ENOMEM, STATUS_INSUFFICIENT_RESOURCES */
    {105, (NTSTATUS)0xC000009A},                        /* ENOBUFS */
    {13, (NTSTATUS)0xC0000022},                         /* EACCES, STATUS_ACCESS_DENIED */
    {22, (NTSTATUS)0xC000000D},                         /* EINVAL, STATUS_INVALID_PARAMETER */
};

static NTSTATUS status_of(int64_t result)
{
    if (result >= 0) {
        return STATUS_SUCCESS;
    }
    for (unsigned i = 0; i < ARRAYSIZE(errors); i++) {
        if (errors[i].error == -result) {
            return errors[i].status;
        }
    }
    return STATUS_UNSUCCESSFUL;
}

NTSTATUS net_open(ADDRESS_FAMILY family, int *fd)
{
    int64_t result = call3(SYS_SOCKET, family == AF_INET6 ? LINUX_AF_INET6 : family, LINUX_SOCK_FLAGS, IPPROTO_TCP);

    *fd = (int)result;
    return status_of(result);
}

void net_close(int fd)
{
    call3(SYS_CLOSE, (uint64_t)fd, 0, 0);
}

/* The address in Linux' form; answers its length. */
static size_t to_linux(const SOCKADDR *address, SOCKADDR_IN6 *out)
{
    size_t length = address->sa_family == AF_INET6 ? sizeof(SOCKADDR_IN6) : sizeof(SOCKADDR_IN);

    memcpy(out, address, length);
    if (address->sa_family == AF_INET6) {
        out->sin6_family = LINUX_AF_INET6;
    }
    return length;
}

static int64_t with_address(int64_t number, int fd, const SOCKADDR *address)
{
    SOCKADDR_IN6 linux_address;
    size_t length = to_linux(address, &linux_address);

    return call3(number, (uint64_t)fd, (uintptr_t)&linux_address, length);
}

NTSTATUS net_bind(int fd, const SOCKADDR *address)
{
    return status_of(with_address(SYS_BIND, fd, address));
}

NTSTATUS net_connect(int fd, const SOCKADDR *address)
{
    return status_of(with_address(SYS_CONNECT, fd, address));
}

NTSTATUS net_connected(int fd)
{
    int error = 0;
    uint32_t length = sizeof(error);
    int64_t result =
        call5(SYS_GETSOCKOPT, (uint64_t)fd, LINUX_SOL_SOCKET, LINUX_SO_ERROR, (uintptr_t)&error, (uintptr_t)&length);

    return status_of(result < 0 ? result : -error);
}

static NTSTATUS transfer(int64_t number, int fd, const struct net_part *parts, size_t count, size_t *done)
{
    struct linux_message message = {.parts = parts, .count = count};
    int64_t result;

    for (size_t i = 0; i < count; i++) {
        bed_wsk_touch(parts[i].address, parts[i].length, number == SYS_RECVMSG);
    }
    do {
        result = call3(number, (uint64_t)fd, (uintptr_t)&message, LINUX_MSG_NOSIGNAL);
    } while (result == -LINUX_EINTR);
    *done = result > 0 ? (size_t)result : 0;
    return status_of(result);
}

NTSTATUS net_send(int fd, const struct net_part *parts, size_t count, size_t *done)
{
    return transfer(SYS_SENDMSG, fd, parts, count, done);
}

NTSTATUS net_receive(int fd, const struct net_part *parts, size_t count, size_t *done)
{
    return transfer(SYS_RECVMSG, fd, parts, count, done);
}

NTSTATUS net_shutdown_send(int fd)
{
    return status_of(call3(SYS_SHUTDOWN, (uint64_t)fd, LINUX_SHUT_WR, 0));
}

void net_abort(int fd)
{
    SOCKADDR nowhere = {.sa_family = AF_UNSPEC};

    call3(SYS_CONNECT, (uint64_t)fd, (uintptr_t)&nowhere, sizeof(nowhere));
}

NTSTATUS net_address(int fd, bool remote, SOCKADDR *address)
{
    SOCKADDR_IN6 found = {0};
    uint32_t length = sizeof(found);
    int64_t result =
        call3(remote ? SYS_GETPEERNAME : SYS_GETSOCKNAME, (uint64_t)fd, (uintptr_t)&found, (uintptr_t)&length);

    if (result < 0) {
        return status_of(result);
    }
    if (found.sin6_family == LINUX_AF_INET6) {
        found.sin6_family = AF_INET6;
    }
    memcpy(address, &found, length);
    return STATUS_SUCCESS;
}

static const struct {
    ULONG level;
    ULONG option;
    uint32_t linux_level;
    uint32_t linux_option;
} options[] = {
    {SOL_SOCKET, SO_KEEPALIVE, LINUX_SOL_SOCKET, 9}, {SOL_SOCKET, SO_SNDBUF, LINUX_SOL_SOCKET, 7},
    {SOL_SOCKET, SO_RCVBUF, LINUX_SOL_SOCKET, 8},    {IPPROTO_TCP, TCP_NODELAY, IPPROTO_TCP, 1},
    {IPPROTO_TCP, TCP_KEEPIDLE, IPPROTO_TCP, 4},     {IPPROTO_TCP, TCP_KEEPINTVL, IPPROTO_TCP, 5},
    {IPPROTO_TCP, TCP_KEEPCNT, IPPROTO_TCP, 6},      {IPPROTO_IPV6, IPV6_V6ONLY, IPPROTO_IPV6, 26},
};

NTSTATUS net_set_option(int fd, ULONG level, ULONG option, int value)
{
    for (unsigned i = 0; i < ARRAYSIZE(options); i++) {
        if (options[i].level == level && options[i].option == option) {
            return status_of(call5(SYS_SETSOCKOPT, (uint64_t)fd, options[i].linux_level, options[i].linux_option,
                                   (uintptr_t)&value, sizeof(value)));
        }
    }
    return STATUS_NOT_SUPPORTED;
}

int net_bell(void)
{
    return (int)call3(SYS_EVENTFD2, 0, LINUX_EVENTFD_FLAGS, 0);
}

void net_ring(int bell)
{
    uint64_t one = 1;

    call3(SYS_WRITE, (uint64_t)bell, (uintptr_t)&one, sizeof(one));
}

void net_wait(int fd, bool write, int bell)
{
    struct linux_poll polls[2] = {
        {.fd = fd, .events = write ? LINUX_POLLOUT : LINUX_POLLIN},
        {.fd = bell, .events = LINUX_POLLIN},
    };
    uint64_t rung;

    while (call3(SYS_POLL, (uintptr_t)polls, ARRAYSIZE(polls), (uint64_t)-1) == -LINUX_EINTR) {
    }
    if (polls[1].returned != 0) {
        call3(SYS_READ, (uint64_t)bell, (uintptr_t)&rung, sizeof(rung));
    }
}
