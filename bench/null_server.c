/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *     bench-null-server tcp|unix:PATH [WORD ...]
 *
 * Prints its address, as the contenders take it, when it listens; a process a connection; ends, with all of them, when
 * its standard input is closed. The words:
 *
 *     simple, structured, extended   the best form of replies that it grants; without one: extended
 *     gib=N                          the export's size; without it: 1
 *     sparse                         the export is a hole
 *     verify                         writes of anything but the contents fail
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
    fail("usage: bench-null-server tcp|unix:PATH [simple|structured|extended] [gib=N] [sparse] [verify]");
}

static struct null_export read_words(int count, char **words)
{
    struct null_export export = {.size = UINT64_C(1) << 30, .form_max = NBD_EXTENDED};

    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "verify") == 0) {
            export.verify = true;
        } else if (strcmp(words[i], "sparse") == 0) {
            export.sparse = true;
        } else if (strncmp(words[i], "gib=", 4) == 0) {
            export.size = strtoull(words[i] + 4, NULL, 10) << 30;
        } else if (!plan_read_form(words[i], &export.form_max)) {
            fail("the null server does not know that word");
        }
    }
    return export;
}

static _Noreturn void serve(int connection, const struct null_export *export)
{
    enum nbd_form form;

    const int on = 1;
    const int room = UNIX_SEND_BUFFER;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) { /* a Unix socket */
        setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    if (null_shake_hands(connection, export, &form)) {
        null_serve(connection, export, form);
    }
    _exit(0);
}

int main(int count, char **arguments)
{
    int listener = begin(count, arguments);
    struct pollfd poll_on[] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    struct null_export export = read_words(count - 2, arguments + 2);

    fflush(stdout);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    while (poll(poll_on, 2, -1) > 0 && poll_on[1].revents == 0) {
        int connection = accept(listener, NULL, NULL);

        if (connection >= 0 && fork() == 0) {
            close(listener);
            serve(connection, &export);
        }
        close(connection);
    }
    return 0;
}
