# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Each message of the library reaches a program's logger, with its id and level, when it should. What a whole machine
never answers is answered by functions of Windows that tests/windows/caller.c lets fail. tests/floors/test_messages.py
looks whether all are here.
"""

import re
import shutil
import signal
from pathlib import Path

import pytest

import scripted
import servers
from beds import ROOT, windows_path
from programs import Caller
from test_install import package  # noqa: F401, a fixture
from test_serve import FLUSH

BED_OPTIONS = ("--set-parameter", "ReconnectTimeoutMs=2000")
TABLE = re.findall(r"MESSAGE\(\s*(\w+), (\d{4}), (\w+),", (ROOT / "libwnbd" / "messages.h").read_text())
MESSAGES = {name: f"{level.upper()} {number}" for name, number, level in TABLE}
DEBUG = 4
CR_FAILURE, CR_REMOVE_VETOED = 19, 23
ACCESS_DENIED, BUSY, GENERAL_FAILURE, NOT_SUPPORTED, DUPLICATE_FOUND = 5, 170, 31, 50, 0xE0000202
LONG_AFTER = 1 << 60


def said(result, name, text):
    """A call of the caller has told the logger so, once."""
    lines = re.findall(rf"^log: {MESSAGES[name]} (.*)$", result.out, re.MULTILINE)
    assert len(lines) == 1 and text in lines[0], repr(result)


@pytest.fixture
def faulty(call):
    """The caller; what fails in it works again afterwards."""
    yield call
    call("heal")


# --- disks


@pytest.fixture
def daemon(call, other, stack):
    """Starts the library's NBD client in `call`, and tells what its logger hears."""
    del stack  # only for the order in which fixtures end: servers after disks
    names = []

    class Daemon:
        def __init__(self, name, server):
            names.append(name)
            self.name = name
            self.mark = len(call.lines)
            call("start-daemon", name, "--host", server.address, "--port", server.port).ok()
            self.number = int(other("poll", name, 0, 1, 30000, 50).ok().fields()["number"])

        def says(self, name, text):
            """It has, or does in time."""
            line = call.wait(rf"^log: {MESSAGES[name]} (.*)$", self.mark)
            assert f"'{self.name}'" in line[1] and text in line[1]

    call("log-level", DEBUG)
    yield Daemon
    call("heal")
    for name in names:
        other("remove", name, "--hard")
        call("wait-daemon")
    call("log-level", 2)


def run_daemon(call, *words):
    """One that fails, which may be while it is being started: all lines from there on."""
    mark = len(call.lines)
    call("start-daemon", *words).ok()
    result = call("wait-daemon")
    result.out = "\n".join(call.lines[mark:])
    return result


def test_mapping_fails(call):
    result = run_daemon(call, "no", "--port", servers.free_port())
    said(result, "NOT_MAPPED", "cannot map 'no': ")


def test_names_that_are_too_long(call):
    what = f"cannot map '{255 * 'n'}': a name in its properties is too long"
    said(call("create", "long", 8, 512), "NOT_MAPPED", what)


def test_export_that_is_not_whole_blocks(tmp_path, call, stack):
    path = servers.sparse_file(tmp_path / "odd.img", 64 * 512 + 100)
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", path))
    result = call("map", "odd", "--host", server.address, "--port", server.port).ok()
    said(result, "MAPPED_WITH_NOTE", "'odd' is mapped: the last 100 bytes")
    call("remove", "odd", "--hard").ok()


def test_unmapping_fails(faulty):
    with faulty.serve("stays") as disk:
        assert disk.number >= 0
        faulty("let-fail", "CM_Query_And_Remove_SubTreeW", CR_FAILURE)
        said(faulty("remove", "stays"), "NOT_UNMAPPED", "cannot unmap 'stays': Plug and Play could not remove its disk "
             "device (configuration manager code 19)")
        said(faulty("remove", "stays", "--fallback").ok(), "UNMAPPED_HARD", "'stays' was unmapped the hard way: ")


def test_request_that_the_program_does_not_serve(call):
    with call.serve("lacks", "--flush", "--lacks", "flush") as disk:
        call.sense(disk.number, FLUSH)
        assert disk.said(rf"^log {MESSAGES['REQUEST_REFUSED']} 'lacks': a request of type FLUSH was refused")


def test_threads_of_the_dispatcher_cannot_be_made(tmp_path, faulty, image, stack):
    """The first thread is the disk's keeper's, the second reads what the server sends."""
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    faulty("let-fail", "CreateThread", 0, "--error", GENERAL_FAILURE, "--after", 2)
    result = run_daemon(faulty, "idle", "--port", server.port)
    assert result.code == GENERAL_FAILURE
    said(result, "NOT_SERVED", "cannot serve 'idle': the dispatcher's threads")


def test_driver_gives_no_more_requests(daemon, call, other, server):
    disk = daemon("fails", server)
    call("let-fail", "DeviceIoControl", 0, "--error", GENERAL_FAILURE, "--times", 1)
    other.disk("read", disk.number, 0, 4096)
    disk.says("SERVED_NO_MORE", f"cannot be served any more: Windows error {GENERAL_FAILURE}")


def test_connection_is_lost(tmp_path, image, daemon, other, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    disk = daemon("lost", server)
    server.end(signal.SIGKILL)
    disk.says("CONNECTION_LOST", "the connection is lost: ")
    disk.says("NO_CONNECTION_YET", "still no connection: ")
    disk.says("GIVEN_UP", "no connection within 2000 ms")
    server.start()
    disk.says("CONNECTED_AGAIN", "connected again")


def test_requests_are_sent_again(daemon, other, stack):
    server = stack.enter_context(scripted.BrokenOnce())
    disk = daemon("again", server)
    server.broken = "close"
    other.disk("read", disk.number, 0, 4096).ok()
    disk.says("SENT_AGAIN", "1 requests will be sent again")


def test_export_grows(daemon, stack):
    server = stack.enter_context(scripted.Faulty())
    disk = daemon("grows", server)
    was = server.size
    server.size *= 2
    server.streams[-1].shutdown(2)
    disk.says("EXPORT_GREW", f"{2 * was} bytes, was {was}")


def test_server_does_not_close(daemon, other, stack):
    server = stack.enter_context(scripted.Deaf())
    disk = daemon("deaf", server)
    server.deaf = True
    other.disk("write", disk.number, 0, 4096, 1).ok()
    disk.says("SERVER_DID_NOT_CLOSE", "the server did not close the old connection")


# --- the adapter


def test_adapter_in_use(faulty):
    faulty("let-fail", "CM_Disable_DevNode", CR_REMOVE_VETOED)
    for words in ((), ("--timeout", 1, "--interval", 1)):
        result = faulty("reset-adapter", *words)
        said(result, "RESET_VETOED", "it or one of its disks is in use")
        assert result.code == BUSY


def test_adapter_is_not_disabled(faulty):
    faulty("let-fail", "CM_Disable_DevNode", CR_FAILURE)
    said(faulty("reset-adapter"), "NOT_DISABLED", "could not disable it (configuration manager code 19)")


def test_adapter_is_not_enabled(faulty):
    faulty("let-fail", "CM_Disable_DevNode", 0)
    faulty("let-fail", "CM_Enable_DevNode", CR_FAILURE)
    said(faulty("reset-adapter"), "NOT_ENABLED", "cannot be enabled again (configuration manager code 19)")


def test_there_is_no_id_outside_of_the_logger(call):
    said(call("create", "long", 8, 512), "NOT_MAPPED", "is too long")
    assert call("message-id").code == 0


# --- the driver's installation


@pytest.fixture
def installer(bare):
    """A caller where no driver is installed, before and after."""
    caller = Caller(bare)
    yield caller
    caller("heal")
    caller("uninstall").ok()
    assert caller.end() == 0


def inf_of(folder):
    return windows_path(folder / "wnbd.inf")


def test_adapter_that_is_not_there(installer):
    said(installer("open-adapter"), "ADAPTER_NOT_OPENED", "the WNBD driver is not installed")


def test_package_that_is_none(installer):
    said(installer("install", "C:\\nowhere\\wnbd.inf"), "PACKAGE_UNUSABLE", "there is no file 'C:\\nowhere\\wnbd.inf'")


def test_windows_that_is_too_old(package, bare):  # noqa: F811
    key = r"HKCU\Software\Wine\AppDefaults\caller.exe"
    reg = Path(bare.where, "prefix/drive_c/windows/system32/reg.exe")
    bare.start(reg, "add", key, "/v", "Version", "/d", "win7", "/f").wait().ok()
    caller = Caller(bare)
    result = caller("install", inf_of(package))
    said(result, "WINDOWS_TOO_OLD", "this is 6.1.")
    assert result.code == NOT_SUPPORTED
    assert caller.end() == 0
    bare.start(reg, "delete", key, "/f").wait().ok()


def test_adapter_that_does_not_start(package, installer):  # noqa: F811
    """The time that it has is over at once, and it cannot be removed again."""
    installer("let-fail", "UpdateDriverForPlugAndPlayDevicesW", 1)
    installer("let-fail", "GetTickCount64", LONG_AFTER, "--after", 1)
    installer("let-fail", "SetupDiCallClassInstaller", 0, "--error", ACCESS_DENIED, "--after", 1)
    result = installer("install", inf_of(package))
    said(result, "ADAPTER_NOT_STARTED", "its adapter did not start")
    said(result, "NODE_STAYS", "could not be removed")


def test_second_driver(package, installer):  # noqa: F811
    installer("install", inf_of(package)).ok()
    result = installer("install", inf_of(package))
    said(result, "INSTALLED_ALREADY", "is installed already")
    assert result.code == DUPLICATE_FOUND


def test_counters_that_are_not_registered(package, installer):  # noqa: F811
    installer("let-fail", "CreateProcessW", 0, "--error", ACCESS_DENIED)
    result = installer("install", inf_of(package)).ok()
    said(result, "COUNTERS_NOT_REGISTERED", "lodctr.exe does not run: Windows error 5")


def test_uninstalling_fails(package, bare, installer):  # noqa: F811
    installer("install", inf_of(package)).ok()
    shutil.copy2(package / "wnbd.inf", Path(bare.where, "prefix/drive_c/windows/inf/oem7.inf"))  # Wine keeps the name
    installer("let-fail", "DeviceIoControl", 0, "--error", GENERAL_FAILURE)
    installer("let-fail", "SetupDiCallClassInstaller", 0, "--error", ACCESS_DENIED)
    installer("let-fail", "SetupUninstallOEMInfW", 0, "--error", ACCESS_DENIED)
    installer("let-fail", "CreateProcessW", 0, "--error", ACCESS_DENIED)
    result = installer("uninstall")
    assert result.code == ACCESS_DENIED
    said(result, "DISKS_NOT_REMOVED", "before uninstalling: Windows error 31")
    said(result, "NODE_NOT_REMOVED", "device node of the WNBD adapter: Windows error 5")
    said(result, "PACKAGE_NOT_REMOVED", "driver package oem7.inf: Windows error 5")
    said(result, "COUNTERS_STAY", "unlodctr.exe does not run: Windows error 5")
