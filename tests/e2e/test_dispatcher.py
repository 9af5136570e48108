# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dispatcher's threads: what a callback that blocks holds up, and how many threads it takes."""

import re

import pytest


def seconds(call, number, requests, depth):
    """What so many random reads take, at best with nothing else to do."""
    out = call.disk("rate", number, "--depth", depth, "--requests", requests).ok().out
    return float(re.search(r"([\d.]+) s,", out)[1])


def test_callbacks_that_block_hold_up_nobody(call):
    """Quick ones, of which each hundredth blocks before it answers: they block at the same time, not one after the other."""
    with call.serve("stalls", "--threads", 8, "--stall-every", 100, "--stall-ms", 3000) as disk:
        assert seconds(call, disk.number, 600, 8) < 12  # one after the other: 15 and more


@pytest.mark.parametrize("threads", [1, 4])
def test_an_answer_does_not_wait_for_its_callback(threads, call):
    """The answer of a quick callback goes with the thread's next command, which does not come as long as it blocks."""
    with call.serve("lingers", "--threads", threads) as disk:
        seconds(call, disk.number, 200, 1)
        disk.manner("--stall-every", 1, "--linger-ms", 4000)
        assert seconds(call, disk.number, 1, 1) < 3


@pytest.mark.parametrize("threads", [1, 3])
def test_slow_callbacks_use_all_threads(threads, call):
    with call.serve("slow", "--threads", threads, "--delay-ms", 100) as disk:
        took = seconds(call, disk.number, 60, 12)
        assert 6 / threads < took < 6 / threads + 3
