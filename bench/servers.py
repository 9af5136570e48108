# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers: bench-null-server and nbdkit's memory plugin. Each is a context that gives its address, tcp:PORT or
unix:PATH, and ends the server."""

import contextlib
import os
import socket
import subprocess
import time

from cases import COPY, COPY_GIB, HOLES

NBDKIT_SIZE = "64M"


def core_of(part):
    """The command words that keep a process on one core: the server on the second, the client on the first. With one
    core there is nothing to keep apart."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return []
    return ["taskset", "-c", str(cores[1] if part == "server" else cores[0])]


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen([*core_of("server"), *map(str, command)], **options)
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def null_server(programs, transport, directory, *words):
    where = "tcp" if transport == "tcp" else f"unix:{directory}/null.sock"
    command = [programs / "bench-null-server", where, *words]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        with process.stdout:
            address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError("the null server does not listen")
        yield address
    if transport == "unix":
        os.unlink(f"{directory}/null.sock")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(pid_file, process):
    """nbdkit writes its pid file when it listens."""
    deadline = time.monotonic() + 10
    while not os.path.exists(pid_file) or not os.path.getsize(pid_file):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("nbdkit does not listen")
        time.sleep(0.02)


@contextlib.contextmanager
def nbdkit(transport, directory, *plugin):
    plugin = plugin or ("memory", NBDKIT_SIZE)
    pid_file = f"{directory}/nbdkit.pid"
    if transport == "tcp":
        port = free_port()
        address, where = f"tcp:{port}", ["--ipaddr", "127.0.0.1", "--port", port]
    else:
        path = f"{directory}/nbdkit.sock"
        address, where = f"unix:{path}", ["--unix", path]
    command = ["nbdkit", "--foreground", "--exit-with-parent", "--pidfile", pid_file, *where, *plugin]
    with running(command, stdin=subprocess.DEVNULL) as process:
        wait_for(pid_file, process)
        yield address
    os.unlink(pid_file)


def of_case(case):
    """What a server has to be for a case: cases with the same can share one. The null server has no better form of replies
    than the case's, because some clients take the best that there is."""
    if case.server == "nbdkit":
        return case.server, case.transport
    words = [case.form]
    if case.server == HOLES:
        words.append("sparse")
    if case.operation == COPY:
        words.append(f"gib={COPY_GIB}")
    return "null", case.transport, *words


def serving(programs, wanted, directory):
    """The server that of_case describes."""
    server, transport, *words = wanted
    if server == "null":
        return null_server(programs, transport, directory, *words)
    return nbdkit(transport, directory)
