# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end-to-end tests' fixtures and modules, for tests of other folders: conftest is a name that each of them has."""

import importlib.util
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parent / "e2e"
sys.path.insert(0, str(E2E))

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_conftest)

FILE_BYTES = _conftest.FILE_BYTES
pytest_configure = _conftest.pytest_configure
bed, image, module_bed, server, stack = (getattr(_conftest, name)
                                         for name in ("bed", "image", "module_bed", "server", "stack"))
