# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs of libiscsi's conformance suite, and what is expected of them (expected.txt).

`suite.py` runs all of it and writes expected.txt anew, with the reasons that it had; `suite.py table` prints the table
of docs/scsi.md.
"""

import collections
import contextlib
import re
import subprocess
import sys
from pathlib import Path

from target import Target
from unit import Unit

EXPECTED = Path(__file__).with_name("expected.txt")
RUNS = {"512": ("512",), "4096": ("4096",), "read-only": ("512", "read-only")}

# What there is to see of a disk that cannot be written to.
READING = {"Inquiry", "Mandatory", "ModeSense6", "Read10", "Read16", "ReadCapacity10", "ReadCapacity16", "ReadOnly",
           "ReportSupportedOpcodes", "TestUnitReady"}

CASE = re.compile(r"  Test: (\S+) \.\.\.(.*?)(?:^|(?<=\.\.\.))(passed|FAILED)", re.DOTALL | re.MULTILINE)
HEADER = re.compile(r"(\w+)(?: - (.+))?")

# With blocks of 4096 bytes they take long, and the core decodes them to the same command as the form of 10 bytes.
SLOW = {"Verify12", "Verify16", "WriteVerify12", "WriteVerify16"}

NOT_RUN = "-"


@contextlib.contextmanager
def serving(run):
    """A target with a disk of its own; the unit has to end well (a sanitizer's report is an error)."""
    unit = Unit(*RUNS[run])
    target = Target(unit)
    try:
        yield target
    finally:
        target.close()
        code = unit.close()
    assert code == 0, f"the logical unit ended with {code}"


def list_families():
    text = subprocess.run(["iscsi-test-cu", "--list"], capture_output=True, text=True, timeout=20).stdout
    return re.findall(r"^SCSI\.(\w+)$", text, re.MULTILINE)


def is_in(run, family):
    """Whether the disk of that run is looked at with that family."""
    return family in READING if run == "read-only" else run == "512" or family not in SLOW


def run_family(target, family):
    """({case: outcome}, what it printed). The suite has to come to its end: a crash is not a result."""
    command = ["iscsi-test-cu", "--dataloss", f"--test=SCSI.{family}", target.url()]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60)
    output = done.stdout + done.stderr
    assert "Tests completed with return value: 0" in output, output[-4000:]
    outcomes = {case: outcome(text, verdict) for case, text, verdict in CASE.findall(output)}
    assert len(outcomes) == ran(output), output[-4000:]
    return outcomes, output


def outcome(text, verdict):
    if verdict == "FAILED":
        return "failed"
    return "skipped" if "[SKIPPED]" in text else "passed"


def ran(output):
    return int(re.search(r"^ +tests +\d+ +(\d+)", output, re.MULTILINE).group(1))


def read_expected():
    """({family: {case: [outcome of each run]}}, {family: why some do not pass})."""
    expected, reasons = {}, {}
    family = None
    for line in EXPECTED.read_text().splitlines():
        if line.startswith("  "):
            case, *outcomes = line.split()
            expected[family][case] = outcomes
        elif match := HEADER.fullmatch(line):
            family = match[1]
            expected[family] = {}
            reasons[family] = match[2] or ""
    return expected, reasons


def run_all():
    """{family: {case: [outcome of each run]}}"""
    found = {family: collections.defaultdict(list) for family in list_families()}
    for run in RUNS:
        with serving(run) as target:
            for family, cases in found.items():
                outcomes = run_family(target, family)[0] if is_in(run, family) else dict.fromkeys(cases, NOT_RUN)
                for case, how in outcomes.items():
                    cases[case].append(how)
    return found


def write_expected(found, reasons):
    lines = ["# SPDX-License-Identifier: LGPL-2.1-or-later", f"# Outcomes with the disks: {' '.join(RUNS)}. By suite.py."]
    for family, cases in found.items():
        reason = reasons.get(family)
        lines += ["", f"{family} - {reason}" if reason else family]
        lines += [f"  {case:24} {' '.join(f'{how:7}' for how in outcomes).rstrip()}" for case, outcomes in cases.items()]
    EXPECTED.write_text("\n".join(lines) + "\n")


def counted(cases, run):
    """As "6", or "4, 2 skipped"."""
    counts = collections.Counter(outcomes[run] for outcomes in cases.values())
    if NOT_RUN in counts:
        return ""
    parts = [str(counts["passed"])] + [f"{counts[how]} {how}" for how in ("skipped", "failed") if counts[how]]
    return ", ".join(parts)


def table():
    """Lines of docs/scsi.md."""
    expected, reasons = read_expected()
    yield f"| family | {' | '.join(RUNS)} | what does not apply |"
    yield f"|---|{'---|' * len(RUNS)}---|"
    for family, cases in expected.items():
        counts = " | ".join(counted(cases, run) for run in range(len(RUNS)))
        yield f"| {family} | {counts} | {reasons[family]} |".replace("|  ", "| ")


if __name__ == "__main__":
    if sys.argv[1:] == ["table"]:
        print("\n".join(table()))
    else:
        write_expected(run_all(), read_expected()[1] if EXPECTED.exists() else {})
