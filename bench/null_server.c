/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *     bench-null-server tcp|unix:PATH [verify]
 *
 * Prints its address, as the contenders take it, when it listens; a process a connection; ends, with all of them, when
 * its standard input is closed.
 */
#include "bench/null_server.h"
#include "bench/plan.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_SEND_BUFFER (512 << 10) /* TCP's grows by itself */

bool null_receive(int descriptor, void *bytes, size_t length)
{
    return length == 0 || recv(descriptor, bytes, length, MSG_WAITALL) == (ssize_t)length;
}

bool null_send(int descriptor, const void *bytes, size_t length)
{
    return send(descriptor, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static int listen_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        fail("cannot listen on TCP");
    }
    printf("tcp:%u\n", ntohs(address.sin_port));
    return listener;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(path) >= sizeof address.sun_path) {
        fail("the socket's path is too long");
    }
    strcpy(address.sun_path, path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) {
        fail("cannot listen on the Unix socket");
    }
    printf("unix:%s\n", path);
    return listener;
}

static int begin(int count, char **arguments)
{
    if (count >= 2 && strcmp(arguments[1], "tcp") == 0) {
        return listen_tcp();
    }
    if (count >= 2 && strncmp(arguments[1], "unix:", 5) == 0) {
        return listen_unix(arguments[1] + 5);
    }
    fail("usage: bench-null-server tcp|unix:PATH [verify]");
}

static _Noreturn void serve(int connection, bool verify)
{
    const int on = 1;
    const int room = UNIX_SEND_BUFFER;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) { /* a Unix socket */
        setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    if (null_shake_hands(connection)) {
        null_serve(connection, verify);
    }
    _exit(0);
}

int main(int count, char **arguments)
{
    int listener = begin(count, arguments);
    struct pollfd poll_on[] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    bool verify = count >= 3 && strcmp(arguments[2], "verify") == 0;

    fflush(stdout);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    while (poll(poll_on, 2, -1) > 0 && poll_on[1].revents == 0) {
        int connection = accept(listener, NULL, NULL);

        if (connection >= 0 && fork() == 0) {
            close(listener);
            serve(connection, verify);
        }
        close(connection);
    }
    return 0;
}
