# SPDX-License-Identifier: LGPL-2.1-or-later
"""The performance counters of the driver that ships, collected as Windows' performance monitor would."""

READS, WRITES, READ_BYTES, WRITE_BYTES, WRITE_TIME, CONNECTED = 1, 2, 5, 6, 11, 13


def test_the_driver_provides_its_counters(server, bed):
    assert bed.performance() == {}
    number = bed.map("pool/диск", server)
    bed.diskio("write-random", number, "--bytes", 1 << 20).ok()
    bed.diskio("verify", number, "--bytes", 1 << 20).ok()
    counters = bed.performance()
    assert list(counters) == ["pool_диск"]
    shown = counters["pool_диск"]
    assert shown[CONNECTED] == 1
    assert shown[WRITES] > 0 and shown[WRITE_BYTES] >= 1 << 20 and shown[WRITE_TIME] > 0
    assert shown[READS] > 0 and shown[READ_BYTES] >= 1 << 20
    stats = bed.client("stats", "pool/диск", "--format", "json").ok().out
    assert f"{shown[WRITE_BYTES]}" in stats
    bed.unmap("pool/диск").ok()
    assert bed.performance() == {}
