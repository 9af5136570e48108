# SPDX-License-Identifier: LGPL-2.1-or-later
"""How disks end that a program serves: removed, closed, their program killed; and what is refused to others."""

import time

import pytest

from programs import until

LIST_BYTES, LIST_SPARE = 2032, 2040
NOT_FOUND, DENIED, BAD_HANDLE, TOO_MANY, BAD_PARAMETER, LONG_NAME = 2, 5, 6, 68, 87, 111
BUSY, EXISTS, PIPE, TIMEOUT, UNKNOWN_HANDLE, FORBIDDEN, GENERAL_FAILURE = 170, 183, 233, 1460, 1168, 1115, 31
SHARING = 32
GONE_S = 1.0
SLACK_S = 2.0  # of a machine that does other things
NEVER = ("--never", "--log")
STALL = ("--stall-every", 1, "--stall-ms", 3000, "--log")


def begin_write(caller, disk):
    """A write that is with the program when this returns."""
    number = disk.number
    start = len(disk.lines)
    writing = caller.start("disk", "write", number, 4096, 4096, 7)
    disk.wait("^write", start)
    return writing


def assert_failed(caller, writing):
    result = caller.ended(writing)
    assert result.code == 1 and ", 0 bytes" in result.out and "error 0" not in result.out, repr(result)


def hold(caller, number, release):
    """The caller keeps the disk open until the file is there."""
    release.unlink(missing_ok=True)
    mark = len(caller.lines)
    holding = caller.start("disk", "hold", number, "--seconds", 60, "--until", "Z:" + str(release))
    caller.wait("^holding$", mark)
    return holding


def let_go(caller, holding, release):
    release.touch()
    caller.ended(holding).ok()


# --- removal


def test_soft_removal(call):
    with call.serve("soft") as disk:
        assert disk.number >= 0 and disk.remove("forever") == 0
        disk.wait("^ended 0$")
        assert call.mapped() == [] and call("exists", disk.number).code == NOT_FOUND
        assert disk.remove() in (0, NOT_FOUND)


def test_soft_removal_is_vetoed_and_the_disk_goes_on(call, other, tmp_path):
    with call.serve("soft") as disk:
        holding = hold(other, disk.number, tmp_path / "release")
        assert disk.remove("softly") == TIMEOUT
        vetoed = call("remove", "soft", "--timeout", 100, "--interval", 20)
        assert vetoed.code == TIMEOUT and "in use" in vetoed.out
        call.disk("write", disk.number, 0, 4096, 1).ok()
        let_go(other, holding, tmp_path / "release")
        assert disk.remove("softly") == 0


def test_disk_goes_that_cannot_be_served_any_more_after_a_vetoed_stop(call, other, tmp_path):
    """It must not stay without anybody who serves it, nor the program wait for it."""
    with call.serve("soft", "--threads", 2) as disk:
        holding = hold(other, disk.number, tmp_path / "release")
        assert disk.order("stop softly", r"^stopped (\d+)$")[1] == str(TIMEOUT)
        call.disk("rate", disk.number, "--depth", 1, "--requests", 200).ok()  # quick: answers go with the next command
        disk.let_fail("DeviceIoControl", 0, "--error", GENERAL_FAILURE, "--times", 1)
        call.disk("read", disk.number, 0, 4096)
        disk.wait("^ended 0$")
        assert call.mapped() == []
        let_go(other, holding, tmp_path / "release")


def test_soft_removal_is_retried(call, other, tmp_path):
    with call.serve("soft") as disk:
        holding = hold(other, disk.number, tmp_path / "release")
        removing = call.start("remove", "soft", "--timeout", 30000, "--interval", 20)
        time.sleep(0.3)
        assert not call.found("^= ", removing[1])
        let_go(other, holding, tmp_path / "release")
        call.ended(removing).ok()
        disk.wait("^ended 0$")


@pytest.mark.parametrize("how", ["fallback", "hard"])
def test_removal_in_spite_of_open_handles(how, call, other, tmp_path):
    with call.serve("held") as disk:
        holding = hold(other, disk.number, tmp_path / "release")
        assert disk.remove(how) == 0
        disk.wait("^ended 0$")
        assert call.mapped() == []
        let_go(other, holding, tmp_path / "release")


@pytest.mark.parametrize("how", ["stop hard", "remove hard", "stop fallback"])
def test_removal_with_requests_in_flight(how, call, other):
    with call.serve("busy", *NEVER) as disk:
        writing = begin_write(other, disk)
        assert disk.order(how, r"^(?:stopped|removed) (\d+)")[1] == "0"
        disk.wait("^ended 0$")
        assert_failed(other, writing)


def test_soft_removal_waits_for_requests_in_flight(call, other):
    with call.serve("busy", "--log", "--stall-every", 1, "--stall-ms", 700) as disk:
        writing = begin_write(other, disk)
        assert disk.remove("softly") == TIMEOUT
        other.ended(writing).ok()
        call("remove", "busy", "--timeout", 20000, "--interval", 20).ok()


def start_load(disk):
    """Ends with an error, and so in a program of its own."""
    options = ("--threads", 8, "--seconds", 60, "--bytes", 8 << 20, "--max", 65536)
    load = disk.caller.bed.start_diskio("storm", disk.number, *options)
    until(lambda: disk.stats()["replies"] > 200, 20)
    return load


def assert_load_failed(load):
    result = load.wait()
    assert result.code == 1 and "error" in result.err, repr(result)


@pytest.mark.parametrize("options", [("--threads", 4), ("--answer-threads", 4)], ids=["at once", "overlapped"])
def test_removal_under_load(options, call):
    with call.serve("load", *options) as disk:
        load = start_load(disk)
        call("remove", "load", "--hard").ok()
        disk.wait("^ended 0$")
        assert_load_failed(load)


def test_second_stop_does_nothing(call):
    with call.serve("twice") as disk:
        for _ in range(2):
            assert disk.order("stop", r"^stopped (\d+)")[1] == "0"


def test_after_the_end(call):
    with call.serve("over") as disk:
        call("remove", "over", "--hard").ok()
        disk.wait("^ended 0$")
        assert disk.order("answer 1", r"^answered (\d+)")[1] == str(PIPE)
        assert disk.order("resize 2048", r"^resized (\d+)")[1] == str(NOT_FOUND)
        assert disk.remove() in (0, NOT_FOUND)
        with call.serve("over") as again:  # the name is free, though the first program still has its object
            call.disk("write", again.number, 0, 512, 1).ok()
            assert disk.order("stop hard", r"^stopped (\d+)")[1] == "0"
            assert call.mapped() == ["over"]


def test_close_while_it_serves(call):
    with call.serve("closed", "--no-wait") as disk:
        call.disk("write", disk.number, 0, 512, 1).ok()
        disk.order("close", "^closed$")
        assert disk.died() == 0
        until(lambda: call.mapped() == [], GONE_S + SLACK_S)


# --- the program dies


@pytest.mark.parametrize("way, options", [
    ("kill", ()), ("crash", ()), ("kill", STALL), ("kill", NEVER),
    ("kill", ("--answer-threads", 4, "--gather", 9, "--log"))],
    ids=["waiting", "by itself", "serving a callback", "answer pending", "answer queued"])
def test_program_is_killed(way, options, call, other):
    disk = call.serve("killed", *options)
    writing = begin_write(other, disk) if options else None
    number = disk.number
    pid = call("show", "killed").ok().fields()["pid"]
    if way == "kill":
        call("kill", pid).ok()
    else:
        disk.say("crash")
    until(lambda: call.mapped() == [], GONE_S + SLACK_S)
    if writing:
        assert_failed(other, writing)
    until(lambda: call("exists", number).code == NOT_FOUND, SLACK_S)
    assert disk.died() != 0


def test_program_is_killed_under_load(call):
    disk = call.serve("killed", "--threads", 4, "--answer-threads", 2)
    load = start_load(disk)
    call("kill", call("show", "killed").ok().fields()["pid"]).ok()
    until(lambda: call.mapped() == [], GONE_S + SLACK_S)
    disk.died()
    assert_load_failed(load)


def test_thread_is_killed_and_others_go_on(call):
    with call.serve("maimed", "--threads", 3) as disk:
        call.disk("write", disk.number, 0, 4096, 1).ok()
        for thread in range(2):
            disk.settled()
            assert disk.order(f"kill-thread {thread}", r"^killed (\d)")[1] == "1"
            call.disk("write-random", disk.number, "--bytes", 1 << 20, "--size", 4096, "--depth", 32).ok()
        call.disk("verify", disk.number, "--bytes", 1 << 20, "--size", 4096, "--depth", 32).ok()


@pytest.mark.parametrize("options", [(), STALL], ids=["waiting", "serving a callback"])
def test_all_threads_are_killed(options, call, other):
    with call.serve("dead", "--threads", 2, *options) as disk:
        writing = begin_write(other, disk) if options else None
        assert disk.number >= 0
        time.sleep(0.2)  # in its pause, the thread holds nothing of the C library's
        for thread in range(2):
            assert disk.order(f"kill-thread {thread}", r"^killed (\d)")[1] == "1"
        disk.wait("^ended 0$")
        until(lambda: call.mapped() == [], GONE_S + SLACK_S)
        if writing:
            assert_failed(other, writing)


# --- a disk that outlives its program


def test_kept_disk_waits_for_another_program(call, other):
    disk = call.serve("kept", "--keep", *NEVER)
    writing = begin_write(other, disk)
    assert call("attach", "kept").code == SHARING
    call("kill", call("show", "kept").ok().fields()["pid"]).ok()
    disk.died()
    time.sleep(0.2)
    assert call.mapped() == ["kept"] and not other.found("^= ", writing[1])
    with call.serve("kept", "--attach", "--log") as heir:
        other.ended(writing).ok()
        assert [words[:2] for words in heir.requests("write")] == [["8", "8"]]
        assert call.read(disk.number, 8, 8) == b"\7" * 4096
        call.disk("write", disk.number, 0, 4096, 1).ok()


def test_kept_disk_that_is_closed(call):
    with call.serve("kept", "--keep", "--no-wait") as disk:
        number = disk.number
        disk.order("close", "^closed$")
        assert disk.died() == 0
    assert call.mapped() == ["kept"]
    with call.serve("kept", "--attach"):
        call.disk("write", number, 0, 4096, 1).ok()


def test_attach_to_what_cannot_be_had(call):
    assert call("attach", "nowhere").code == NOT_FOUND
    with call.serve("mine") as disk:
        assert disk.number >= 0
        assert call("attach", "mine").code == SHARING


# --- others


def test_another_process_can_neither_serve_nor_resize(call, other):
    with call.serve("mine", "--log", "--stall-every", 1, "--stall-ms", 600) as disk:
        writing = begin_write(other, disk)
        handle = disk.handles()[-1]
        assert call("fetch", disk.id).code == DENIED
        assert call("send", disk.id, handle).code == DENIED
        assert call("set-size", disk.id, 4096).code == DENIED
        assert call("show", "mine").ok().fields()["blocks"] == str(1 << 20)
        other.ended(writing).ok()
        assert call("fetch", disk.id + 1000).code == BAD_HANDLE
        assert call("send", disk.id + 1000, handle).code == BAD_HANDLE
        assert call("set-size", disk.id + 1000, 4096).code == NOT_FOUND


# --- lists and results


def test_two_phase_list(call):
    def sizes(count):
        found = {name: int(value) for name, value in call("list").ok().fields().items()
                 if name in ("needed", "too_small", "used", "element", "count")}
        listed = LIST_BYTES * count + LIST_SPARE
        assert found["needed"] == listed and found["element"] == LIST_BYTES and found["count"] == count
        assert found["too_small"] == listed and found["used"] <= listed
        return found["used"]

    assert sizes(0) <= LIST_SPARE
    with call.serve("first"), call.serve("second"):
        assert sizes(2) >= 2 * LIST_BYTES
        assert sorted(call.mapped()) == ["first", "second"]


def test_poll_for_the_number(call):
    absent = call("poll", "later", 1, 1, 1000, 50)
    assert absent.code == NOT_FOUND and int(absent.fields()["ms"]) < 900
    late = call("poll", "later", 0, 1, 300, 50)
    assert late.code == 258 and 250 <= int(late.fields()["ms"]) < 3000
    for name in ("null", "empty"):
        assert call("poll", name, 0, 0, 0, 0).code == BAD_PARAMETER
    polling = call.start("poll", "later", 0, 1, 30000, 20)
    with call.serve("later") as disk:
        assert int(call.ended(polling).ok().fields()["number"]) == disk.number
        assert call("poll", "later", 1, 0, 0, 0).ok().fields()["number"] == str(disk.number)
        assert call("exists", disk.number).code == 0


def test_functions_that_are_given_nothing(call):
    results = call("nothing").ok().fields()
    assert len(results) == 19 and set(results.values()) == {str(BAD_PARAMETER)}


@pytest.mark.parametrize("order, missing, empty", [
    ("show", NOT_FOUND, BAD_PARAMETER), ("stats", NOT_FOUND, BAD_PARAMETER), ("ioctl-show", NOT_FOUND, BAD_PARAMETER),
    ("ioctl-stats", NOT_FOUND, BAD_PARAMETER), ("ioctl-remove", NOT_FOUND, BAD_PARAMETER),
    ("remove", NOT_FOUND, BAD_PARAMETER), ("get-opt", NOT_FOUND, None), ("reset-opt", NOT_FOUND, None)])
def test_names(order, missing, empty, call):
    assert call(order, "missing").code == missing
    assert call(order, "null").code == BAD_PARAMETER
    if empty:
        assert call(order, "empty").code == empty
        assert call(order, "long").code == LONG_NAME


@pytest.mark.parametrize("options, code", [
    (("--blocks", 0), BAD_PARAMETER), (("--block-size", 0), BAD_PARAMETER), (("--block-size", 256), BAD_PARAMETER),
    (("--block-size", 4096), BAD_PARAMETER), (("--blocks", 1 << 55), BAD_PARAMETER)])
def test_disks_that_cannot_be_made(options, code, call):
    disk = call.serve("bad", *options)
    assert disk.error and disk.error[0].groups() == ("create", str(code)), str(disk)
    disk.died()


def test_names_of_new_disks(call):
    assert call("create", "empty", 2048, 512).code == BAD_PARAMETER
    assert call("create", "long", 2048, 512).code == LONG_NAME
    with call.serve("taken"):
        assert call("create", "taken", 2048, 512).code == EXISTS
        call("create", "Taken", 2048, 512).ok()
        disk = call.serve("taken")
        assert disk.error[0].groups() == ("create", str(EXISTS))
        disk.died()
    until(lambda: call.mapped() == [], GONE_S + SLACK_S)


def test_new_disks_are_forbidden(call):
    call("set-opt", "NewMappingsAllowed", "false").ok()
    assert call("create", "new", 2048, 512).code == FORBIDDEN
    call("reset-opt", "NewMappingsAllowed").ok()
    with call.serve("new"):
        call("remove-all").ok()
    assert call("create", "new", 2048, 512).code == FORBIDDEN
    call("reset-opt", "NewMappingsAllowed").ok()
    call("create", "new", 2048, 512).ok()


def test_as_many_disks_as_there_are_addresses(call):
    made = call("create-many", "disk", 130)
    assert made.code == TOO_MANY and made.fields()["made"] == "128"
    until(lambda: call.mapped() == [], 20)


def test_options_called_wrongly(call):
    assert call("set-opt", "LogLevel", "true").code == BAD_HANDLE  # a bool where a number belongs
    assert call("set-opt", "EtwLoggingEnabled", 1).code == BAD_HANDLE
    assert call("set-opt", "LogLevel", "loud").code == BAD_PARAMETER
    assert call("set-opt", "NoSuch", 1).code == NOT_FOUND
    assert call("get-opt", "LogLevel", "--stored").code == NOT_FOUND
    assert call("reset-opt", "LogLevel", "--stored").code == NOT_FOUND


def test_adapter(call, other, tmp_path):
    for order in ("ping", "version", "open-adapter", "find-adapter", "reload"):
        call(order).ok()
    call("find-adapter-as-before").ok()
    call("raise-log-level", "--level", 3).ok()
    assert "int64 3" in call("get-opt", "LogLevel", "--stored").ok().out
    call("reset-opt", "LogLevel", "--stored").ok()
    assert call("install", "Z:\\nowhere\\wnbd.inf").code == NOT_FOUND
    with call.serve("held") as disk:
        holding = hold(other, disk.number, tmp_path / "release")
        assert call("reset-adapter", "--timeout", 50, "--interval", 20).code == BUSY
        let_go(other, holding, tmp_path / "release")
        assert call.mapped() == ["held"]
