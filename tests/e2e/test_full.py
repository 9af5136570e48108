# SPDX-License-Identifier: LGPL-2.1-or-later
"""A full adapter: 128 disks work and cost what 128 disks may, the 129th is refused, and room is found again."""

from concurrent.futures import ThreadPoolExecutor

import servers

DISKS = 128
DISK_BYTES = 256 << 10


def test_128_disks_and_the_129th_is_refused(tmp_path, bed, stack):
    files = tmp_path / "exports"
    files.mkdir()
    names = [f"disk{i:03}" for i in range(DISKS + 1)]
    for name in names:
        servers.sparse_file(files / name, 1 << 20)
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", f"dir={files}"))
    empty = bed.counts()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: bed.try_map(name, server, export=name).ok(), names[:DISKS]))
        assert sorted(bed.mapped()) == names[:DISKS]
        bed.try_map(names[DISKS], server, export=names[DISKS]).failed(68, "128")
        full = bed.counts()
        assert 0 < full["nonpaged_bytes"] - empty["nonpaged_bytes"] < DISKS * DISK_BYTES
        assert full["paged_bytes"] == empty["paged_bytes"]
        assert full["threads"] - empty["threads"] <= DISKS
        disks = [bed.show(name) for name in (names[0], names[DISKS // 2], names[DISKS - 1])]
        assert len({disk["DiskNumber"] for disk in disks}) == 3
        for seed, disk in enumerate(disks):
            bed.diskio("write-random", disk["DiskNumber"], "--seed", seed).ok()
        for seed, disk in enumerate(disks):
            bed.diskio("verify", disk["DiskNumber"], "--seed", seed).ok()
        bed.unmap(names[5]).ok()
        bed.try_map(names[DISKS], server, export=names[DISKS]).ok()
        list(pool.map(lambda name: bed.unmap(name, "--hard-disconnect").ok(), bed.mapped()))
    assert bed.mapped() == []
    left = bed.counts()
    held = ("nonpaged_bytes", "paged_bytes", "blocks", "irps", "mdls", "threads", "sockets")
    assert {name: left[name] for name in held} == {name: empty[name] for name in held}
