# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures: each case in rounds, each round every contender once, whose order turns from round to round."""

import csv
import itertools
import tempfile

import calls
import contenders
import quiet
import servers

NOT_COUNTED = float("nan")
FIELDS = ["case", "round", "contender", "requests_per_s", "cpu_us_per_request", "calls_per_request", "busy_before"]


def present(programs):
    """The contenders that can run; of the others says why not."""
    found = []
    for contender in contenders.every(programs):
        why = contender.missing()
        if why is None:
            found.append(contender)
        else:
            print(f"without {contender.name}: {why}")
    return found


def measure_case(writer, found, address, case, rounds, seconds, patience_s):
    """Writes a row of each round and contender."""
    found = [contender for contender in found if contender.takes(case)]
    counted = {contender.name: calls.per_request(contender, address, case) for contender in found
               if contender.name in calls.COUNTED and calls.can_count(case)}
    for number in range(rounds):
        turn = number % len(found)
        for contender in found[turn:] + found[:turn]:
            busy = quiet.wait(patience_s)
            sample = contender.sample(address, case, seconds)
            made = counted.get(contender.name, NOT_COUNTED) if sample.calls is None else sample.calls
            writer.writerow([case, number + 1, contender.name, f"{sample.rate:.1f}", f"{sample.cpu_us:.4f}", f"{made:.4f}",
                             f"{busy:.2f}"])


def warm(programs, address):
    """Writes to most of a server's memory once, so that the first round finds what the last one does."""
    contenders.run([programs / "bench-raw", address, "write", 1 << 20, 8, 512])


def measure(programs, cases, path, rounds, seconds, patience_s, done):
    """Writes every sample to `path` (CSV) and calls done(case) after each case. Waits up to `patience_s` before a sample
    until the machine is quiet."""
    found = present(programs)
    with open(path, "w", newline="") as file, tempfile.TemporaryDirectory() as directory:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for wanted, group in itertools.groupby(cases, key=servers.of_case):
            with servers.serving(programs, wanted, directory) as address:
                for number, case in enumerate(group):
                    if number == 0:
                        warm(programs, address)
                    measure_case(writer, found, address, case, rounds, seconds, patience_s)
                    file.flush()
                    done(case)
