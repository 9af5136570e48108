# SPDX-License-Identifier: LGPL-2.1-or-later
"""The contenders, each run as a process of its own: ours, the raw loop, libnbd and fio. A run gives a Sample."""

import json
import shutil
import subprocess
from dataclasses import dataclass

from servers import core_of

PATIENCE_S = 90


@dataclass
class Sample:
    rate: float  # requests a second
    cpu_us: float  # of the client, a request
    calls: float | None  # system calls, a request; None: it does not say


def run(command, seconds=0):
    result = subprocess.run([*core_of("client"), *map(str, command)], capture_output=True, text=True,
                            timeout=PATIENCE_S + seconds)
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit code {result.returncode}: {result.stderr.strip() or result.stdout}")
    return result.stdout


class Program:
    """One of ours in C (bench/plan.h)."""

    def __init__(self, programs, name):
        self.path = programs / f"bench-{name}"
        self.name = name

    def missing(self):
        return None if self.path.exists() else f"{self.path.name} was not built: libnbd-dev is not installed"

    def command(self, address, case, limit, *words):
        return [self.path, address, case.operation, case.size, case.depth, limit, *words]

    def sample(self, address, case, seconds):
        words = dict(word.split("=") for word in run(self.command(address, case, f"{seconds}s"), seconds).split())
        requests = int(words["requests"])
        calls = int(words["calls"]) / requests if "calls" in words else None
        return Sample(requests / float(words["seconds"]), int(words["cpu_us"]) / requests, calls)


class Fio:
    """fio's own nbd engine, in one thread, with everything off that only measures."""

    name = "fio"

    def missing(self):
        if shutil.which("fio") is None:
            return "fio is not installed"
        return None if "nbd" in run(["fio", "--enghelp"]).split() else "this fio has no nbd engine"

    def command(self, address, case, limit, *_):
        kind, where = address.split(":", 1)
        uri = f"nbd://127.0.0.1:{where}/" if kind == "tcp" else f"nbd+unix:///?socket={where}"
        until = ["--time_based", f"--runtime={round(float(limit[:-1]) * 1000)}ms"] if str(limit).endswith("s") else [
            f"--number_ios={limit}", "--io_size=1T"]
        return ["fio", "--name=bench", "--ioengine=nbd", f"--uri={uri}", f"--rw=rand{case.operation}",
                f"--bs={case.size}", f"--iodepth={case.depth}", "--thread", "--gtod_reduce=1", "--norandommap",
                "--scramble_buffers=0", *until, "--output-format=json"]

    def sample(self, address, case, seconds):
        output = run(self.command(address, case, f"{seconds}s"), seconds)
        job = json.loads(output[output.index("{"):])["jobs"][0]
        result = job[case.operation]
        cpu_us = (job["usr_cpu"] + job["sys_cpu"]) / 100 * job["job_runtime"] * 1000
        return Sample(result["iops"], cpu_us / result["total_ios"], None)


def every(programs):
    return [Program(programs, "ours"), Program(programs, "raw"), Program(programs, "libnbd"), Fio()]
