# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beds and servers are those of the end-to-end tests."""

import importlib.util
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parent.parent / "e2e"
sys.path.insert(0, str(E2E))

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_conftest)

FILE_BYTES = _conftest.FILE_BYTES
module_bed, bed, stack = _conftest.module_bed, _conftest.bed, _conftest.stack
