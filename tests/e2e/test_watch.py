# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live tables, over a disk that is read by depth: as lines, as JSON, and on a console with keys."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

import servers
from beds import BED, CLIENT
from schema import Schema

ROW = re.compile(r"\d\d:\d\d:\d\d  +(\d+)  (\w+) +(\d+) +([\d.]+) +([\d.]+) +(.+?)  +(.+?)  +(.+?)  +(\d+) +(\d+)  (.+)")


@pytest.fixture
def busy(server, bed):
    """A disk that is read all the time; its number."""
    number = bed.map("busy", server)
    load = bed.start_diskio("rate", number, "--depth", 8, "--size", 4096, "--requests", 10_000_000, limit_s=60)
    bed.wait_for_load("busy")
    yield number
    bed.unmap("busy", "--hard-disconnect")
    load.process.wait()


def test_list_watch_tells_each_disk_a_line(busy, tmp_path, bed, stack):
    bed.map("idle", stack.enter_context(servers.nbdkit(tmp_path, "memory", 1 << 20)))
    lines = bed.client("list", "--watch", 1, "--count", 3).ok().out.splitlines()
    assert lines[0].split() == ["Time", "Disk", "State", "IOPS", "Read", "MB", "Write", "MB", "50%", "99%", "99.9%", "Pending",
                                "Recon", "InstanceName"]
    rows = [ROW.fullmatch(line) for line in lines[1:]]
    assert all(rows), lines
    assert [row[11] for row in rows] == ["busy", "idle"] * 3
    for row in rows[::2]:
        assert (int(row[1]), row[2]) == (busy, "connected") and int(row[3]) > 10 and float(row[5]) == 0, row
        assert re.fullmatch(r"[\d.]+ (us|ms|s)", row[6]), row
        assert abs(float(row[4]) - int(row[3]) * 4096 / 1e6) <= 0.11, row
    for row in rows[1::2]:
        assert (row[3], row[6]) == ("0", "-"), row


def test_stats_watch_tells_each_kind_of_request(busy, bed):
    assert busy >= 0
    lines = bed.client("stats", "busy", "--watch", "--count", 2).ok().out.splitlines()
    assert [line.split()[1] for line in lines] == ["Request"] + ["Read", "Write", "Flush", "Unmap"] * 2
    assert int(lines[1].split()[2]) > 10 and lines[2].split()[2:] == ["0", "0.0", "-", "-", "-"]


@pytest.mark.parametrize("words, key", [(("list", "--watch"), "disks"), (("stats", "busy", "--watch"), "requests")],
                         ids=["list", "stats"])
def test_watch_as_lines_of_json(words, key, busy, bed):
    assert busy >= 0
    lines = bed.client(*words, "--count", 2, "--format", "json").ok().out.splitlines()
    tables = [Schema().check(f"{words[0]} --watch", line) for line in lines]
    assert len(tables) == 2
    for table in tables:
        assert table[key][0]["iops"] > 10 and table[key][0]["p50_us"] <= table[key][0]["p999_us"]


class Console:
    """The client on a terminal."""

    def __init__(self, bed, *words):
        self.terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 140, 0, 0))
        self.process = subprocess.Popen([str(BED), "exec", "--timeout", "60", bed.where, "--", str(CLIENT), *words],
                                        stdin=other, stdout=other, stderr=subprocess.STDOUT,
                                        env={**os.environ, "TERM": "xterm"})
        os.close(other)
        self.shown = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)

    def text(self):
        """What was shown so far, without the terminal's sequences."""
        return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", self.shown.decode("utf-8", "replace"))

    def read(self):
        """False: there was nothing for a while, or there is nothing any more."""
        if not select.select([self.terminal], [], [], 0.5)[0]:
            return False
        with contextlib.suppress(OSError):  # its other end is closed
            self.shown += os.read(self.terminal, 65536)
        return True

    def until(self, *words):
        """From here on all of them are shown."""
        begin = len(self.text())
        deadline = time.monotonic() + 30
        while not all(word in self.text()[begin:] for word in words):
            assert time.monotonic() < deadline and self.process.poll() is None, self.text()[begin:]
            self.read()

    def press(self, key):
        os.write(self.terminal, key.encode())

    def ended(self):
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        return self.process.poll()


@pytest.mark.parametrize("key", ["q", "Q"])
def test_a_key_ends_the_table_on_a_console(key, busy, bed):
    assert busy >= 0
    with Console(bed, "list", "--watch", "1") as console:
        console.until("InstanceName", "busy", "sort: n name")
        console.press("i")
        console.press("x")
        console.press(key)
        assert console.ended() == 0, console.text()


def test_one_disk_on_a_console(busy, bed):
    with Console(bed, "stats", "busy", "--watch") as console:
        console.until(f"busy: disk {busy}, connected,", "Request", "Unmap", "q quit")
        console.press("q")
        assert console.ended() == 0, console.text()


def test_watched_disk_goes(server, bed):
    bed.map("going", server)
    watching = bed.start_client("stats", "going", "--watch")
    time.sleep(2)
    bed.unmap("going").ok()
    result = watching.wait()
    assert result.code == 2 and "cannot watch 'going'" in result.err, repr(result)


def test_reader_that_goes_ends_it(server, bed):
    bed.map("x", server)
    watching = bed.start_client("list", "--watch")
    watching.process.stdout.readline()
    watching.process.stdout.close()
    assert watching.process.wait(timeout=60) != 0


@pytest.mark.parametrize("words, problem", [
    (("list", "--watch", "soon"), "'list' has no use for 'soon'"),
    (("list", "--watch=0"), "watch is '0', but must be from 1 to 86400"),
    (("list", "--count", "3"), "--count is of use with --watch only"),
    (("stats", "x", "--watch", "1", "--count", "0"), "count is '0', but must be from 1"),
], ids=lambda words: words if isinstance(words, str) else " ".join(words))
def test_wrong_arguments(words, problem, bed):
    bed.client(*words).failed(87, problem)


def test_nothing_to_watch(bed):
    bed.client("stats", "nobody", "--watch").failed(2, "'nobody'")
    assert len(bed.client("list", "--watch", "--count", 1).ok().out.splitlines()) == 1
