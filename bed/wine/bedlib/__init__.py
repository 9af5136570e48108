# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of bed/wine/bed. Standard library only."""
