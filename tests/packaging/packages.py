# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages as packaging/dist makes them, for the tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGING = ROOT / "packaging"
BUILD = Path(os.environ.get("WNBD_BUILD", ROOT / "build" / "windows-x64"))
LIMIT_S = 300

sys.path.insert(0, str(PACKAGING))


def make(out, *options):
    """What `dist` puts into the folder `out`."""
    command = [PACKAGING / "dist", "--build", BUILD, "--out", out, *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def one(folder, ending):
    """The package in `folder` whose name ends so."""
    found = [path for path in folder.iterdir() if path.name.endswith(ending)]
    assert len(found) == 1, found
    return found[0]


def version(folder):
    """Of the packages in `folder`, by their names."""
    return re.fullmatch(r"wnbd-(.+)-x64\.zip", one(folder, "x64.zip").name)[1]


def output(*command):
    """What a command said that must end well."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fails(*command):
    """What a command said that must fail."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr
