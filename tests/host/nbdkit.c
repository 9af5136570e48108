/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/nbdkit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A port that was free just now. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        abort();
    }
    close(fd);
    return ntohs(address.sin_port);
}

void nbdkit_start(struct nbdkit *nbdkit, const char *size)
{
    char port[8];

    nbdkit->port = free_port();
    snprintf(port, sizeof(port), "%u", nbdkit->port);
    nbdkit->pid = fork();
    if (nbdkit->pid == 0) {
        execlp("nbdkit", "nbdkit", "--exit-with-parent", "-f", "-i", "127.0.0.1", "-p", port, "memory", size,
               (char *)NULL);
        _exit(127);
    }
}

void nbdkit_stop(struct nbdkit *nbdkit)
{
    kill(nbdkit->pid, SIGTERM);
    waitpid(nbdkit->pid, NULL, 0);
}
