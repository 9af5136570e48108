/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 60

static void become(const char *program, const char *library, unsigned number, int out)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", number);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    alarm(LIMIT_S);
    execl(program, program, library, text, (char *)NULL);
    _exit(127);
}

int child_run(const char *program, const char *library, unsigned number, char *output, size_t size)
{
    int pipe_ends[2];
    size_t length = 0;
    char rest[4096];
    ssize_t got;
    int status;
    pid_t pid;

    if (pipe(pipe_ends) != 0 || (pid = fork()) < 0) {
        abort();
    }
    if (pid == 0) {
        become(program, library, number, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    while ((got = read(pipe_ends[0], length < size - 1 ? output + length : rest,
                       length < size - 1 ? size - 1 - length : sizeof(rest))) > 0) {
        length += length < size - 1 ? (size_t)got : 0;
    }
    output[length] = '\0';
    close(pipe_ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
