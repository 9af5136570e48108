# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Mappings that come back: what `--persistent` records, and the service that carries it out. The service runs under Wine's
service control manager; what it says to the event log is read from the debugger's output, because Wine's event log keeps
nothing.
"""

import contextlib
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

import scripted
import servers
from beds import BUILD, PROGRAMS, ROOT, Bed, windows_path
from schema import Schema
from test_install import derived
from test_online import BRING_ONLINE, OFFLINE, READ_ONLY, set_policy

NOT_MAPPED = 2
START_WAIT_S = 4
SOON_S = 40
RECORDS = r"HKLM\SOFTWARE\WNBD\Mappings"
EVENTS = ROOT / "wnbd-service" / "events.mc"
RESET_LUN = 1  # BED_INJECT_RESET_LUN of bed/port/control.h
SAID = re.compile(r"wnbd-service (\d+): (.*?)(?:\\n\"?)?$", re.MULTILINE)

RUNNING, STOPPED, MAPPED, FOUND, UNMAPPED, FORGOTTEN, TAKEN_AWAY = range(100, 107)
NOT_MAPPED_YET, STAYS, PULLED, CLIENT_ENDED, WITH_ADAPTER, NOT_ONLINE = range(200, 206)
BAD_RECORD, FAILED = 300, 301


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The programs as they are installed: side by side."""
    where = tmp_path_factory.mktemp("programs")
    for name in ("wnbd-service/wnbd-service.exe", "wnbd-client/wnbd-client.exe", "libwnbd/wnbd.dll"):
        shutil.copy2(BUILD / name, where)
    return where


class Service:
    """The service in a bed, and its records."""

    def __init__(self, bed, folder):
        self.bed = bed
        self.program = folder / "wnbd-service.exe"
        self.seen = 0

    def tool(self, name, *arguments):
        return self.bed.start(Path(self.bed.where, "prefix/drive_c/windows/system32", name), *arguments).wait()

    def reg(self, *arguments):
        return self.tool("reg.exe", *arguments).ok()

    def set_value(self, key, name, kind, value):
        self.reg("add", key, "/v", name, "/t", kind, "/d", str(value), "/f")

    def install(self):
        result = self.bed.start(self.program, "install").wait().ok()
        assert result.out == ""
        return result

    def uninstall(self):
        self.bed.start(self.program, "uninstall").wait().ok()

    def start(self):
        self.tool("net.exe", "start", "wnbd-service").ok()

    def stop(self):
        self.tool("net.exe", "stop", "wnbd-service").ok()
        deadline = time.monotonic() + SOON_S
        while self.state() != "STOPPED":
            assert time.monotonic() < deadline

    def state(self):
        return re.search(r"STATE\s*:\s*\d+\s+(\w+)", self.tool("sc.exe", "query", "wnbd-service").out)[1]

    def pid(self):
        """Of the Unix process in this bed."""
        mine = f"WINEPREFIX={self.bed.where}/prefix\0".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if b"wnbd-service.exe" in (process / "cmdline").read_bytes() and \
                        mine in (process / "environ").read_bytes() + b"\0":
                    return int(process.name)
        return None

    def kill(self):
        """As a crash. Wine's service control manager does not notice it before it is told to start the service."""
        os.kill(self.pid(), signal.SIGKILL)
        deadline = time.monotonic() + SOON_S
        while self.pid():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def messages(self):
        """All that it has said: (number, text)."""
        found = SAID.findall(self.bed.log())
        return [(int(number), text.replace("\\\\", "\\")) for number, text in found]

    def forget_messages(self):
        self.seen = len(self.messages())

    def said(self, number, *words):
        """Whether it has said so since forget_messages."""
        return any(n == number and all(word in text for word in words) for n, text in self.messages()[self.seen:])

    def says(self, number, *words, within_s=SOON_S):
        deadline = time.monotonic() + within_s
        while not self.said(number, *words):
            assert time.monotonic() < deadline, f"not said: {number} {words}; but: {self.messages()[self.seen:]}"
            time.sleep(0.1)


@pytest.fixture
def service(bed, folder):
    running = Service(bed, folder)
    running.forget_messages()
    running.set_value(r"HKLM\SOFTWARE\WNBD", "StartWaitSeconds", "REG_DWORD", START_WAIT_S)
    yield running
    running.uninstall()
    running.tool("reg.exe", "delete", RECORDS, "/f")


class Later:
    """A server that is down until start() is called."""

    def __init__(self, server):
        self.server = server
        self.is_up = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_up:
            self.server.end()

    def start(self):
        self.server.start()
        self.is_up = True

    def end(self):
        self.server.end()
        self.is_up = False


@pytest.fixture
def three(tmp_path, stack):
    """Servers of disks 'a', 'b' and 'c'."""
    made = {}
    for name in "abc":
        path = servers.sparse_file(tmp_path / f"{name}.img", 64 << 20)
        made[name] = stack.enter_context(Later(servers.nbdkit(tmp_path, "file", path)))
        made[name].start()
    return made


def record(bed, three):
    """Maps the three and unmaps them again: the records stay."""
    for name, later in three.items():
        result = bed.try_map(name, later.server, "--persistent").ok()
        assert f"Recorded '{name}'" in result.out
    for name in three:
        assert "is recorded, so it comes back" in bed.unmap(name).ok().err


def recorded(bed):
    """Name and whether it is mapped, of `list --persistent`."""
    rows = bed.client("list", "--persistent").ok().out.splitlines()[1:]
    return {row.split(None, 4)[4]: row.split()[0] == "yes" for row in rows}


def wait_for_mapped(bed, *names):
    deadline = time.monotonic() + SOON_S
    while sorted(bed.mapped()) != sorted(names):
        assert time.monotonic() < deadline, bed.mapped()
        time.sleep(0.2)


# --- the whole life


def test_start_crash_restart_and_stop_with_one_server_down(three, service, bed):
    record(bed, three)
    three["c"].end()
    service.install()
    wait_for_mapped(bed, "a", "b")
    service.says(RUNNING, "2 of 3")
    service.says(NOT_MAPPED_YET, "'c'", "refused", "unmap --persistent")
    assert bed.show("a")["Owner"] == "wnbd-service"

    three["c"].start()
    service.says(MAPPED, "'c'", "PhysicalDrive")
    wait_for_mapped(bed, "a", "b", "c")
    bed.diskio("write-random", bed.number("c"), "--bytes", 1 << 20).ok()

    service.forget_messages()
    service.kill()
    assert sorted(bed.mapped()) == ["a", "b", "c"], "the driver's disks outlive the service"
    bed.diskio("verify", bed.number("c"), "--bytes", 1 << 20).ok()
    service.start()
    for name in "abc":
        service.says(FOUND, f"'{name}'")
    service.says(RUNNING, "3 of 3")

    service.forget_messages()
    service.stop()
    for name in "abc":
        assert service.said(UNMAPPED, f"'{name}'")
    service.says(STOPPED)
    assert bed.mapped() == []
    assert recorded(bed) == {"a": False, "b": False, "c": False}

    service.start()
    wait_for_mapped(bed, "a", "b", "c")
    bed.diskio("verify", bed.number("c"), "--bytes", 1 << 20).ok()
    service.stop()
    assert bed.mapped() == []


def test_who_depends_on_the_service_finds_the_disks(three, service, bed):
    """It is RUNNING when the disks are there, though a server answers late; or when the time for that is over."""
    record(bed, three)
    service.install()
    service.says(RUNNING, "3 of 3")
    messages = [number for number, _ in service.messages()[service.seen:]]
    assert messages.index(RUNNING) > max(index for index, number in enumerate(messages) if number == MAPPED)
    service.stop()

    for later in three.values():
        later.end()
    service.forget_messages()
    begun = time.monotonic()
    service.start()
    service.says(RUNNING, "0 of 3")
    assert time.monotonic() - begun > START_WAIT_S - 1
    service.stop()


def test_stop_while_a_server_is_silent(bed, service, stack):
    """An attempt that is under way is cancelled, and leaves nothing."""

    class Silent(scripted.Scripted):
        def talk(self, stream):
            while stream.recv(4096):
                pass

    with servers_record(bed, service, "quiet", stack.enter_context(Silent())):
        service.install()
        service.says(RUNNING, "0 of 1")
        begun = time.monotonic()
        service.stop()
        assert time.monotonic() - begun < 8  # ConnectTimeoutMs is 10 s
        assert bed.mapped() == []


@contextlib.contextmanager
def servers_record(bed, service, name, server):
    """A record of a disk that cannot be mapped just now, so `map` cannot make it."""
    write_record(service, name, server.address, server.port)
    yield
    assert recorded(bed) == {name: False}


def write_record(service, name, address, port, **changed):
    values = {"Hostname": ("REG_SZ", address), "ExportName": ("REG_SZ", ""), "PortNumber": ("REG_DWORD", port),
              "SkipNegotiation": ("REG_DWORD", 0), "Force": ("REG_DWORD", 0), "Connections": ("REG_DWORD", 0),
              "ReadOnly": ("REG_DWORD", 0), "UseUserspaceNbd": ("REG_DWORD", 0), "BlockCount": ("REG_QWORD", 0),
              "BlockSize": ("REG_DWORD", 512), "PhysicalBlockSize": ("REG_DWORD", 0), **changed}
    for field, value in values.items():
        if value:
            service.set_value(rf"{RECORDS}\{name}", field, *value)


def test_stop_while_a_disk_is_in_use_leaves_it_mapped(server, service, bed, tmp_path):
    bed.try_map("used", server, "--persistent").ok()
    service.install()
    service.says(FOUND, "'used'")
    with bed.hold(bed.number("used"), tmp_path):
        service.tool("net.exe", "stop", "wnbd-service")  # which may lose patience first
        service.says(STAYS, "'used'", "in use", "wnbd-client unmap", within_s=120)
        service.says(STOPPED)
    assert bed.mapped() == ["used"]


def test_stop_while_a_disk_that_it_serves_is_in_use_pulls_it(server, service, bed, tmp_path):
    service.install()
    service.says(RUNNING, "0 of 0")
    number = bed.map("used", server, "--user", "--persistent")
    with bed.hold(number, tmp_path):
        service.tool("net.exe", "stop", "wnbd-service")  # which may lose patience first
        service.says(PULLED, "'used'", "in use", "Check its file system", within_s=120)
        service.says(STOPPED)
    assert bed.mapped() == [] and recorded(bed) == {"used": False}


def test_the_service_cannot_work_without_its_records(service, bed):
    """Their key cannot be made below one that does not stay."""
    service.tool("reg.exe", "delete", r"HKLM\SOFTWARE\WNBD", "/f").ok()
    bed.start(PROGRAMS / "volatile_key.exe", r"SOFTWARE\WNBD").wait().ok()
    bed.start(service.program, "install").wait()  # which does not see it running
    service.says(FAILED, "reinstall it with 'wnbd-service install'")
    service.tool("reg.exe", "delete", r"HKLM\SOFTWARE\WNBD", "/f").ok()


# --- records that come and go while it runs


def test_a_record_that_is_written_while_it_runs(three, service, bed):
    service.install()
    service.says(RUNNING, "0 of 0")
    bed.try_map("a", three["a"].server, "--persistent").ok()
    service.says(FOUND, "'a'")
    service.stop()
    assert service.said(UNMAPPED, "'a'") and bed.mapped() == []


def test_a_record_that_is_deleted_while_it_runs(three, service, bed):
    record(bed, three)
    three["b"].end()
    service.install()
    service.says(NOT_MAPPED_YET, "'b'")
    bed.unmap("a", "--persistent").ok()
    bed.unmap("b", "--persistent").ok()
    service.says(FORGOTTEN, "'a'")
    service.says(FORGOTTEN, "'b'")
    three["b"].start()
    service.stop()
    assert service.said(UNMAPPED, "'c'") and not service.said(UNMAPPED, "'a'")
    assert recorded(bed) == {"c": False} and bed.mapped() == []


# --- disks that the service serves


def test_the_service_serves_a_disk(server, service, bed):
    """Its NBD client is in the service: it goes with it, and comes back with it."""
    bed.try_map("x", server, "--user", "--persistent").failed(1062, "'x'", "service", "does not run")
    assert recorded(bed) == {}
    service.install()
    service.says(RUNNING, "0 of 0")
    number = bed.map("x", server, "--user", "--persistent")
    service.says(MAPPED, "'x'", str(number))
    assert bed.show("x")["UseUserspaceNbd"] == "1" and bed.show("x")["Owner"] == "wnbd-service"
    bed.diskio("write-random", number, "--bytes", 1 << 20).ok()
    service.stop()
    assert service.said(UNMAPPED, "'x'") and bed.mapped() == []

    service.start()
    wait_for_mapped(bed, "x")
    service.kill()
    deadline = time.monotonic() + SOON_S
    while bed.mapped():
        assert time.monotonic() < deadline, "the disk has lost its client"
        time.sleep(0.1)
    service.start()
    wait_for_mapped(bed, "x")
    bed.diskio("verify", bed.number("x"), "--bytes", 1 << 20).ok()

    bed.unmap("x").ok()
    service.says(TAKEN_AWAY, "'x'")
    bed.unmap("x", "--persistent").ok()
    service.says(FORGOTTEN, "'x'")
    service.stop()


def test_the_service_cannot_serve_a_disk_whose_server_is_down(tmp_path, image, service, bed):
    service.install()
    service.says(RUNNING, "0 of 0")
    down = servers.nbdkit(tmp_path, "file", image)
    result = bed.try_map("x", down, "--user", "--persistent")
    assert result.code == 258 and "event log" in result.err, repr(result)
    assert recorded(bed) == {}
    service.says(NOT_MAPPED_YET, "'x'", "refused")
    service.says(FORGOTTEN, "'x'")


def test_a_client_that_is_given_up_is_started_again(server, service, bed):
    """Its server is silent for so long that the driver takes the disk from it."""
    service.install()
    service.says(RUNNING, "0 of 0")
    number = bed.map("x", server, "--user", "--persistent")
    bed.diskio("read", number, 0, 512).ok()
    for option in ("StaleReqTimeoutMs", "StaleConnTimeoutMs"):
        bed.client("set-opt", option, 1000).ok()
    server.signal(signal.SIGSTOP)
    reading = bed.start_diskio("read", number, 0, 512)
    time.sleep(2.5)
    bed.inject(RESET_LUN, number)
    service.says(CLIENT_ENDED, "'x'", "has not answered for too long")
    server.signal(signal.SIGCONT)
    reading.wait()
    for option in ("StaleReqTimeoutMs", "StaleConnTimeoutMs"):
        bed.client("reset-opt", option).ok()
    service.says(MAPPED, "'x'")
    service.stop()


# --- disks that the adapter takes along, and disks that somebody unmaps


def started_with_both_kinds(three, service, bed):
    service.install()
    service.says(RUNNING, "0 of 0")
    bed.map("a", three["a"].server, "--persistent")
    bed.map("b", three["b"].server, "--user", "--persistent")
    service.says(FOUND, "'a'")
    service.says(MAPPED, "'b'")
    bed.diskio("write-random", bed.number("a"), "--bytes", 1 << 20).ok()
    service.forget_messages()


@pytest.mark.parametrize("options", [(), ("--hard-disconnect-mappings",)], ids=["reset", "cleared"])
def test_disks_that_went_with_the_adapter_come_back(options, three, service, bed):
    started_with_both_kinds(three, service, bed)
    bed.client("reset-adapter", *options).ok()
    for name in "ab":
        service.says(WITH_ADAPTER, f"'{name}'")
        service.says(MAPPED, f"'{name}'")
    wait_for_mapped(bed, "a", "b")
    assert not service.said(TAKEN_AWAY)
    bed.diskio("verify", bed.number("a"), "--bytes", 1 << 20).ok()
    service.stop()
    assert bed.mapped() == []


def test_disks_wait_for_an_adapter_that_is_away(three, service, bed):
    started_with_both_kinds(three, service, bed)
    bed.adapter("disable")
    for name in "ab":
        service.says(WITH_ADAPTER, f"'{name}'")
        service.says(NOT_MAPPED_YET, f"'{name}'")
    bed.adapter("enable")
    wait_for_mapped(bed, "a", "b")
    service.stop()


def test_stop_while_the_adapter_is_away(three, service, bed):
    """Nothing keeps the service, and nothing is mapped when the adapter comes."""
    started_with_both_kinds(three, service, bed)
    bed.adapter("disable")
    service.says(NOT_MAPPED_YET, "'a'")
    service.says(NOT_MAPPED_YET, "'b'")
    begun = time.monotonic()
    service.stop()
    assert time.monotonic() - begun < 8
    service.forget_messages()
    bed.adapter("enable")
    time.sleep(3)
    assert bed.mapped() == [] and not service.said(MAPPED)


def test_a_disk_that_somebody_unmaps_is_left_alone_until_somebody_maps_it(three, service, bed):
    started_with_both_kinds(three, service, bed)
    for name, options in (("a", ()), ("b", ("--hard-disconnect",))):
        bed.unmap(name, *options).ok()
        service.says(TAKEN_AWAY, f"'{name}'")
    bed.map("c", three["c"].server)
    bed.unmap("c").ok()
    time.sleep(3)
    assert bed.mapped() == [] and not service.said(MAPPED)
    told = [number for number, _ in service.messages()[service.seen:]]
    assert told == [TAKEN_AWAY, TAKEN_AWAY], "once each"

    bed.map("a", three["a"].server, "--persistent")
    service.says(FOUND, "'a'")
    service.stop()
    assert service.said(UNMAPPED, "'a'") and bed.mapped() == []


def test_a_disk_that_was_unmapped_does_not_come_back_with_the_adapter(three, service, bed):
    started_with_both_kinds(three, service, bed)
    bed.unmap("a").ok()
    service.says(TAKEN_AWAY, "'a'")
    bed.client("reset-adapter").ok()
    service.says(WITH_ADAPTER, "'b'")
    wait_for_mapped(bed, "b")
    time.sleep(3)
    assert bed.mapped() == ["b"] and not service.said(WITH_ADAPTER, "'a'")
    service.stop()


# --- disks that Windows does not let be used


@pytest.mark.parametrize("attributes, options, words", [
    (OFFLINE, (), ["offline", BRING_ONLINE]),
    (OFFLINE, ("--user",), ["offline", BRING_ONLINE]),
    (READ_ONLY, ("--read-only",), None),
], ids=["driver", "service", "read-only"])
def test_a_disk_that_windows_left_offline(attributes, options, words, three, service, bed):
    service.install()
    service.says(RUNNING, "0 of 0")
    bed.map("a", three["a"].server, *options, "--persistent")
    service.says(MAPPED if "--user" in options else FOUND, "'a'")
    service.stop()
    assert not service.said(NOT_ONLINE)

    set_policy(bed, bed.map("b", three["b"].server), attributes)
    service.forget_messages()
    service.start()
    wait_for_mapped(bed, "a", "b")
    service.says(RUNNING, "1 of 1")
    if words:
        service.says(NOT_ONLINE, "'a'", *(word.format(bed.number("a")) for word in words))
    else:
        assert not service.said(NOT_ONLINE)
    set_policy(bed, bed.number("b"), 0)
    service.stop()


# --- records that are wrong


@pytest.mark.parametrize("changed, words", [
    ({"PortNumber": ("REG_DWORD", 0)}, ["'PortNumber' is 0", "1 to 65535"]),
    ({"PortNumber": ("REG_SZ", "10809")}, ["'PortNumber' is not a REG_DWORD"]),
    ({"Hostname": ("REG_SZ", "")}, ["'Hostname' is empty"]),
    ({"Hostname": ("REG_SZ", "h" * 300)}, ["'Hostname' is longer than 255"]),
    ({"ReadOnly": None}, ["'ReadOnly' is missing"]),
    ({"Encryption": ("REG_DWORD", 1)}, ["'Encryption'", "does not know"]),
], ids=["range", "type", "empty", "long", "missing", "unknown"])
def test_a_bad_record_is_told_and_skipped(changed, words, three, service, bed):
    bed.try_map("a", three["a"].server, "--persistent").ok()
    bed.unmap("a").ok()
    write_record(service, "bad", "127.0.0.1", three["b"].server.port, **changed)
    service.install()
    service.says(BAD_RECORD, "'bad'", *words)
    service.says(RUNNING, "1 of 2")
    assert bed.mapped() == ["a"]
    assert all(word in bed.client("list", "--persistent").ok().err for word in words)
    bed.unmap("bad", "--persistent").ok()
    assert recorded(bed) == {"a": True}
    service.stop()


# --- the client's side


def test_recording_a_disk_that_is_mapped_already(server, service, bed):
    bed.map("x", server)
    result = bed.try_map("x", server, "--persistent").ok()
    assert result.out == "Recorded 'x': the WNBD service maps it when the machine starts.\n"
    assert recorded(bed) == {"x": True}
    bed.try_map("x", server, "--persistent", "--read-only").failed(183, "'x'", "in use")
    bed.try_map("x", server, "--persistent", export="other").failed(183, "'x'", "in use")
    assert recorded(bed) == {"x": True}


def test_a_mapping_that_fails_is_not_recorded(tmp_path, image, service, bed):
    down = servers.nbdkit(tmp_path, "file", image)
    assert bed.try_map("x", down, "--persistent").code != 0
    assert recorded(bed) == {}


def test_unmapping_and_forgetting(server, service, bed):
    bed.unmap("x", "--persistent").failed(NOT_MAPPED, "'x'")
    bed.try_map("x", server, "--persistent").ok()
    result = bed.unmap("x", "--persistent").ok()
    assert (result.out, result.err) == ("", "") and recorded(bed) == {} and bed.mapped() == []
    bed.try_map("x", server, "--persistent").ok()
    bed.unmap("x").ok()
    assert "'x' is recorded, but not mapped" in bed.client("list").ok().err
    bed.unmap("x", "--persistent").ok()
    assert recorded(bed) == {} and bed.client("list").ok().err == ""


def test_a_record_stays_when_the_unmapping_was_refused(server, service, bed, tmp_path):
    bed.try_map("x", server, "--persistent").ok()
    with bed.hold(bed.number("x"), tmp_path):
        bed.unmap("x", "--persistent", "--no-hard-disconnect-fallback", "--soft-disconnect-timeout", 1).failed(1460, "'x'")
    assert recorded(bed) == {"x": True}


def test_names_that_a_key_cannot_have(tmp_path, image, service, bed, stack):
    """Backslashes, percent signs, other letters; and two names that the registry takes for the same."""
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    names = ["back\\slash", "100%5C", "Größe ☃"]
    for name in names:
        bed.try_map(name, server, "--persistent", "--force").ok()
    assert recorded(bed) == {name: True for name in names}
    result = bed.try_map("BACK\\slash", server, "--persistent", "--force")
    assert result.code == 183 and "record has that name in other letters" in result.err, repr(result)
    for name in names:
        bed.unmap(name, "--persistent").ok()
    assert recorded(bed) == {}


def test_records_as_json(server, service, bed):
    """Disks say whether they are recorded; records what they are, or why they cannot be used."""
    schema = Schema()
    where = (server.address, "--port", server.port, "--export-name", "", "--persistent", "--format", "json")
    mapped = schema.check("map", bed.client("map", "x", *where).ok().out)
    assert schema.check("map", bed.client("map", "x", *where).ok().out) == mapped
    write_record(service, "bad", "127.0.0.1", 0)
    listed, = schema.check("list", bed.client("list", "--format", "json").ok().out)
    assert listed["recorded"] is True
    rows = schema.check("list-persistent", bed.client("list", "--persistent", "--format", "json").ok().out)
    bad, good = sorted(rows, key=lambda row: row["name"])
    assert "'PortNumber' is 0" in bad["problem"] and bad["record"] is None and not bad["mapped"]
    assert good["problem"] is None and good["mapped"] and good["record"]["port"] == server.port


# --- installing


def test_commands_that_it_does_not_know(service, bed):
    for words in (["reinstall"], ["install", "now"]):
        result = bed.start(service.program, *words).wait()
        assert result.code == 87 and result.err.startswith("wnbd-service: ") and len(result.err.splitlines()) == 1


def test_installing_twice_and_removing_what_is_not_there(service, bed):
    service.uninstall()
    service.install()
    service.install()
    service.says(RUNNING, "0 of 0")
    service.reg("query", r"HKLM\System\CurrentControlSet\Services\EventLog\Application\wnbd-service")
    service.uninstall()
    service.says(STOPPED)
    source = service.tool("reg.exe", "query", r"HKLM\System\CurrentControlSet\Services\EventLog\Application\wnbd-service")
    assert source.code != 0


def run_in_foreground(bed, service, tmp_path):
    """It runs; when the file is touched Ctrl-C is typed."""
    until = tmp_path / "until"
    running = bed.start(PROGRAMS / "interrupt.exe", windows_path(until), windows_path(service.program), "run")
    # Its word, not the list's: the driver lists a disk before the service has seen it appear, and a stop in between
    # undoes it.
    said = iter(running.line, "")
    assert any(line.startswith(f"wnbd-service {RUNNING}:") for line in said)
    return until, running


def numbers_said(running):
    out = running.wait().ok().out
    return [int(number) for number in re.findall(r"^wnbd-service (\d+): ", out, re.MULTILINE)]


def test_the_service_in_the_foreground(server, service, bed, tmp_path):
    """`run` prints its messages, and Ctrl-C is its stop."""
    bed.try_map("x", server, "--persistent").ok()
    bed.unmap("x").ok()
    until, running = run_in_foreground(bed, service, tmp_path)
    until.touch()
    assert numbers_said(running) == [MAPPED, RUNNING, UNMAPPED, STOPPED]
    assert bed.mapped() == []


def test_stop_just_when_the_adapter_goes(server, service, bed, tmp_path):
    """Before the service has looked: there is no disk any more that it could ask for a minute."""
    bed.try_map("x", server, "--persistent").ok()
    bed.unmap("x").ok()
    until, running = run_in_foreground(bed, service, tmp_path)
    bed.adapter("disable")
    until.touch()
    begun = time.monotonic()
    numbers = numbers_said(running)
    assert time.monotonic() - begun < 8
    assert [number for number in numbers if number != WITH_ADAPTER] == [MAPPED, RUNNING, STOPPED], numbers
    bed.adapter("enable")


def test_each_event_has_a_test_and_a_row():
    numbers = [int(number) for number in re.findall(r"^MessageId=(\d+)", EVENTS.read_text(), re.MULTILINE)]
    source = Path(__file__).read_text()
    names = {value: name for name, value in globals().items() if isinstance(value, int) and value >= RUNNING}
    assert sorted(names) == numbers
    for number in numbers:
        assert len(re.findall(rf"\b{names[number]}\b", source)) > 1, f"no test of {names[number]}"
        assert f"| {number} | " in (ROOT / "docs" / "service.md").read_text(), f"{number} is not documented"


def test_what_an_administrator_has_set_stays(service, bed):
    """How it starts: when it is disabled it is not started either."""
    service.uninstall()
    service.tool("sc.exe", "create", "wnbd-service", "binpath=", "C:\\elsewhere.exe", "start=", "disabled").ok()
    result = bed.start(service.program, "install").wait().ok()
    assert "note: the service is disabled, and is not started.\n" in result.err
    key = service.reg("query", r"HKLM\System\CurrentControlSet\Services\wnbd-service").out
    assert re.search(r"\bStart\s+REG_DWORD\s+0x4\b", key) and "elsewhere" not in key, key
    assert service.state() == "STOPPED"


def package_with_service(folder, where):
    package = where / "package"
    shutil.copytree(folder, package)
    derived(ROOT / "driver" / "wnbd.inf", package)
    shutil.copy2(BUILD / "driver" / "wnbd.sys", package)
    return package


def test_the_driver_is_installed_with_the_service(folder, tmp_path):
    """`install-driver` installs what stands beside the client, `uninstall-driver` removes it first."""
    package = package_with_service(folder, tmp_path)
    bare = Bed("--no-driver")
    service = Service(bare, package)
    bare.start(package / "wnbd-client.exe", "install-driver", windows_path(package / "wnbd.inf")).wait().ok()
    service.says(RUNNING, "0 of 0")
    bare.start(package / "wnbd-client.exe", "uninstall-driver").wait().ok()
    service.says(STOPPED)
    assert "STATE" not in service.tool("sc.exe", "query", "wnbd-service").out
    bare.start(package / "wnbd-client.exe", "install-driver", windows_path(package / "wnbd.inf")).wait().ok()
    service.uninstall()
    bare.stop()


def test_the_driver_is_exchanged_and_the_service_kept(folder, tmp_path):
    """As an upgrade does it: `uninstall-driver --keep-service` stops it, `install-driver` starts it again."""
    package = package_with_service(folder, tmp_path)
    bare = Bed("--no-driver")
    service = Service(bare, package)
    bare.start(package / "wnbd-client.exe", "uninstall-driver", "--keep-service").wait().ok()  # there is none yet
    for _ in range(2):
        bare.start(package / "wnbd-client.exe", "install-driver", windows_path(package / "wnbd.inf")).wait().ok()
        service.says(RUNNING, "0 of 0")
        service.forget_messages()
        bare.start(package / "wnbd-client.exe", "uninstall-driver", "--keep-service").wait().ok()
        service.says(STOPPED)
        assert service.state() == "STOPPED"
    bare.start(service.program, "stop").wait().ok()  # it is
    service.uninstall()
    bare.start(service.program, "stop").wait().ok()
    bare.stop()
