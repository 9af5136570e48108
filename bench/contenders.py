# SPDX-License-Identifier: LGPL-2.1-or-later
"""The contenders, each run as a process of its own: ours, the raw loop, libnbd, fio and nbdcopy. A run gives a Sample."""

import json
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass

from cases import COPY, COPY_GIB, HOLES, MIB
from servers import core_of

PATIENCE_S = 90
ALONE = "alone"  # ours with one connection, beside ours with several


@dataclass
class Sample:
    rate: float  # requests a second
    cpu_us: float  # of the client, a request
    calls: float | None  # system calls, a request; None: it does not say, or somebody else measured


def run(command, seconds=0):
    result = subprocess.run([*core_of("client"), *map(str, command)], capture_output=True, text=True,
                            timeout=PATIENCE_S + seconds)
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit code {result.returncode}: {result.stderr.strip() or result.stdout}")
    return result.stdout


class Program:
    """One of ours in C (bench/plan.h). `connections`: how many it has where a case has several; None: as many."""

    def __init__(self, programs, name, program=None, connections=None):
        self.path = programs / f"bench-{program or name}"
        self.name = name
        self.connections = connections

    def missing(self):
        return None if self.path.exists() else f"{self.path.name} was not built: libnbd-dev is not installed"

    def takes(self, case):
        if self.name == "libnbd":  # 1.14 has no extended headers
            return case.form != "extended"
        return self.name != ALONE or (case.connections > 1 and case.operation != COPY)

    def command(self, address, case, limit, *words):
        operation = "read" if case.operation == COPY else case.operation
        sparse = ["sparse"] if case.server == HOLES else []
        return [self.path, address, operation, case.size, case.depth, limit, case.form,
                f"connections={self.connections or case.connections}", *sparse, *words]

    def sample(self, address, case, seconds):
        if case.operation == COPY:
            return copied(self.command(address, case, "once"), case)
        words = dict(word.split("=") for word in run(self.command(address, case, f"{seconds}s"), seconds).split())
        requests = int(words["requests"])
        calls = int(words["calls"]) / requests if "calls" in words else None
        return Sample(requests / float(words["seconds"]), int(words["cpu_us"]) / requests, calls)


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def copied(command, case):
    """The sample of a process that reads the whole export, measured from outside, its start and end included."""
    requests = COPY_GIB * 1024 * MIB // case.size
    cpu, begin = cpu_of_children(), time.monotonic()
    run(command)
    return Sample(requests / (time.monotonic() - begin), (cpu_of_children() - cpu) * 1e6 / requests, None)


def uri_of(address):
    kind, where = address.split(":", 1)
    return f"nbd://127.0.0.1:{where}/" if kind == "tcp" else f"nbd+unix:///?socket={where}"


class Fio:
    """fio's own nbd engine, with everything off that only measures, one thread a connection. It stands on libnbd and takes
    structured replies where the server has them."""

    name = "fio"

    def missing(self):
        if shutil.which("fio") is None:
            return "fio is not installed"
        return None if "nbd" in run(["fio", "--enghelp"]).split() else "this fio has no nbd engine"

    def takes(self, case):
        return case.form != "extended" and case.operation != COPY

    def command(self, address, case, limit, *_):
        until = ["--time_based", f"--runtime={round(float(limit[:-1]) * 1000)}ms"] if str(limit).endswith("s") else [
            f"--number_ios={int(limit) // case.connections}", "--io_size=1T"]
        return ["fio", "--name=bench", "--ioengine=nbd", f"--uri={uri_of(address)}", f"--rw=rand{case.operation}",
                f"--bs={case.size}", f"--iodepth={case.depth // case.connections}", f"--numjobs={case.connections}",
                "--group_reporting", "--thread", "--gtod_reduce=1", "--norandommap",
                "--scramble_buffers=0", *until, "--output-format=json"]

    def sample(self, address, case, seconds):
        output = run(self.command(address, case, f"{seconds}s"), seconds)
        job = json.loads(output[output.index("{"):])["jobs"][0]
        result = job[case.operation]
        cpu_us = (job["usr_cpu"] + job["sys_cpu"]) / 100 * job["job_runtime"] * 1000
        return Sample(result["iops"], cpu_us / result["total_ios"], None)


class Nbdcopy:
    """Reads an export and drops it. No look at what is zeroes, no questions which parts are."""

    name = "nbdcopy"

    def missing(self):
        return None if shutil.which("nbdcopy") else "nbdcopy is not installed"

    def takes(self, case):
        return case.operation == COPY

    def command(self, address, case, *_):
        return ["nbdcopy", f"--connections={case.connections}", f"--threads={case.connections}",
                f"--requests={case.depth // case.connections}", f"--request-size={case.size}", "--no-extents",
                "--sparse=0", uri_of(address), "null:"]

    def sample(self, address, case, _):
        return copied(self.command(address, case), case)


def every(programs):
    return [Program(programs, "ours"), Program(programs, "raw", connections=1),
            Program(programs, ALONE, program="ours", connections=1), Program(programs, "libnbd"), Fio(), Nbdcopy()]
