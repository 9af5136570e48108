# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Verified random I/O for as long as SOAK_MINUTES says, to as many disks as SOAK_DISKS says, while every two seconds something
happens to the server or to the network: no wrong byte, no error, and at the end the server's file holds what was written.
`make soak MINUTES=60 DISKS=32`.
"""

import os
import random
import signal
import time

from beds import windows_path
from conftest import FILE_BYTES
from proxy import Proxy
from test_storm import first_difference
import servers

MINUTES = float(os.environ.get("SOAK_MINUTES", "1"))
DISKS = int(os.environ.get("SOAK_DISKS", "1"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(1, 1 << 30)
TURN_S = 2
GRACE_S = 300  # until a storm has read everything back
BED_OPTIONS = ("--set-parameter", "ReconnectTimeoutMs=0")


def kill(server, proxy):
    server.end(signal.SIGKILL)
    time.sleep(0.2)
    server.start()


def freeze(server, proxy):
    server.signal(signal.SIGSTOP)
    time.sleep(1)
    server.signal(signal.SIGCONT)


def drop(server, proxy):
    proxy.drop()


def mood(name):
    def change(server, proxy):
        proxy.mood = name
    return change


def revive(disks):
    """nbdkit 1.32 now and then ends by an assertion of its own when a connection breaks while it answers."""
    for _, server, _, _ in disks:
        if not server.alive():
            server.start()


EVENTS = [kill, kill, freeze, drop, mood("cut"), mood("late"), mood("slow"), mood("kind")]


def test_no_byte_and_no_request_is_lost(bed, tmp_path, stack):
    print(f"SOAK_SEED={SEED}")
    choices = random.Random(SEED)
    disks = []
    for number in range(DISKS):
        image = servers.sparse_file(tmp_path / f"{number}.img", FILE_BYTES)
        server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
        proxy = stack.enter_context(Proxy(server.port, SEED + number))
        disks.append((image, server, proxy, bed.map(f"soak{number}", proxy)))
    threads, region = (8, 64 << 20) if DISKS == 1 else (1, 8 << 20)
    loads = [bed.start_diskio("storm", disk, "--threads", threads, "--seconds", round(MINUTES * 60), "--bytes", region,
                              "--seed", SEED + number, "--out", windows_path(tmp_path / f"{number}.expected"),
                              limit_s=MINUTES * 60 + GRACE_S)
             for number, (_, _, _, disk) in enumerate(disks)]
    until = time.monotonic() + MINUTES * 60
    events = 0
    while time.monotonic() < until:
        time.sleep(TURN_S)
        revive(disks)
        _, server, proxy, _ = choices.choice(disks)
        choices.choice(EVENTS)(server, proxy)
        events += 1
    for _, _, proxy, _ in disks:
        proxy.mood = "kind"
    while any(load.process.poll() is None for load in loads):
        revive(disks)
        time.sleep(0.5)
    for load in loads:
        assert "every read was right" in load.wait().ok().out
    reconnects = sum(int(bed.show(f"soak{number}")["Reconnects"]) for number in range(DISKS))
    for number, (image, _, _, _) in enumerate(disks):
        bed.unmap(f"soak{number}").ok()
        assert first_difference(image, tmp_path / f"{number}.expected", region) is None
    print(f"{events} events, {reconnects} reconnects")
    assert reconnects > 0 or MINUTES < 0.5
