# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers of others as processes of ours: a free port, a start that waits until it listens, an end by pid."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NBD_SERVER_CONFIG = """[generic]
port = {port}
listenaddr = 127.0.0.1
allowlist = true
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    """Whether something listens on the port, asked without connecting: qemu-nbd serves one connection and ends."""
    row = f"0100007F:{port:04X} 00000000:0000 0A"
    return any(row in line for line in Path("/proc/net/tcp").read_text().splitlines())


@contextlib.contextmanager
def serving(*command, port):
    """Runs a server in the foreground until the end of the block."""
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 10
            while not is_listening(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise AssertionError(f"{command[0]} does not listen: {log.read().decode(errors='replace')}")
                time.sleep(0.02)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextlib.contextmanager
def serving_daemon(*command, port, pid_file):
    """Runs a server that goes into the background, as leader of its process group, and writes its pid."""
    try:
        subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=10)
        deadline = time.monotonic() + 10
        while not (is_listening(port) and pid_file.is_file() and pid_file.read_text().strip()):
            assert time.monotonic() < deadline, f"{command[0]} does not listen"
            time.sleep(0.02)
        yield
    finally:
        if pid_file.is_file():
            end_group(int(pid_file.read_text()))


def end_group(leader):
    """Ends the processes of the group, which are not our children."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, number)
        deadline = time.monotonic() + 5
        while is_running(leader) and time.monotonic() < deadline:
            time.sleep(0.02)


def is_running(pid):
    """A zombie that nobody waits for is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def sparse_file(path, size):
    with open(path, "wb") as disk:
        disk.truncate(size)
    return path


def nbd_server_config(path, port, **exports):
    """Writes a configuration with a section of settings for each export."""
    text = NBD_SERVER_CONFIG.format(port=port)
    for name, settings in exports.items():
        text += f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())
    path.write_text(text)
    return path
