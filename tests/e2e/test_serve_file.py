# SPDX-License-Identifier: LGPL-2.1-or-later
"""map --file and map --ram: the client itself is the disk, in the foreground."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import servers
from beds import CLIENT, PROGRAMS, Bed, Serving, windows_path

MIB = 1 << 20
BYTES = 24 * MIB
EXISTS, MISUSE, NO_FILE, NO_FOLDER, DENIED, IN_USE, ABORTED = 183, 87, 2, 3, 5, 32, 995
WRITTEN = ("--seed", 7, "--bytes", 8 * MIB, "--depth", 8)


def end(bed, name, serving):
    """Unmapped from elsewhere: it ends well."""
    bed.unmap(name).ok()
    return serving.wait().ok()


@pytest.fixture
def disk_file(tmp_path):
    return servers.sparse_file(tmp_path / "disk.img", BYTES)


# --- what is written is there

def test_memory_keeps_what_is_written(bed):
    serving = Serving(bed, "ram", "--ram", "64M")
    assert "64 MiB, 512-byte blocks)" in serving.said
    bed.diskio("write-random", serving.number, *WRITTEN).ok()
    assert "verify: equal" in bed.diskio("verify", serving.number, *WRITTEN).ok().out
    bed.diskio("read", serving.number, 64 * MIB - 512, 512).ok()
    bed.diskio("flush", serving.number).ok()
    shown = bed.show("ram")
    assert (shown["Owner"], shown["BlockCount"], shown["UnmapSupported"]) == ("wnbd-client", str(64 * 2048), "1")
    end(bed, "ram", serving)
    assert bed.mapped() == []


def test_memory_starts_with_zeroes_each_time(bed, tmp_path):
    for _ in range(2):
        serving = Serving(bed, "ram", "--ram", "1M")
        out = tmp_path / "read"
        bed.diskio("read", serving.number, 0, MIB, "--out", windows_path(out)).ok()
        assert out.read_bytes() == bytes(MIB)
        bed.diskio("write", serving.number, 4096, 8192, 0x5A).ok()
        bed.diskio("read", serving.number, 0, MIB, "--out", windows_path(out)).ok()
        assert out.read_bytes() == bytes(4096) + b"\x5a" * 8192 + bytes(MIB - 12288)
        end(bed, "ram", serving)


def unmap_cdb(bed, number, block, count):
    """UNMAP with one descriptor, as SBC-3 5.28 has it."""
    descriptors = block.to_bytes(8, "big") + count.to_bytes(4, "big") + bytes(4)
    data = (len(descriptors) + 6).to_bytes(2, "big") + len(descriptors).to_bytes(2, "big") + bytes(4) + descriptors
    return bed.diskio("cdb", number, f"42000000000000{len(data):04x}00", "--out-hex", data.hex(), "--access", "both")


def test_memory_that_is_unmapped_is_zero_again(bed, tmp_path):
    serving = Serving(bed, "ram", "--ram", "8M")
    out = tmp_path / "read"
    bed.diskio("write", serving.number, 0, 2 * MIB, 0x11).ok()
    bed.diskio("write", serving.number, 2 * MIB, 2 * MIB, 0x11).ok()
    unmap_cdb(bed, serving.number, 2047, 4097).ok()  # half a MiB less a block, 1.5 and a block
    bed.diskio("read", serving.number, 0, 2 * MIB, "--out", windows_path(out)).ok()
    assert out.read_bytes() == b"\x11" * (2047 * 512) + bytes(2 * MIB - 2047 * 512)
    bed.diskio("read", serving.number, 2 * MIB, 2 * MIB, "--out", windows_path(out)).ok()
    assert out.read_bytes() == bytes(MIB + 2048 * 512 - MIB) + b"\x11" * MIB
    bed.diskio("write", serving.number, 1 * MIB, 2 * MIB, 0x22).ok()  # and takes memory again
    bed.diskio("read", serving.number, 1 * MIB, 2 * MIB, "--out", windows_path(out)).ok()
    assert out.read_bytes() == b"\x22" * (2 * MIB)
    end(bed, "ram", serving)


def test_file_has_what_was_written_byte_for_byte(bed, disk_file, tmp_path):
    before = bytearray(os.urandom(BYTES))
    disk_file.write_bytes(before)
    serving = Serving(bed, "file", "--file", windows_path(disk_file))
    out = tmp_path / "read"
    bed.diskio("read", serving.number, 20 * MIB, MIB, "--out", windows_path(out)).ok()
    assert out.read_bytes() == before[20 * MIB:21 * MIB]
    for offset, length, byte in [(0, 512, 1), (3 * MIB + 512, 2 * MIB, 2), (BYTES - 4096, 4096, 3)]:
        bed.diskio("write", serving.number, offset, length, byte).ok()
        before[offset:offset + length] = bytes([byte]) * length
    bed.diskio("flush", serving.number).ok()
    assert disk_file.read_bytes() == before
    end(bed, "file", serving)
    assert disk_file.read_bytes() == before


def test_file_serves_many_at_once_and_is_there_again(bed, image):
    serving = Serving(bed, "file", "--file", windows_path(image), "--threads", 16)
    bed.diskio("write-random", serving.number, *WRITTEN).ok()
    end(bed, "file", serving)
    serving = Serving(bed, "file", "--file", windows_path(image), "--threads", 1)
    assert "verify: equal" in bed.diskio("verify", serving.number, *WRITTEN).ok().out
    bed.diskio("storm", serving.number, "--threads", 8, "--seconds", 2, "--bytes", 64 * MIB).ok()
    end(bed, "file", serving)


def test_large_blocks(bed, disk_file):
    serving = Serving(bed, "file", "--file", windows_path(disk_file), "--block-size", 4096)
    assert "24 MiB, 4096-byte blocks)" in serving.said
    assert bed.diskio("info", serving.number).ok().fields()["geometry.sector"] == "4096"
    bed.diskio("write", serving.number, 8192, 4096, 9).ok()
    assert bed.diskio("write", serving.number, 512, 512, 9).code != 0
    end(bed, "file", serving)
    with open(disk_file, "rb") as file:
        assert file.read(16384) == bytes(8192) + b"\x09" * 4096 + bytes(4096)


def test_read_only_file_is_not_written(bed, disk_file):
    disk_file.chmod(0o444)
    serving = Serving(bed, "file", "--file", windows_path(disk_file), "--read-only")
    assert serving.said.endswith(", read-only).")
    assert "error 19" in bed.diskio("write", serving.number, 0, 512, 1).out
    bed.diskio("read", serving.number, 0, 4096).ok()
    assert bed.show("file")["ReadOnly"] == "1"
    end(bed, "file", serving)
    assert disk_file.read_bytes() == bytes(BYTES)


# --- sizes

def test_size_makes_a_sparse_file(bed, tmp_path):
    path = tmp_path / "new.img"
    serving = Serving(bed, "new", "--file", windows_path(path), "--size", "3G")
    assert "3 GiB" in serving.said
    bed.diskio("write", serving.number, (3 << 30) - 512, 512, 0x77).ok()
    end(bed, "new", serving)
    assert path.stat().st_size == 3 << 30 and path.stat().st_blocks * 512 < 16 * MIB
    with open(path, "rb") as file:
        file.seek((3 << 30) - 1024)
        assert file.read() == bytes(512) + b"\x77" * 512


def test_size_extends_a_file_and_keeps_what_is_in_it(bed, tmp_path):
    path = tmp_path / "short.img"
    path.write_bytes(b"\x31" * 1000)
    serving = Serving(bed, "short", "--file", windows_path(path), "--size", "1M")
    end(bed, "short", serving)
    assert path.read_bytes() == b"\x31" * 1000 + bytes(MIB - 1000)
    end(bed, "short", Serving(bed, "short", "--file", windows_path(path), "--size", "1M"))  # nothing to do


def test_size_of_the_file_is_rounded_down_and_said(bed, tmp_path):
    path = tmp_path / "odd.img"
    path.write_bytes(bytes(MIB + 513))
    serving = Serving(bed, "odd", "--file", windows_path(path))
    assert bed.show("odd")["BlockCount"] == "2049"
    result = end(bed, "odd", serving)
    assert "the last 1 bytes" in result.err
    assert path.stat().st_size == MIB + 513


# --- what is refused: one sentence, a code, and nothing left behind

def refused(bed, code, path, *options, words=()):
    name = Path(path).name
    result = bed.client("map", "bad", "--file", windows_path(path), *options).failed(code, "bad", name, *words)
    assert result.out == "" and bed.mapped() == []


def test_files_that_cannot_be_a_disk(bed, tmp_path):
    refused(bed, NO_FILE, tmp_path / "missing.img", words=["no file", "--size"])
    assert not (tmp_path / "missing.img").exists()
    refused(bed, NO_FOLDER, tmp_path / "nowhere" / "x.img", "--size", "1M", words=["no folder"])
    refused(bed, DENIED, tmp_path, words=["folder"])
    (tmp_path / "empty.img").touch()
    refused(bed, MISUSE, tmp_path / "empty.img", words=["is empty", "--size"])
    (tmp_path / "tiny.img").write_bytes(bytes(511))
    refused(bed, MISUSE, tmp_path / "tiny.img", words=["511 bytes"])
    (tmp_path / "long.img").write_bytes(bytes(8192))
    refused(bed, MISUSE, tmp_path / "long.img", "--size", 4096, words=["8192", "not cut"])
    assert (tmp_path / "long.img").stat().st_size == 8192


def test_file_that_may_only_be_read(bed):
    refused(bed, DENIED, "/sys/kernel/uevent_seqnum", words=["--read-only"])  # root may write to any other


def test_arguments_that_do_not_go_together(bed, disk_file):
    path = windows_path(disk_file)
    for words, said in [(["--file", path, "--ram", "1M"], "ram does not go with file"),
                        (["nas", "--ram", "1M"], "hostname does not go with ram"),
                        (["--ram", "1000"], "multiple of the block size 512"),
                        (["--ram", "1M", "--block-size", 1024], "512 or 4096"),
                        (["--file", path, "--size", "32M", "--read-only"], "read-only"),
                        (["--ram", "0"], "512"),
                        (["--ram", "1M", "--threads", 256], "255"),
                        ([], "--file or --ram")]:
        bed.client("map", "bad", *words).failed(MISUSE, said)
    assert bed.mapped() == []
    assert disk_file.stat().st_size == BYTES


def test_memory_that_no_machine_has(bed):
    bed.client("map", "bad", "--ram", "4E").failed(8, "bad", "4 EiB")


def test_name_that_is_taken_and_file_that_is_in_use(bed, disk_file, tmp_path):
    serving = Serving(bed, "one", "--file", windows_path(disk_file))
    bed.client("map", "one", "--file", windows_path(disk_file)).failed(EXISTS, "'one'", "mapped already")
    new = tmp_path / "new.img"
    bed.client("map", "one", "--file", windows_path(new), "--size", "1M").failed(EXISTS, "'one'")
    assert not new.exists()
    bed.client("map", "one", "--ram", "1M").failed(EXISTS, "'one'")
    bed.client("map", "two", "--file", windows_path(disk_file)).failed(IN_USE, "disk.img", "in use")
    bed.client("map", "two", "--file", windows_path(disk_file), "--read-only").failed(IN_USE, "disk.img", "in use")
    bed.diskio("read", serving.number, 0, 4096).ok()
    end(bed, "one", serving)


def test_two_may_read_the_same_file(bed, disk_file):
    one, two = (Serving(bed, name, "--file", windows_path(disk_file), "--read-only") for name in ("one", "two"))
    assert sorted(bed.mapped()) == ["one", "two"]
    end(bed, "one", one)
    end(bed, "two", two)


# --- the end

def test_unmapped_the_hard_way_under_load(bed, image):
    serving = Serving(bed, "file", "--file", windows_path(image))
    load = bed.start_diskio("storm", serving.number, "--threads", 8, "--seconds", 60, "--bytes", 64 * MIB)
    bed.wait_for_load("file")
    bed.unmap("file", "--hard-disconnect").ok()
    serving.wait().ok()
    assert load.wait().code != 0


def interrupted(bed, tmp_path, name, *options):
    """The program, on a console where Ctrl-C is typed when tmp_path / "now" is there."""
    program = bed.start(PROGRAMS / "interrupt.exe", windows_path(tmp_path / "now"), windows_path(CLIENT), "map", name,
                        *options)
    said = re.search(r"PhysicalDrive(\d+)", program.line())
    assert said, repr(program.wait())
    return program, int(said[1])


def test_ctrl_c_ends_it_and_the_file_is_whole(bed, disk_file, tmp_path):
    program, number = interrupted(bed, tmp_path, "file", "--file", windows_path(disk_file))
    bed.diskio("write", number, 0, 4096, 0x44).ok()
    (tmp_path / "now").touch()
    started = time.monotonic()
    program.wait().ok()
    assert time.monotonic() - started < 3, "nobody had it open"
    assert bed.mapped() == []
    assert disk_file.read_bytes()[:8192] == b"\x44" * 4096 + bytes(4096)


def test_ctrl_c_asks_for_three_seconds_who_has_the_disk_open(bed, tmp_path):
    program, number = interrupted(bed, tmp_path, "ram", "--ram", "8M")
    with bed.hold(number, tmp_path):
        (tmp_path / "now").touch()
        started = time.monotonic()
        result = program.wait().ok()
        assert 2 < time.monotonic() - started < 20
    assert "the hard way" in result.err
    assert bed.mapped() == []


def unix_process(bed, *words):
    """Of the client, run with these words in this bed: Wine makes it a child of nobody."""
    wanted = [os.fsencode(str(word)) for word in (CLIENT, *words)]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if command[:len(wanted)] == wanted and os.fsencode(bed.where) in (folder / "environ").read_bytes():
                return int(folder.name)
        except OSError:
            pass
    raise AssertionError(f"no process runs {words}")


def wait_until(condition, limit_s):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_program_takes_its_disk_along_and_ends_what_waits(bed, disk_file):
    serving = Serving(bed, "file", "--file", windows_path(disk_file))
    pid = unix_process(bed, "map", "file")
    os.kill(pid, signal.SIGSTOP)
    reader = bed.start_diskio("read", serving.number, 0, 4096)
    wait_until(lambda: bed.stats("file")["OutstandingIOCount"] > 0, 30)
    assert reader.process.poll() is None
    os.kill(pid, signal.SIGKILL)
    started = time.monotonic()
    assert reader.wait().code != 0
    assert time.monotonic() - started < 2
    assert bed.mapped() == []
    serving.program.process.communicate(timeout=30)
    end(bed, "file", Serving(bed, "file", "--file", windows_path(disk_file)))


@pytest.mark.parametrize("turn", range(3))  # it dies while its requests are anywhere: not the same moment twice
def test_program_killed_under_load(turn, bed, image):
    serving = Serving(bed, "file", "--file", windows_path(image))
    load = bed.start_diskio("storm", serving.number, "--threads", 8, "--seconds", 100, "--bytes", 64 * MIB)
    bed.wait_for_load("file")
    time.sleep(0.05 * turn)
    os.kill(unix_process(bed, "map", "file"), signal.SIGKILL)
    wait_until(lambda: bed.mapped() == [], 5)
    assert load.wait().code != 0
    serving.program.process.communicate(timeout=30)


# --- no room: a file system of 8 MiB that only this bed sees

@pytest.fixture
def small_bed(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root")
    tried = subprocess.run(["unshare", "--mount", "true"], env={**os.environ, "LC_ALL": "C"}, capture_output=True,
                           text=True, check=False)
    if "Operation not permitted" in tried.stderr:
        pytest.skip("a file system of its own needs CAP_SYS_ADMIN, which a container has only when it is given")
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", f"mount -t tmpfs -o size=8m small '{small}' && echo && exec "
                           "sleep 600"], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.read(1) == b"\n"
            bed = Bed(within=["nsenter", "--mount", "--root", "--wd", f"--target={holder.pid}", "--"])
            yield bed, small
            bed.stop()
        finally:
            holder.kill()


def test_full_disk_is_said_and_nothing_is_lost(small_bed):
    bed, small = small_bed
    serving = Serving(bed, "full", "--file", windows_path(small / "disk.img"), "--size", "64M")
    written = ("--seed", 3, "--bytes", 4 * MIB)
    bed.diskio("write-random", serving.number, *written).ok()
    results = [bed.diskio("write", serving.number, (32 + at) * MIB, MIB, 1) for at in range(6)]
    assert results[0].code == 0 and "error 112" in results[-1].out  # ERROR_DISK_FULL, from the sense
    assert "verify: equal" in bed.diskio("verify", serving.number, *written).ok().out
    bed.diskio("read", serving.number, 32 * MIB, MIB).ok()
    bed.diskio("write", serving.number, 0, 512, 1).ok()  # there is room for what has room
    assert "no room left" in end(bed, "full", serving).err
