# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The whole path under Wine: a Windows program, the bed's Storport, and below it wnbd.sys with an NBD server, or the RAM-disk
miniport, whose figure is what the bed itself costs. Both beds stand at once and are asked in turn.
"""

import contextlib
import csv
import re
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

import servers
from cases import KIB, MIB

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "windows-x64"
BED = ROOT / "bed" / "wine" / "bed"
FIELDS = ["case", "round", "driver", "requests_per_s"]
OURS, PEER = "wnbd", "ramdisk"
DISKS_MAX = 32
MEGABYTES = 8  # of each RAM disk
LIMIT_S = 300


@dataclass(frozen=True)
class Case:
    size: int
    depth: int
    disks: int

    def __str__(self):
        size = f"{self.size // MIB}M" if self.size >= MIB else f"{self.size // KIB}K"
        return f"wine/{self.disks}-disks/read-{size}-{self.depth}"


def chosen(pattern):
    every = [Case(size, depth, disks) for disks in (1, DISKS_MAX) for size in (4 * KIB, 64 * KIB, MIB)
             for depth in (1, 16, 64)]
    return [case for case in every if re.search(pattern, str(case))]


class Bed:
    def __init__(self, *options):
        self.where = self.run("start", "--build", BUILD, *options).splitlines()[-1]

    @staticmethod
    def run(*words):
        done = subprocess.run([str(word) for word in (BED, *words)], capture_output=True, text=True, timeout=LIMIT_S,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise RuntimeError(f"bed {words[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def execute(self, program, *words):
        return self.run("exec", self.where, "--timeout", LIMIT_S, "--", program, *words)

    def rate(self, first, case, seconds):
        """Requests a second over all disks of the case, whose numbers follow `first`."""
        out = self.execute("diskio.exe", "rate", first, "--disks", case.disks, "--depth", case.depth, "--size",
                           case.size, "--ms", round(seconds * 1000))
        return float(re.search(r"([\d.]+) a second", out)[1])

    def stop(self):
        self.run("stop", self.where)


@contextlib.contextmanager
def bed(*options):
    standing = Bed(*options)
    try:
        yield standing
    finally:
        standing.stop()


def ramdisk():
    return bed("--driver", BUILD / "tests/bed/ramdisk.sys", "--inf", ROOT / "tests/bed/ramdisk.inf", "--set-parameter",
               f"Targets={DISKS_MAX}", "--set-parameter", f"Megabytes={MEGABYTES}", "--set-parameter", "QueueDepth=255")


def map_disks(standing, port):
    """Maps as many exports as a case has disks; the number of the first."""
    for number in range(DISKS_MAX):
        standing.execute("wnbd-client.exe", "map", f"disk{number}", "127.0.0.1", "--port", port, "--export-name",
                         f"disk{number}")
    return int(re.search(r"^DiskNumber\s*: (\d+)", standing.execute("wnbd-client.exe", "show", "disk0"), re.MULTILINE)[1])


def measure(programs, cases, path, rounds, seconds, directory):
    with open(path, "w", newline="") as file, ramdisk() as peer, bed() as ours, \
            servers.null_server(programs, "tcp", directory, "structured") as address:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        first = {OURS: map_disks(ours, address.removeprefix("tcp:")), PEER: 5}
        contenders = [(OURS, ours), (PEER, peer)]
        for case in cases:
            for number in range(rounds):
                for name, standing in contenders[::-1] if number % 2 else contenders:
                    writer.writerow([case, number + 1, name, f"{standing.rate(first[name], case, seconds):.1f}"])
            file.flush()
        for number in range(DISKS_MAX):
            ours.execute("wnbd-client.exe", "unmap", f"disk{number}")


def load(path):
    """case -> (median of ours, median of the RAM disk, spread of ours: largest less smallest, to the median)."""
    samples = {}
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            samples.setdefault(row["case"], {}).setdefault(row["driver"], []).append(float(row["requests_per_s"]))
    return {case: (statistics.median(rates[OURS]), statistics.median(rates[PEER]),
                   (max(rates[OURS]) - min(rates[OURS])) / statistics.median(rates[OURS]))
            for case, rates in samples.items()}


def line(case, row):
    ours, peer, spread = row
    return f"{case:30} {ours:9.0f}/s  {ours / peer:5.2f} x RAM disk ({peer:.0f}/s)  spread {spread:.2f}"
