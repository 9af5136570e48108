# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real NBD servers on free loopback ports. Each is a context manager; leaving it ends the server by its pid."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

START_S = 20
END_S = 10


def free_port(address="127.0.0.1"):
    """A TCP port nobody listens on just now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def sparse_file(path, size):
    with open(path, "wb") as file:
        file.truncate(size)
    return path


class Server:
    """A server process. `address` and `port` are where it listens, `export` is the name of its only export."""

    def __init__(self, command, address, port, log, export=""):
        self.command = [str(word) for word in command]
        self.address = address
        self.port = port
        self.log = Path(log)
        self.export = export
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
        deadline = time.monotonic() + START_S
        while not self.listens():
            if self.process.poll() or time.monotonic() > deadline:
                self.end()
                raise AssertionError(f"{self.command[0]} does not listen: {self.log.read_text(errors='replace')}")
            time.sleep(0.02)

    def listens(self):
        """Looks into the kernel's table: a trial connection would show up in the server's log."""
        wanted = f":{self.port:04X}"
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    return True
        return False

    def end(self, how=signal.SIGTERM):
        """Ends the server with the children it may have, which are all in its process group."""
        for number in (how, signal.SIGKILL):
            if not self.alive():
                return
            self.signal(number)
            deadline = time.monotonic() + END_S
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.02)

    def alive(self):
        return self.process.poll() is None

    def leader(self):
        """The pid of the server, which is its process group's too."""
        return self.process.pid

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.leader(), number)


class Daemon(Server):
    """A server that goes into the background and writes its pid into a file. It leads its process group."""

    def __init__(self, pid_file, *arguments):
        super().__init__(*arguments)
        self.pid_file = Path(pid_file)

    def listens(self):
        return super().listens() and self.pid_file.is_file() and self.pid_file.read_text().strip() != ""

    def leader(self):
        return int(self.pid_file.read_text()) if self.pid_file.is_file() else self.process.pid

    def alive(self):
        """Not its parent, we see in /proc whether it has ended; as a zombie it has."""
        self.process.poll()
        try:
            return Path(f"/proc/{self.leader()}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
        except FileNotFoundError:
            return False


def nbdkit(folder, *arguments, address="127.0.0.1", export="", filters=(), log=None):
    """nbdkit with the given plugin and its parameters; `log` makes its log filter write there."""
    port = free_port(address)
    command = ["nbdkit", "-f", "-i", address, "-p", port]
    if log:
        filters = ["log", *filters]
        arguments = [*arguments, f"logfile={log}"]
    command += [f"--filter={name}" for name in filters]
    return Server([*command, *arguments], address, port, Path(folder) / f"nbdkit-{port}.log", export)


def nbd_server(folder, path, export="disk", address="127.0.0.1", read_only=False):
    port = free_port(address)
    config = Path(folder) / f"nbd-server-{port}.conf"
    config.write_text(f"[generic]\n\tlistenaddr = {address}\n\tport = {port}\n\tallowlist = true\n"
                      f"[{export}]\n\texportname = {path}\n\tflush = true\n\tfua = true\n\ttrim = true\n"
                      f"\treadonly = {'true' if read_only else 'false'}\n")
    pid_file = Path(folder) / f"nbd-server-{port}.pid"
    return Daemon(pid_file, ["nbd-server", "-C", config, "-p", pid_file], address, port,
                  Path(folder) / f"nbd-server-{port}.log", export)


def qemu_nbd(folder, path, export="disk", address="127.0.0.1", read_only=False):
    port = free_port(address)
    command = ["qemu-nbd", "--format=raw", "--persistent", "--shared=0", "--discard=unmap", f"--bind={address}",
               f"--port={port}", f"--export-name={export}", *(["--read-only"] if read_only else []), path]
    return Server(command, address, port, Path(folder) / f"qemu-nbd-{port}.log", export)


class LogLine:
    """One request in the log of nbdkit's log filter."""

    FIELD = re.compile(r"(\w+)=(\S+)")

    def __init__(self, operation, text):
        self.operation = operation
        self.fields = {name: value for name, value in self.FIELD.findall(text)}

    def number(self, name):
        return int(self.fields[name], 0)

    def __repr__(self):
        return f"{self.operation} {self.fields}"


def logged(path, operation):
    """The requests of one kind (Read, Write, Flush, Trim ...) in the order they arrived."""
    pattern = re.compile(rf"connection=\d+ {operation} (id=.*?)(?: \.\.\.)?$")
    found = (pattern.search(line) for line in Path(path).read_text(errors="replace").splitlines())
    return [LogLine(operation, match.group(1)) for match in found if match]
