# SPDX-License-Identifier: LGPL-2.1-or-later
"""Here for the modules beside it, which the tests of each folder import."""
