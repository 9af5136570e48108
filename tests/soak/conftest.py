# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beds and servers are those of the end-to-end tests."""

from e2e_fixtures import FILE_BYTES, bed, module_bed, stack  # noqa: F401
