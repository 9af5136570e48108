# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A disk that Windows leaves offline or read-only, as a server's SAN policy has it for new ones: `map` says what is to be
done. In the bed the policy is an injection; what Set-Disk would do is done by tests/windows/attributes.c.
"""

import json

import pytest

import servers
from beds import BUILD, Serving
from schema import Schema

NEW_DISKS = 13  # BED_INJECT_NEW_DISKS of bed/port/control.h
OFFLINE, READ_ONLY = 1, 2
BRING_ONLINE = "'Set-Disk -Number {} -IsOffline $false'"
MAKE_WRITABLE = "'Set-Disk -Number {} -IsReadOnly $false'"
POLICY = "the SAN policy, 'san' in diskpart."


def set_policy(bed, number, attributes):
    """From now on new disks have the attributes. `number`: any disk of the adapter."""
    bedtest = BUILD / "tests" / "bed" / "bedtest.exe"
    bed.start(bedtest, "inject-adapter", f"{NEW_DISKS}:{attributes}", number).wait().ok()


@pytest.fixture
def policy(server, bed):
    """A function that sets the policy; it is taken back at the end."""
    number = bed.map("first", server)
    yield lambda attributes: set_policy(bed, number, attributes)
    set_policy(bed, number, 0)


@pytest.fixture
def second(tmp_path, stack):
    return stack.enter_context(servers.nbdkit(tmp_path, "memory", 1 << 20))


def advice(result):
    """The notes that are about Windows."""
    return [line for line in result.err.splitlines() if line.startswith("wnbd-client: note: Windows ")]


def test_a_disk_that_is_online_needs_no_advice(server, bed):
    result = bed.try_map("x", server, "--format", "json").ok()
    mapped = Schema().check("map", result.out)
    assert (mapped["windows_offline"], mapped["windows_read_only"]) == (False, False)
    assert advice(result) == []


@pytest.mark.parametrize("attributes, options, state, commands", [
    (OFFLINE, (), "offline", [BRING_ONLINE]),
    (READ_ONLY, (), "read-only", [MAKE_WRITABLE]),
    (OFFLINE | READ_ONLY, (), "offline and read-only", [BRING_ONLINE, MAKE_WRITABLE]),
    (OFFLINE | READ_ONLY, ("--read-only",), "offline", [BRING_ONLINE]),
    (READ_ONLY, ("--read-only",), None, []),
])
def test_the_next_step_is_said(attributes, options, state, commands, policy, second, bed):
    policy(attributes)
    result = bed.try_map("x", second, *options).ok()
    number = bed.number("x")
    said = advice(result)
    assert len(said) == (1 if state else 0), repr(result)
    if state:
        assert said[0].startswith(f"wnbd-client: note: Windows left the disk {state}: ") and said[0].endswith(POLICY)
        assert [command for command in (BRING_ONLINE, MAKE_WRITABLE) if command.format(number) in said[0]] == commands


def test_json_tells_it_too(policy, second, bed):
    policy(OFFLINE | READ_ONLY)
    result = bed.try_map("x", second, "--format", "json").ok()
    mapped = Schema().check("map", result.out)
    assert (mapped["windows_offline"], mapped["windows_read_only"], mapped["read_only"]) == (True, True, False)
    assert len(advice(result)) == 1
    bed.unmap("x").ok()
    mapped = json.loads(bed.try_map("x", second, "--format", "json", "--no-wait").ok().out)
    assert (mapped["windows_offline"], mapped["windows_read_only"]) == (None, None)


def test_a_disk_that_the_client_serves_is_advised_too(policy, bed):
    policy(OFFLINE)
    serving = Serving(bed, "x", "--ram", "1M")
    bed.unmap("x").ok()
    result = serving.wait().ok()
    assert len(advice(result)) == 1 and BRING_ONLINE.format(serving.number) in result.err, repr(result)


def test_what_is_advised_helps(policy, second, bed):
    """The bed's disk is as documented: read-only refuses writes, and the control that Set-Disk sends ends it."""
    policy(READ_ONLY)
    number = bed.map("x", second)
    assert "error 19," in bed.diskio("write", number, 0, 512, 1).out  # ERROR_WRITE_PROTECT
    bed.diskio("read", number, 0, 512).ok()
    assert "attributes 0: error 0" in bed.diskio("attributes", number, "--mask", READ_ONLY, "--value", 0).ok().out
    bed.diskio("write", number, 0, 512, 1).ok()
