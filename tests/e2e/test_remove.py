# SPDX-License-Identifier: LGPL-2.1-or-later
"""Soft removal asks, and an open handle may object; hard removal does not ask."""

import pytest
import time

from beds import EXEC_S

ONE_SECOND = ("--soft-disconnect-timeout", 1, "--soft-disconnect-retry-interval", 1)
NO_FALLBACK = "--no-hard-disconnect-fallback"
TIMEOUT = 1460


def test_soft_removal_without_open_handles(server, bed):
    number = bed.map("soft", server)
    bed.unmap("soft", NO_FALLBACK).ok()
    assert bed.mapped() == []
    assert "cannot open" in bed.diskio("info", number).err


def test_soft_removal_is_vetoed_by_an_open_handle_and_times_out(server, bed, tmp_path):
    number = bed.map("soft", server)
    with bed.hold(number, tmp_path):
        by_whom = f"in use (vetoed by {bed.show('soft')['PNPDeviceID']})"
        bed.unmap("soft", NO_FALLBACK, *ONE_SECOND).failed(TIMEOUT, "soft", by_whom)
        assert bed.mapped() == ["soft"]
        bed.diskio("read", number, 0, 4096).ok()
    bed.unmap("soft", NO_FALLBACK).ok()


def test_soft_removal_is_retried_until_the_handle_is_closed(server, bed, tmp_path):
    number = bed.map("soft", server)
    with bed.hold(number, tmp_path):
        unmap = bed.start_client("unmap", "soft", NO_FALLBACK, "--soft-disconnect-timeout", 60,
                                 "--soft-disconnect-retry-interval", 1)
        time.sleep(1.5)
        assert unmap.process.poll() is None
    unmap.wait().ok()
    assert bed.mapped() == []


def test_hard_removal_follows_a_vetoed_soft_one(server, bed, tmp_path):
    number = bed.map("soft", server)
    with bed.hold(number, tmp_path):
        result = bed.unmap("soft", *ONE_SECOND).ok()
        assert "note: 'soft' was unmapped the hard way: it is in use (vetoed by SCSI\\Disk" in result.err, repr(result)
        assert bed.mapped() == []


def test_hard_removal_does_not_mind_open_handles(server, bed, tmp_path):
    number = bed.map("hard", server)
    with bed.hold(number, tmp_path):
        bed.unmap("hard", "--hard-disconnect").ok()
        assert bed.mapped() == []


@pytest.mark.parametrize("turn", range(6))  # the program dies while its requests come back: not the same race twice
def test_hard_removal_under_load_ends_the_load_with_an_error(turn, server, bed):
    number = bed.map("hard", server)
    load = bed.start_diskio("storm", number, "--threads", 8, "--seconds", 100, "--bytes", 64 << 20, limit_s=EXEC_S)
    bed.wait_for_load("hard")
    bed.unmap("hard", "--hard-disconnect").ok()
    result = load.wait()
    assert result.code == 1 and "error" in result.err, repr(result)
    assert bed.mapped() == []


def test_name_is_free_after_removal(server, bed):
    for options in ((), ("--hard-disconnect",), ()):
        bed.map("again", server)
        bed.unmap("again", *options).ok()
