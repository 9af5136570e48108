# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project's files: what git tracks or would, and in an unpacked tarball all that is not built."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def files():
    if not (ROOT / ".git").exists():
        return [path for path in ROOT.rglob("*") if path.is_file() and path.relative_to(ROOT).parts[0] != "build"]
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                            check=True, timeout=60).stdout
    return [path for path in (ROOT / name for name in listed.splitlines()) if path.is_file()]
