# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a disk costs the kernel, by the bed's counts of what the driver holds (pool, IRPs, MDLs, threads, sockets) and of
how often it has asked. Nothing is asked for while requests are served.
"""

import time

import pytest

import servers
from conftest import FILE_BYTES

DISK_BYTES = 256 << 10
REQUESTS = 20000
MADE = ("blocks_made", "irps_made", "mdls_made", "threads_made", "sockets_made")
HELD = ("nonpaged_bytes", "paged_bytes", "blocks", "irps", "mdls", "threads", "sockets")


def only(counts, names):
    return {name: counts[name] for name in names}


def wait_until_held(bed, expected):
    """What is freed after an unmapping has returned may take a moment."""
    deadline = time.monotonic() + 30
    while only(bed.counts(), HELD) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert only(bed.counts(), HELD) == expected


def test_an_idle_disk_costs_less_than_256_kib_and_one_thread(server, bed):
    before = bed.counts()
    bed.map("idle", server)
    after = bed.counts()
    assert 0 < after["nonpaged_bytes"] - before["nonpaged_bytes"] < DISK_BYTES
    assert after["paged_bytes"] == before["paged_bytes"]
    assert after["threads"] - before["threads"] <= 1
    assert after["sockets"] - before["sockets"] == 1


@pytest.mark.parametrize("options", [(), ("--hard-disconnect",)], ids=["soft", "hard"])
def test_an_unmapped_disk_costs_nothing(options, server, bed):
    before = only(bed.counts(), HELD)
    number = bed.map("gone", server)
    bed.diskio("write-random", number, "--bytes", 1 << 20).ok()
    bed.unmap("gone", *options).ok()
    wait_until_held(bed, before)


def test_a_refused_mapping_costs_nothing(tmp_path, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "memory", 511))
    before = only(bed.counts(), HELD)
    assert bed.try_map("refused", server).code != 0
    wait_until_held(bed, before)


def requests_served(bed, name):
    return bed.stats(name)["TotalReceivedIOReplies"]


@pytest.mark.parametrize("what", ["small", "large", "mixed"])
def test_requests_ask_for_nothing(what, server, bed):
    """Whether few or many, small or large, alone or 32 at once: no pool, MDL, IRP, thread or socket is made."""
    number = bed.map("busy", server)
    before = bed.counts()
    if what == "small":
        for command in ("write-random", "verify"):
            options = ("--size", 512, "--bytes", REQUESTS // 2 * 512, "--depth", 16)
            bed.diskio(command, number, *options).ok()
        assert requests_served(bed, "busy") >= REQUESTS
    elif what == "large":
        for command in ("write-random", "verify"):
            bed.diskio(command, number, "--size", 8 << 20, "--bytes", FILE_BYTES // 2, "--depth", 4).ok()
    else:
        bed.diskio("storm", number, "--threads", 8, "--requests", 400, "--bytes", 64 << 20).ok()
        bed.diskio("flush", number).ok()
    after = bed.counts()
    assert only(after, MADE) == only(before, MADE)
    assert only(after, HELD) == only(before, HELD)
