# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what was measured into docs/performance.md, between its `<!-- begin NAME -->` and `<!-- end NAME -->` lines."""

import os
import platform
import re
import subprocess
from pathlib import Path

import cases
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


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(one, peer, metric):
    if peer not in one.medians:
        return "-"
    return number(one.medians[peer][metric])


def table(results):
    for server in cases.SERVERS:
        for transport in cases.TRANSPORTS:
            chosen = [one for one in results if (one.case.server, one.case.transport) == (server, transport)]
            if chosen:
                yield ""
                yield f"**{'Null server' if server == 'null' else 'nbdkit memory'}, " \
                      f"{'TCP' if transport == 'tcp' else 'Unix socket'}**"
                yield ""
                yield "| case | requests/s | of raw | times libnbd | times fio | CPU us: ours, raw, libnbd, fio |" \
                      " calls: ours, raw, libnbd, fio |"
                yield "|---|---|---|---|---|---|---|"
                yield from map(row, chosen)


def row(one):
    names = ["ours", *PEERS]
    ratios = [one.ratio(peer) for peer in PEERS]
    texts = ["-" if found is None else f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})" for found in ratios]
    return (f"| {one.case.operation} {one.case.size_text} x {one.case.depth} "
            f"| {number(one.medians['ours']['requests_per_s'])} | "
            + " | ".join(texts) + " | "
            + ", ".join(cell(one, name, "cpu_us_per_request") for name in names) + " | "
            + ", ".join(cell(one, name, "calls_per_request") for name in names) + " |")


def whole_rows(whole):
    yield "| case | requests/s | of the RAM disk | spread |"
    yield "|---|---|---|---|"
    for case, (ours, peer, spread) in whole.items():
        yield f"| {case.removeprefix('wine/')} | {number(ours)} | {ours / peer:.2f} | {spread * 100:.0f} % |"


def instruction_rows(counted):
    yield "| command | instructions |"
    yield "|---|---|"
    for kind, (now, _) in counted.items():
        yield f"| {KINDS[kind]}, 4 KiB | {now:.1f} |"


def write(path, results, whole, counted, rounds, seconds):
    text = path.read_text()
    text = put(text, "machine", list(machine(results, rounds, seconds)))
    text = put(text, "results", list(table(results)))
    if whole:
        text = put(text, "whole", list(whole_rows(whole)))
    if counted:
        text = put(text, "instructions", list(instruction_rows(counted)))
    path.write_text(text)
