# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a request costs in the driver, by the counters of its debug build: sends, receives, copies and thread switches per
request at several depths. A change that makes the path longer fails here, not in a benchmark.
"""

import re

import pytest

from beds import BUILD, ROOT

# The network takes long to acknowledge: sends stay outstanding however slow the machine is just now.
BED_OPTIONS = ("--driver", str(BUILD / "driver" / "debug" / "wnbd.sys"), "--inf", str(ROOT / "driver" / "wnbd.inf"),
               "--set-parameter", "BedAckMs=100")
ROUNDS = 16


def cost(bed, server, depth, size, *options):
    """The counters of a disk per request, at the end of its life."""
    requests = ROUNDS * depth
    name = f"cost-{depth}-{size}"
    number = bed.map(name, server)
    bed.diskio("rate", number, "--depth", depth, "--size", size, "--requests", requests, *options).ok()
    bed.unmap(name).ok()
    line = re.findall(rf"wnbd 108: {name}: counters: (.*)", bed.log())[-1]
    counters = {what: int(number) for number, what in re.findall(r"(\d+) (\w+)", line)}
    assert requests <= counters["requests"] <= requests + 100, line
    counters["receives"] -= 1  # the one that is always out
    return {what: count / counters["requests"] for what, count in counters.items()}


@pytest.mark.parametrize("depth", [1, 16, 64])
@pytest.mark.parametrize("direction", [(), ("--write",)], ids=["read", "write"])
def test_cost_of_a_small_request(depth, direction, server, bed):
    per_request = cost(bed, server, depth, 4096, *direction)
    assert per_request["handovers"] == 0, "no request may need another thread"
    assert per_request["direct"] == 0
    assert per_request["copies"] <= (0 if direction else 1.1), "a small read is copied once, a write never"
    assert per_request["sends"] <= {1: 1, 16: 1, 64: 0.5}[depth], "what waits leaves together"
    assert per_request["receives"] <= 1, "no receive brings less than a reply"


def test_middling_reads_do_not_cost_a_receive_each(server, bed):
    per_request = cost(bed, server, 16, 16 << 10)
    assert per_request["receives"] <= 1.1
    assert per_request["handovers"] == 0


@pytest.mark.parametrize("depth, size", [(1, 64 << 10), (16, 64 << 10), (8, 1 << 20)])
def test_large_payload_is_received_in_place(depth, size, server, bed):
    per_request = cost(bed, server, depth, size)
    assert per_request["direct"] >= 0.9
    assert per_request["copies"] <= 1.2, "only what came with the header is copied"
    assert per_request["copied"] <= 8192
    assert per_request["handovers"] == 0
