# SPDX-License-Identifier: LGPL-2.1-or-later
"""From samples (measure.py) to results: medians, and ours against each peer."""

import csv
import math
import statistics
from dataclasses import dataclass

import cases
import quiet
from contenders import ALONE

METRICS = {
    "requests_per_s": "requests/s",
    "cpu_us_per_request": "client CPU us/request",
    "calls_per_request": "client system calls/request",
}
PEERS = ["raw", ALONE, "libnbd", "fio", "nbdcopy"]


@dataclass
class Ratio:
    """Ours to a peer's, of the rounds: both ran in each, one after the other, so that a slow minute hits both."""

    median: float
    least: float
    most: float


@dataclass
class Result:
    case: cases.Case
    medians: dict  # contender -> metric -> median
    ratios: dict  # peer -> metric -> Ratio
    busy: float  # of the machine's CPU time while no contender ran, the mean

    def ratio(self, peer, metric="requests_per_s"):
        """None without that peer."""
        return self.ratios.get(peer, {}).get(metric)


def ratio(ours, peers):
    rounds = [mine / other for mine, other in zip(ours, peers) if other and not math.isnan(mine / other)]
    return Ratio(statistics.median(rounds), min(rounds), max(rounds)) if rounds else None


def load(path):
    samples = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            samples.setdefault(row["case"], {}).setdefault(row["contender"], []).append(row)
    return [result(cases.parse(name), by_contender) for name, by_contender in samples.items()]


def result(case, by_contender):
    values = {name: {metric: [float(row[metric]) for row in sorted(rows, key=lambda row: int(row["round"]))]
                     for metric in METRICS} for name, rows in by_contender.items()}
    medians = {name: {metric: statistics.median(of[metric]) for metric in METRICS} for name, of in values.items()}
    ratios = {peer: {metric: ratio(values["ours"][metric], values[peer][metric]) for metric in METRICS}
              for peer in PEERS if peer in values}
    busy = statistics.mean(float(row["busy_before"]) for rows in by_contender.values() for row in rows)
    return Result(case, medians, ratios, busy)


def write(path, results, whole, user, instructions):
    """build/bench/results.csv: a row for each case, metric and peer. `whole`: whole_path.load; `user`: user_disks.load;
    `instructions`: name -> (ours, committed)."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "ours", "peer", "peer_name", "ratio", "unit"])
        for one in results:
            for metric, unit in METRICS.items():
                for peer in PEERS:
                    found = one.ratio(peer, metric)
                    if found is not None:
                        writer.writerow([one.case, f"{one.medians['ours'][metric]:.4g}",
                                         f"{one.medians[peer][metric]:.4g}", peer, f"{found.median:.3f}", unit])
        for case, (ours, peer, _) in whole.items():
            writer.writerow([case, f"{ours:.4g}", f"{peer:.4g}", "ramdisk", f"{ours / peer:.3f}", "requests/s"])
        for case, one in user.items():
            for values, ratios, unit in ((one.rates, one.requests, "requests/s"), (one.cpu_us, one.cpu, "CPU us/request")):
                for way in (way for way in ("classic", "fitting") if way in values):
                    writer.writerow([case, f"{values['enter']:.4g}", f"{values[way]:.4g}", way,
                                     f"{ratios[way].median:.3f}", unit])
        for name, (ours, committed) in instructions.items():
            if committed:
                writer.writerow([f"instructions/{name}", f"{ours:.1f}", f"{committed:.1f}", "committed",
                                 f"{ours / committed:.3f}", "instructions/request"])


def cost(metrics):
    """CPU time and system calls of a request, for a person."""
    calls = metrics["calls_per_request"]
    return f"{metrics['cpu_us_per_request']:.2f} us" + ("" if math.isnan(calls) else f", {calls:.3f} calls")


def line(one):
    """A result for a person, in one line."""
    ours = one.medians["ours"]
    words = [f"{str(one.case):38} {ours['requests_per_s']:9.0f}/s ({cost(ours)})"]
    for peer in PEERS:
        found = one.ratio(peer)
        if found is not None:
            words.append(f"{found.median:5.2f} x {peer} ({cost(one.medians[peer])})")
    if one.busy > quiet.QUIET:
        words.append(f"(the machine was {one.busy * 100:.0f} % busy otherwise)")
    return "   ".join(words)


def below(found, floor, what):
    """What a ratio does not reach, in words: in no round, or in more than half of them, which noise may have done."""
    if found is not None and found.median < floor:
        rounds = "in every round" if found.most < floor else f"but {found.most:.2f} in a round"
        yield f"{found.median:.2f} {what}, not {floor} ({rounds})"


def misses(one):
    """What of the goals (docs/performance.md) a case does not reach, in words."""
    ours = one.medians["ours"]
    one_connection = one.case.connections == 1
    small_deep = (one.case.server == "null" and one.case.size == 4 * cases.KIB and one.case.depth == 64
                  and one_connection)
    if one_connection or one.case.operation == cases.COPY:
        yield from below(one.ratio("raw"), 0.97 if one.case.depth == 1 else 0.8, "of the raw loop")
    yield from below(one.ratio("libnbd"), 3 if small_deep else 1, "times libnbd")
    yield from below(one.ratio("fio"), 1, "times fio")
    yield from below(one.ratio("nbdcopy"), 1, "times nbdcopy")
    if small_deep and ours["cpu_us_per_request"] > 2.5:
        yield f"{ours['cpu_us_per_request']:.2f} us of CPU a request, not 2.5"
    if small_deep and ours["calls_per_request"] > 0.3:
        yield f"{ours['calls_per_request']:.2f} system calls a request, not 0.3"
    calls = one.medians["raw"]["calls_per_request"]
    if one.case.depth == 1 and ours["calls_per_request"] > calls + 0.02:
        yield f"{ours['calls_per_request']:.2f} system calls a request, not the raw loop's {calls:.2f}"
