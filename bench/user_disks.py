# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Disks that a program serves: ENTER, which passes answers and requests in batches, against the classic way, an ioctl for
each request and one for each answer. Who fetches so has a buffer for any request, all of which the driver locks; the way
"fitting" has one of just these requests' size, which only the benchmark can know. In the native bed (bench-disk) and under
Wine (consumer.exe); in each round every way runs once, in an order that turns.
"""

import contextlib
import csv
import os
import re
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

import contenders
import whole_path
from cases import KIB, MIB
from results import below, ratio

OURS, CLASSIC, FITTING, RAMDISK = "enter", "classic", "fitting", "ramdisk"
NATIVE, WINE = "native", "wine"
WAYS = {NATIVE: [OURS, CLASSIC, FITTING, RAMDISK], WINE: [OURS, FITTING]}  # Wine's bed copies all that is locked
SHAPES = [(4 * KIB, 1), (4 * KIB, 16), (4 * KIB, 128), (MIB, 8)]
FIELDS = ["case", "round", "way", "requests_per_s", "cpu_us_per_request"]
BUSY_GOAL, SINGLE_GOAL = 3, 1  # times the requests of the classic way: at depth 16 and above, and at depth 1
DISK_LIMIT_S = 60


@dataclass(frozen=True)
class Case:
    bed: str
    size: int
    depth: int
    disks: int = 1

    def __str__(self):
        size = f"{self.size // MIB}M" if self.size >= MIB else f"{self.size // KIB}K"
        return f"user/{self.bed}/read-{size}-{self.depth}"


def chosen(pattern):
    every = [Case(bed, size, depth) for bed in WAYS for size, depth in SHAPES]
    return [case for case in every if re.search(pattern, str(case))]


# --- the native bed


class NativeDisk:
    """bench-disk: both threads and the simulated kernel are one process, on all cores."""

    def __init__(self, programs, way):
        self.path = programs / "bench-disk"
        self.way = way

    def command(self, case, limit, *words):
        return [self.path, self.way, "read", case.size, case.depth, limit, *words]

    def sample(self, case, seconds):
        done = subprocess.run([str(word) for word in self.command(case, f"{seconds}s")], capture_output=True, text=True,
                              timeout=contenders.PATIENCE_S + seconds, check=True)
        words = dict(word.split("=") for word in done.stdout.split())
        requests = int(words["requests"])
        return requests / float(words["seconds"]), int(words["cpu_us"]) / requests


# --- under Wine


def processes(prefix):
    """CPU seconds of each process of a Wine prefix."""
    wanted = f"WINEPREFIX={prefix}".encode()
    found = {}
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if path.name.isdigit() and wanted in (path / "environ").read_bytes().split(b"\0"):
                fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
                found[path.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


class WineDisk:
    """A disk of consumer.exe, with one thread that serves, mapped as long as the `with` lasts."""

    def __init__(self, bed, name, *options):
        self.bed = bed
        self.name = name
        command = [whole_path.BED, "exec", bed.where, "--timeout", 24 * 3600, "--", "consumer.exe", "--name", name,
                   "--threads", 1, *options]
        self.program = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.number = self.find_number()

    def find_number(self):
        """The program says when there is a disk; Windows takes a moment to see it."""
        if not self.program.stdout.readline().startswith("created"):
            raise RuntimeError(f"{self.name} was not created")
        for _ in range(DISK_LIMIT_S):
            shown = self.bed.execute("wnbd-client.exe", "show", self.name)
            number = int(re.search(r"^DiskNumber\s*: (-?\d+)", shown, re.MULTILINE)[1])
            if number >= 0:
                return number
        raise RuntimeError(f"{self.name} has no number")

    def sample(self, case, seconds):
        """CPU: of the program, the driver and wineserver, whose processes outlast the one that asks."""
        prefix = Path(self.bed.where) / "prefix"
        before = processes(prefix)
        rate = self.bed.rate(self.number, case, seconds)
        after = processes(prefix)
        used = sum(after[name] - before[name] for name in before.keys() & after.keys())
        return rate, used * 1e6 / (rate * seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.program.stdin.close()
        self.program.stdout.read()
        self.program.wait(DISK_LIMIT_S)


@contextlib.contextmanager
def wine_disks(sizes):
    """way -> size -> disk."""
    with contextlib.ExitStack() as stack:
        bed = stack.enter_context(whole_path.bed())
        ours = stack.enter_context(WineDisk(bed, OURS))
        yield {OURS: dict.fromkeys(sizes, ours),
               FITTING: {size: stack.enter_context(WineDisk(bed, f"{FITTING}{size}", "--singly", "--room", size))
                         for size in sizes}}


# --- measuring


def rounds_of(writer, case, disks, rounds, seconds):
    ways = list(disks)
    for number in range(rounds):
        turn = number % len(ways)
        for way in ways[turn:] + ways[:turn]:
            rate, cpu_us = disks[way].sample(case, seconds)
            writer.writerow([case, number + 1, way, f"{rate:.1f}", f"{cpu_us:.3f}"])


def measure(programs, cases, path, rounds, seconds):
    native = [case for case in cases if case.bed == NATIVE]
    wine = [case for case in cases if case.bed == WINE]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for case in native:
            rounds_of(writer, case, {way: NativeDisk(programs, way) for way in WAYS[NATIVE]}, rounds, seconds)
        if wine:
            with wine_disks({case.size for case in wine}) as disks:
                for case in wine:
                    rounds_of(writer, case, {way: of[case.size] for way, of in disks.items()}, rounds, seconds)


# --- what came out


@dataclass
class Result:
    rates: dict  # way -> median
    cpu_us: dict
    requests: dict  # way -> results.Ratio of ours to it
    cpu: dict

    def peer(self):
        """The way that ours is to be faster than."""
        return CLASSIC if CLASSIC in self.rates else FITTING


def load(path):
    """case -> Result."""
    samples = {}
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            samples.setdefault(row["case"], {}).setdefault(row["way"], []).append(
                (float(row["requests_per_s"]), float(row["cpu_us_per_request"])))
    return {case: result(ways) for case, ways in samples.items()}


def result(ways):
    rates = {way: [rate for rate, _ in rows] for way, rows in ways.items()}
    cpu_us = {way: [cpu for _, cpu in rows] for way, rows in ways.items()}
    return Result({way: statistics.median(values) for way, values in rates.items()},
                  {way: statistics.median(values) for way, values in cpu_us.items()},
                  {way: ratio(rates[OURS], values) for way, values in rates.items()},
                  {way: ratio(cpu_us[OURS], values) for way, values in cpu_us.items()})


def spread(one, way):
    """Of the requests, in times those of another way."""
    found = one.requests.get(way)
    return "-" if found is None else f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})"


def line(case, one):
    times = "".join(f"  {spread(one, way)} x {way}" for way in (CLASSIC, FITTING) if way in one.rates)
    cpu = ", ".join(f"{way} {value:.1f}" for way, value in one.cpu_us.items())
    return f"{case:30} {one.rates[OURS]:9.0f}/s{times}  CPU us: {cpu}"


def misses(case, one):
    """What of the goals it does not reach, in words."""
    depth = int(case.rsplit("-", 1)[1])
    if depth == 1:
        return below(one.requests[one.peer()], SINGLE_GOAL, "times the classic way")
    return below(one.requests[one.peer()], BUSY_GOAL, "times the classic way") if depth >= 16 else iter(())


def document_rows(measured, number):
    """The table of docs/performance.md."""
    ways = (OURS, CLASSIC, FITTING, RAMDISK)
    names = "batches, one by one, fitting, RAM disk"
    yield f"| case | requests/s: {names} | times one by one | times fitting | CPU us: {names} |"
    yield "|---" * 5 + "|"
    for case, one in measured.items():
        cells = [", ".join(number(values[way]) if way in values else "-" for way in ways)
                 for values in (one.rates, one.cpu_us)]
        yield (f"| {case.removeprefix('user/')} | {cells[0]} | {spread(one, CLASSIC)} | {spread(one, FITTING)} "
               f"| {cells[1]} |")
