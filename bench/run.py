#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The benchmark; what `make bench` runs after building. One line for each case; everything in build/bench/results.csv,
every single sample in build/bench/samples.csv, the plot in build/bench/performance.svg. By the environment:

    BENCH_SECONDS=1     one run of one contender
    BENCH_ROUNDS=5
    BENCH_PATIENCE=0    seconds to wait, before each run, until the machine has nothing else to do
    BENCH_CASES=        regular expression: only cases like null/tcp/read-4K-64/structured or wine/1-disks/read-4K-64 or
                        user/native/read-4K-16 that match
    BENCH_DOCS=         1: write the figures and the plot into docs/ as well
    BENCH_SAMPLES=      a samples.csv to report from instead of measuring
"""

import os
import sys
import tempfile
from pathlib import Path

import cases
import document
import instructions
import measure
import plot
import results
import user_disks
import whole_path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
PROGRAMS = BUILD / "bench"
DOCUMENT = ROOT / "docs" / "performance.md"
WHOLE_PATH = BUILD / "whole_path.csv"
USER_DISKS = BUILD / "user_disks.csv"


def setting(name, default):
    return os.environ.get(f"BENCH_{name}") or default


def report_instructions():
    counted = instructions.compare(PROGRAMS, DOCUMENT)
    for kind, (now, before) in counted.items():
        print(f"instructions/{kind:20} {now:9.1f} a request, committed {before if before else 'none'}")
    return counted


def measure_whole_path(pattern, rounds, seconds):
    """The path under Wine (whole_path.py), for the cases that match."""
    chosen = whole_path.chosen(pattern)
    if chosen:
        with tempfile.TemporaryDirectory() as directory:
            whole_path.measure(PROGRAMS, chosen, WHOLE_PATH, rounds, seconds, directory)


def measure_user_disks(pattern, rounds, seconds):
    """Disks that a program serves (user_disks.py), for the cases that match."""
    chosen = user_disks.chosen(pattern)
    if chosen:
        user_disks.measure(PROGRAMS, chosen, USER_DISKS, rounds, seconds)


def report_misses(measured, user):
    missed = [f"{one.case}: {what}" for one in measured for what in results.misses(one)]
    missed += [f"{case}: {what}" for case, one in user.items() for what in user_disks.misses(case, one)]
    print(f"{len(measured) + len(user)} cases; goals missed (docs/performance.md): {len(missed)}")
    for line in missed:
        print(f"  {line}")


def main():
    rounds = int(setting("ROUNDS", 5))
    seconds = float(setting("SECONDS", 1))
    samples = setting("SAMPLES", None)
    sys.stdout.reconfigure(line_buffering=True)
    if samples is None:
        samples = BUILD / "samples.csv"
        chosen = cases.chosen(setting("CASES", ""))
        measure.measure(PROGRAMS, chosen, samples, rounds, seconds, float(setting("PATIENCE", 0)),
                        lambda case: print(results.line(next(one for one in results.load(samples) if one.case == case))))
        measure_whole_path(setting("CASES", ""), rounds, seconds)
        measure_user_disks(setting("CASES", ""), rounds, seconds)
    else:
        for one in results.load(samples):
            print(results.line(one))
    measured = results.load(samples)
    whole = whole_path.load(WHOLE_PATH)
    for case, row in whole.items():
        print(whole_path.line(case, row))
    user = user_disks.load(USER_DISKS)
    for case, one in user.items():
        print(user_disks.line(case, one))
    counted = report_instructions()
    results.write(BUILD / "results.csv", measured, whole, user, counted)
    plot.plot(BUILD / "performance.svg", measured)
    if setting("DOCS", None):
        document.write(DOCUMENT, measured, whole, user, counted, rounds, seconds)
        if measured:
            plot.plot(DOCUMENT.with_suffix(".svg"), measured)
    report_misses(measured, user)
    print(f"results: {(BUILD / 'results.csv').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
