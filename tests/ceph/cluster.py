# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Ceph cluster of one monitor and one OSD whose store is memory, on loopback, in one folder. It ends by pid and leaves
nothing. What `ceph` and `rbd` say is in `transcript`."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

STEP_S = 120
END_S = 20
STORE_BYTES = 512 << 20

# No cephx: whoever reaches loopback on this machine may use the cluster while the test lasts. One copy on one OSD.
CONFIGURATION = """[global]
fsid = {fsid}
mon host = {monitors}
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = {store_bytes}
mon allow pool size one = true
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
log file = {folder}/$name.log
keyring = {folder}/keyring
"""


def free_ports(count):
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


class Daemon:
    """A process in the foreground of its own session."""

    def __init__(self, command, output):
        with open(output, "wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                            start_new_session=True)

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                return
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(END_S)


class Cluster:
    """Entered, it is up and has a pool named rbd."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.configuration = self.folder / "ceph.conf"
        self.transcript = []
        self.daemons = []

    def __enter__(self):
        try:
            self._configure()
            self._start_monitor()
            self._start_osd()
            self.ceph("osd", "pool", "create", "rbd", "8")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for daemon in reversed(self.daemons):
            daemon.end()

    def pids(self):
        return [daemon.process.pid for daemon in self.daemons]

    def ceph(self, *arguments):
        return self._told("ceph", *arguments)

    def rbd(self, *arguments):
        return self._told("rbd", *arguments)

    def image(self, name):
        """As QEMU's rbd driver names it."""
        return f"rbd:rbd/{name}:conf={self.configuration}"

    def _configure(self):
        self.fsid = str(uuid.uuid4())
        monitor_2, monitor_1 = free_ports(2)
        self.monitors = f"[v2:127.0.0.1:{monitor_2},v1:127.0.0.1:{monitor_1}]"
        self.configuration.write_text(CONFIGURATION.format(fsid=self.fsid, monitors=self.monitors, folder=self.folder,
                                                           store_bytes=STORE_BYTES))

    def _start_monitor(self):
        monitor_map = self.folder / "monmap"
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", self.monitors, monitor_map)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monitor_map, *self._here())
        self._start("ceph-mon", "-f", "-i", "a")
        self._until(lambda: "quorum" in self._quiet("ceph", "mon", "stat"), "the monitor does not answer")

    def _start_osd(self):
        identity = str(uuid.uuid4())
        (self.folder / "osd").mkdir()
        number = self._run("ceph", *self._here(), "osd", "new", identity).strip()
        self._run("ceph-osd", "--mkfs", "-i", number, "--osd-uuid", identity, *self._here())
        self._start("ceph-osd", "-f", "-i", number)
        self._until(lambda: "1 up" in self._quiet("ceph", "osd", "stat"), "the OSD does not come up")

    def _here(self):
        return ["-c", self.configuration]

    def _start(self, *words):
        command = [str(word) for word in [*words, *self._here()]]
        self.daemons.append(Daemon(command, self.folder / f"{words[0]}.out"))

    def _told(self, program, *arguments):
        output = self._run(program, *self._here(), *arguments)
        self.transcript.append(f"$ {shlex.join([program, *map(str, arguments)])}\n{output}")
        return output

    def _quiet(self, program, *arguments):
        """What it says while it may fail."""
        done = self._call(program, *self._here(), *arguments, limit_s=20)
        return done.stdout if done and done.returncode == 0 else ""

    def _run(self, *words):
        done = self._call(*words, limit_s=STEP_S)
        assert done and done.returncode == 0, f"{words}: {done}\n{self._logs()}"
        return done.stdout

    def _call(self, *words, limit_s):
        environment = {**os.environ, "CEPH_CONF": str(self.configuration)}
        try:
            return subprocess.run([str(word) for word in words], cwd=self.folder, env=environment, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            return None

    def _until(self, condition, failure):
        deadline = time.monotonic() + STEP_S
        while not condition():
            ended = any(daemon.process.poll() is not None for daemon in self.daemons)
            assert not ended and time.monotonic() < deadline, f"{failure}\n{self._logs()}"
            time.sleep(0.2)

    def _logs(self):
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}"
                         for path in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")))
