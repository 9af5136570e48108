# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Error codes that the interface names for its functions and that other modules have no other reason to meet: what a whole
machine never answers is answered by functions of Windows that tests/windows/caller.c lets fail.
"""

import pytest

from beds import windows_path
from programs import digest, until
from test_install import package  # noqa: F401, a fixture
from test_log_messages import installer  # noqa: F401, a fixture
from test_serve import READ

NOT_FOUND, DENIED, BAD_HANDLE, NO_MEMORY, READY_NOT, GENERAL_FAILURE = 2, 5, 6, 8, 21, 31
OUT_OF_MEMORY, BAD_PARAMETER, OPEN_FAILED, LONG_NAME, TOO_SMALL = 14, 87, 110, 111, 122
BUSY, PIPE, TIMEOUT, DEVICE_GONE, UNKNOWN_HANDLE, NO_RESOURCES = 170, 233, 258, 433, 1168, 1450
EXISTS, NOT_INSTALLED, FORBIDDEN, REMOVE_FAILED = 183, 259, 1115, 15610
CR_NO_SUCH_DEVNODE, CR_FAILURE, CR_REMOVE_VETOED, CR_NOT_DISABLEABLE, CR_ACCESS_DENIED = 13, 19, 23, 40, 51
INVALID_HANDLE = (1 << 64) - 1
MIB = 1 << 20

OPENS_AND_TELLS_WHY = (("open-adapter",), ("find-adapter",), ("reset-adapter",), ("own", "x"), ("attach", "x"))
OPENS = (("list",), ("show", "x"), ("stats", "x"), ("remove", "x"), ("remove", "x", "--hard"), ("version",),
         ("poll", "x", 1, 1, 0, 0), ("poll", "x", 0, 1, 0, 0), ("get-opt", "LogLevel"), ("set-opt", "LogLevel", 1),
         ("reset-opt", "LogLevel"), ("list-opt",))


@pytest.fixture
def faulty(call):
    """The caller; what fails in it works again afterwards."""
    yield call
    call("heal")


def codes(call, orders):
    return {" ".join(map(str, words)): call(*words).code for words in orders}


# --- the adapter cannot be opened


@pytest.mark.parametrize("function, value, error", [
    ("CreateFileW", INVALID_HANDLE, NOT_FOUND), ("CreateFileW", INVALID_HANDLE, DENIED),
    ("CreateFileW", INVALID_HANDLE, BAD_HANDLE), ("CreateFileW", INVALID_HANDLE, NO_MEMORY),
    ("SetupDiGetClassDevsW", INVALID_HANDLE, NO_MEMORY), ("SetupDiEnumDeviceInterfaces", 0, BAD_HANDLE)])
def test_adapter_that_cannot_be_opened(function, value, error, faulty):
    faulty("let-fail", function, value, "--error", error).ok()
    assert set(codes(faulty, OPENS_AND_TELLS_WHY).values()) == {error}
    assert set(codes(faulty, OPENS).values()) == {OPEN_FAILED}


@pytest.mark.parametrize("function, code", [("CM_Locate_DevNodeW", CR_NO_SUCH_DEVNODE)])
def test_adapter_whose_node_is_gone(function, code, faulty):
    faulty("let-fail", function, code).ok()
    assert faulty("reset-adapter").code == NOT_FOUND


@pytest.mark.parametrize("function, result, code", [
    ("CM_Disable_DevNode", CR_REMOVE_VETOED, BUSY), ("CM_Disable_DevNode", CR_NOT_DISABLEABLE, BUSY),
    ("CM_Disable_DevNode", CR_ACCESS_DENIED, DENIED), ("CM_Disable_DevNode", CR_FAILURE, REMOVE_FAILED),
    ("CM_Enable_DevNode", CR_FAILURE, READY_NOT)])
def test_reset_that_fails(function, result, code, faulty):
    faulty("let-fail", "CM_Disable_DevNode", 0).ok()
    faulty("let-fail", function, result).ok()
    assert faulty("reset-adapter").code == code
    assert faulty("reset-adapter", "--timeout", 1, "--interval", 1).code == code


# --- what the driver says


@pytest.mark.parametrize("words", [
    ("own", "x"), ("create", "x", 8, 512), ("show", "x"), ("stats", "x"), ("remove", "x", "--hard"), ("remove", "x"),
    ("ioctl-remove", "x"), ("ioctl-show", "x"), ("ioctl-stats", "x"), ("ping",), ("reload",), ("version",), ("list",),
    ("get-opt", "LogLevel"), ("set-opt", "LogLevel", 1), ("reset-opt", "LogLevel"), ("list-opt",), ("remove-all",),
    ("fetch", 1), ("send", 1, 1), ("set-size", 1, 8), ("attach", "x"), ("poll", "x", 1, 1, 0, 0)],
    ids=lambda words: " ".join(map(str, words)))
def test_driver_lacks_memory(words, faulty):
    faulty("let-fail", "DeviceIoControl", 0, "--error", NO_RESOURCES).ok()
    assert faulty(*words).code == NO_RESOURCES


def test_limits_that_windows_does_not_tell(faulty):
    with faulty.serve("limits") as disk:
        assert disk.number >= 0
        faulty("let-fail", "DeviceIoControl", 0, "--error", GENERAL_FAILURE).ok()
        assert faulty("limits", disk.number).code == GENERAL_FAILURE


# --- the program lacks memory


@pytest.mark.parametrize("words", [("list",), ("remove-all",), ("list-opt",)], ids=lambda words: words[0])
def test_list_without_memory(words, faulty):
    faulty("let-fail", "malloc", 0).ok()
    assert faulty(*words).code == NO_MEMORY
    faulty("reset-opt", "NewMappingsAllowed").ok()


def test_daemon_without_memory(faulty):
    faulty("let-fail", "calloc", 0).ok()
    faulty("start-daemon", "poor").ok()
    assert faulty("wait-daemon").code == NO_MEMORY


@pytest.mark.parametrize("function", ["calloc", "CreateEventW"])
def test_disk_without_memory(function, faulty):
    """Each call fails in turn, and nothing is left of the disk."""
    after = 0
    while True:
        faulty("let-fail", function, 0, "--error", NO_MEMORY, "--after", after, "--times", 1).ok()
        code = faulty("serve", "poor").code
        faulty("heal").ok()
        until(lambda: faulty.mapped() == [], 3)
        if code == 0:
            break
        assert code == OUT_OF_MEMORY or function == "CreateEventW" and code == NO_MEMORY, f"call {after}: {code}"
        after += 1
    assert after > 2


def test_threads_that_cannot_be_made(faulty):
    """The first is the library's own, made with the disk."""
    for after, expected in ((0, OUT_OF_MEMORY), (1, GENERAL_FAILURE), (2, GENERAL_FAILURE), (3, 0)):
        faulty("let-fail", "CreateThread", 0, "--error", GENERAL_FAILURE, "--after", after, "--times", 1).ok()
        assert faulty("serve", "poor", "--threads", 2).code == expected
        faulty("heal").ok()
        until(lambda: faulty.mapped() == [], 3)


# --- names


def test_text_without_an_end(call):
    assert call("own", "long").code == LONG_NAME
    assert call("own", "x", "--long-owner").code == LONG_NAME
    assert call("own", "empty").code == BAD_PARAMETER


def test_disks_that_the_driver_refuses(call):
    with call.serve("taken"):
        assert call("own", "taken").code == EXISTS
    call("set-opt", "NewMappingsAllowed", "false").ok()
    assert call("own", "new").code == FORBIDDEN
    call("reset-opt", "NewMappingsAllowed").ok()


# --- removal


@pytest.mark.parametrize("function, result, code", [("CM_Query_And_Remove_SubTreeW", CR_FAILURE, REMOVE_FAILED),
                                                    ("CM_Locate_DevNodeW", CR_NO_SUCH_DEVNODE, OPEN_FAILED)])
def test_plug_and_play_cannot_remove_the_disk(function, result, code, faulty):
    with faulty.serve("stays") as disk:
        assert disk.number >= 0
        faulty("let-fail", function, result).ok()
        assert faulty("remove", "stays", "--timeout", 100).code == code
        assert faulty("show", "stays").code == 0
        faulty("remove", "stays", "--fallback").ok()


def test_handle_that_is_closed(call):
    assert call("closed").ok().fields() == {"WnbdSetDiskSize": str(UNKNOWN_HANDLE), "WnbdRemove": "0"}


# --- waiting for the disk's number


@pytest.mark.parametrize("error", [DENIED, GENERAL_FAILURE])
def test_drive_that_cannot_be_opened(error, faulty):
    """Whichever call of CreateFileW opens the drive: each fails in turn."""
    with faulty.serve("shut") as disk:
        assert disk.number >= 0
        seen = set()
        for after in range(12):
            faulty("let-fail", "CreateFileW", INVALID_HANDLE, "--error", error, "--after", after, "--times", 1).ok()
            seen.add(faulty("poll", "shut", 1, 1, 10000, 20).code)
            faulty("heal").ok()
        assert seen == {OPEN_FAILED, error, 0}


@pytest.mark.parametrize("error", [NOT_FOUND, DEVICE_GONE])
def test_drive_that_is_not_there_yet(error, faulty):
    with faulty.serve("soon") as disk:
        assert disk.number >= 0
        for after in range(1, 12):  # the first opens the adapter
            faulty("let-fail", "CreateFileW", INVALID_HANDLE, "--error", error, "--after", after, "--times", 1).ok()
            faulty("poll", "soon", 1, 1, 10000, 20).ok()
            faulty("heal").ok()


# --- serving


def test_dispatcher_that_does_not_run(call):
    with call.serve("early", "--early") as disk:
        assert disk.wait("^early (.*)$")[1] == f"{PIPE} {PIPE} {PIPE}"
        call.disk("write", disk.number, 0, 4096, 1).ok()
        stats = disk.settled()
        assert stats["replies"] == stats["received"] + 2  # they count all the same


@pytest.mark.parametrize("how", [(), ("--synchronous",)], ids=["overlapped", "synchronous"])
def test_buffer_that_is_too_small_for_a_request(how, call):
    """The request stays, and is there for a larger one."""
    with call.serve("single", "--singly", "--log", "--room", 4095, *how, ready="^created") as disk:
        call.disk("write", disk.number, 0, 2048, 1).ok()
        assert not disk.found("^room")
        call.disk("write", disk.number, 4096, 4096, 2).ok()
        assert disk.wait(r"^room (\d+)$")[1] == str(TOO_SMALL)
        assert digest(call.read(disk.number, 8, 8)) == digest(b"\2" * 4096)
        call("remove", disk.name, "--hard").ok()
        assert disk.wait(r"^fetch (\d+) (\w+)$").groups() == ("0", "DISCONNECT")


@pytest.mark.parametrize("how", [(), ("--synchronous",)], ids=["overlapped", "synchronous"])
def test_low_level_answer_without_a_buffer(how, call):
    with call.serve("single", "--singly", "--null-with-size", *how, ready="^created") as disk:
        assert call.sense(disk.number, READ, "--in", 512)[0] == 4
        assert disk.wait(r"^answer [0-9a-f]+ (\d+)$")[1] == str(BAD_PARAMETER)
        call("remove", disk.name, "--hard").ok()


def test_low_level_functions_called_wrongly(call):
    with call.serve("single") as disk:
        assert disk.number >= 0
        answered = r"^misused fetch (\d+) (\d+) send (\d+)$"
        expected = (str(BAD_PARAMETER), str(BAD_PARAMETER), str(UNKNOWN_HANDLE))
        assert disk.order("misuse-singly", answered).groups() == expected
        call("remove", disk.name, "--hard").ok()
        disk.wait("^ended 0$")
        assert disk.order("misuse-singly", answered).groups() == (str(BAD_HANDLE),) * 3


# --- limits of a disk that a program serves


@pytest.mark.parametrize("options", [
    ("--queue-depth", 1025), ("--queue-depth", 0xFFFFFFFF), ("--arena", 1), ("--arena", (2 << 20) - (64 << 10)),
    ("--arena", (2 << 20) + 1), ("--arena", (64 << 20) + (64 << 10)), ("--arena", 0xFFFF0000)],
    ids=lambda options: " ".join(map(str, options)))
def test_depth_or_arena_out_of_its_limits(options, call):
    disk = call.serve("bad", *options)
    assert disk.error and disk.error[0].groups() == ("create", str(BAD_PARAMETER)), str(disk)
    disk.died()


@pytest.mark.parametrize("depth, arena", [(0, 0), (1, 2 << 20), (1024, 64 << 20), (7, (2 << 20) + (64 << 10))])
def test_depth_and_arena(depth, arena, call):
    """As they were asked for; 0 is a default."""
    with call.serve("asked", "--queue-depth", depth, "--arena", arena) as disk:
        options = ("--bytes", 8 * MIB, "--size", 256 << 10, "--depth", 16)
        call.disk("write-random", disk.number, *options).ok()
        call.disk("verify", disk.number, *options).ok()
        shown = call.bed.show("asked")
        assert shown["QueueDepth"] == str(depth or 255)
        size = arena or 8 * MIB
        assert shown["ArenaSize"].startswith(f"{size} (") and shown["ArenaSize"].endswith(" of locked memory)")
        assert disk.settled()["errors"] == [0] * 6


# --- the driver's installation


@pytest.mark.parametrize("function, error", [
    ("SetupDiGetINFClassW", NOT_FOUND), ("SetupDiCreateDeviceInfoW", DENIED), ("SetupDiCallClassInstaller", DENIED),
    ("UpdateDriverForPlugAndPlayDevicesW", GENERAL_FAILURE)])
def test_installation_that_fails(function, error, package, installer):  # noqa: F811
    """And leaves nothing behind."""
    installer("let-fail", function, 0, "--error", error, "--times", 1).ok()
    assert installer("install", windows_path(package / "wnbd.inf")).code == error
    assert installer("open-adapter").code == NOT_INSTALLED


def test_uninstallation_of_what_is_not_there(installer):  # noqa: F811
    installer("uninstall").ok()
