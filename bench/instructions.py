# SPDX-License-Identifier: LGPL-2.1-or-later
"""Instructions per request of the driver's portable path (instructions.c), counted by callgrind, so that the figure is
the same on each machine with the same compiler; and the committed ones, in docs/performance.md."""

import re
import shutil
import subprocess
import tempfile

COMMANDS = 16000

# what bench-instructions is told, and what docs/performance.md calls it
KINDS = {
    "read-10 simple": "READ (10), 4 KiB",
    "write-10 simple": "WRITE (10), 4 KiB",
    "read-16 simple": "READ (16), 4 KiB",
    "read-10 structured": "READ (10), 4 KiB, structured reply",
    "write-10 structured": "WRITE (10), 4 KiB, structured reply",
    "read-10 extended": "READ (10), 4 KiB, extended headers",
    "write-10 extended": "WRITE (10), 4 KiB, extended headers",
}

ROW = re.compile(r"^\| (?P<name>[A-Z]+ \(\d+\), 4 KiB[^|]*?) \| (?P<count>[\d.]+) \|", re.MULTILINE)


def count(programs, kind):
    with tempfile.TemporaryDirectory() as directory:
        result = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=begin_batch", "--toggle-collect=end_batch",
             f"--callgrind-out-file={directory}/out", programs / "bench-instructions", *kind.split(), str(COMMANDS)],
            capture_output=True, text=True, timeout=300)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        raise RuntimeError(f"callgrind: {result.stderr[-2000:]}")
    return int(found.group(1)) / COMMANDS


def committed(path):
    names = {text: kind for kind, text in KINDS.items()}
    if not path.exists():
        return {}
    return {names[row["name"]]: float(row["count"]) for row in ROW.finditer(path.read_text())}


def compare(programs, path):
    """kind -> (counted now, committed or None). Empty, in words, when they cannot be counted."""
    if shutil.which("valgrind") is None or not (programs / "bench-instructions").exists():
        print("without instructions: valgrind or bench-instructions is missing")
        return {}
    before = committed(path)
    return {kind: (count(programs, kind), before.get(kind)) for kind in KINDS}
