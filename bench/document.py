# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what was measured into docs/performance.md, between its `<!-- begin NAME -->` and `<!-- end NAME -->` lines."""

import math
import os
import platform
import re
import subprocess
from pathlib import Path

import cases
import user_disks
from contenders import ALONE
from instructions import KINDS
from results import PEERS


def put(text, name, lines):
    block = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    if not block.search(text):
        raise RuntimeError(f"docs/performance.md has no block {name}")
    return block.sub(lambda found: found.group(1) + "\n".join(lines) + "\n" + found.group(2), text)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.split(":", 1)[1].split())
    return platform.machine()


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.splitlines()[0]
    except (OSError, IndexError):
        return f"no {command[0]}"


def machine(results, rounds, seconds):
    virtual = "hypervisor" in Path("/proc/cpuinfo").read_text()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    yield f"* {processor()}, {os.cpu_count()} cores{', virtual machine' if virtual else ''}, {memory:.0f} GiB"
    yield f"* Linux {platform.release()}; {first_line('clang-19', '--version')}"
    yield f"* {first_line('fio', '--version')}, {first_line('nbdkit', '--version')}, " \
          f"libnbd {first_line('pkg-config', '--modversion', 'libnbd')}"
    busy = sum(one.busy for one in results) / len(results)
    yield f"* {rounds} rounds of {seconds:g} s, medians; {busy * 100:.0f} % of the machine was busy with other work"


COLUMNS = {"raw": "of raw", ALONE: "times one connection", "libnbd": "times libnbd", "fio": "times fio",
           "nbdcopy": "times nbdcopy"}


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(one, name, metric):
    value = one.medians[name][metric] if name in one.medians else math.nan
    return "-" if math.isnan(value) else number(value)


def tables(results):
    by_case = {one.case: one for one in results}
    for table in cases.TABLES:
        found = [by_case[case] for case in table.cases if case in by_case]
        if found:
            yield from rows(table, found)


def rows(table, found):
    peers = [peer for peer in PEERS if any(peer in one.medians for one in found)]
    names = ", ".join(["ours", *peers])
    columns = ["case", "requests/s", *(COLUMNS[peer] for peer in peers), f"CPU us: {names}", f"calls: {names}"]
    yield ""
    yield f"**{table.title}**"
    yield ""
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for one in found:
        yield row(one, table, peers)


def row(one, table, peers):
    ratios = [one.ratio(peer) for peer in peers]
    cells = [", ".join(cases.label(one.case, table)), number(one.medians["ours"]["requests_per_s"]),
             *("-" if found is None else f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})" for found in ratios),
             *(", ".join(cell(one, name, metric) for name in ["ours", *peers])
               for metric in ("cpu_us_per_request", "calls_per_request"))]
    return f"| {' | '.join(cells)} |"


def whole_rows(whole):
    yield "| case | requests/s | of the RAM disk | spread |"
    yield "|---|---|---|---|"
    for case, (ours, peer, spread) in whole.items():
        yield f"| {case.removeprefix('wine/')} | {number(ours)} | {ours / peer:.2f} | {spread * 100:.0f} % |"


def instruction_rows(counted):
    yield "| command | instructions |"
    yield "|---|---|"
    for kind, (now, _) in counted.items():
        yield f"| {KINDS[kind]} | {now:.1f} |"


def write(path, results, whole, user, counted, rounds, seconds):
    text = path.read_text()
    if results:
        text = put(text, "machine", list(machine(results, rounds, seconds)))
        text = put(text, "results", list(tables(results)))
    if whole:
        text = put(text, "whole", list(whole_rows(whole)))
    if user:
        text = put(text, "user", list(user_disks.document_rows(user, number)))
    if counted:
        text = put(text, "instructions", list(instruction_rows(counted)))
    path.write_text(text)
