# SPDX-License-Identifier: LGPL-2.1-or-later
"""The INF file as it ships: with the date and the version of this build. And what a catalog must know of it."""

import datetime
import re

DRIVER_VERSION = re.compile(r"^(DriverVer\s*=\s*)(\S+)", re.MULTILINE)


def stamp(text, when, version):
    """`when`: seconds; `version`: four numbers with dots."""
    day = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%m/%d/%Y")
    stamped, count = DRIVER_VERSION.subn(rf"\g<1>{day},{version}", text)
    if count != 1:
        raise ValueError("the INF file has not one DriverVer")
    return stamped


def version(text):
    """What `stamp` has put there, without the date; "" when nothing is."""
    found = DRIVER_VERSION.search(text)
    return found[2].partition(",")[2] if found else ""


def source_files(text):
    """The names in [SourceDisksFiles]: what the package has beside its INF file."""
    section = re.search(r"^\[SourceDisksFiles\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)[1]
    return re.findall(r"^\s*([^;=\s]+)\s*=", section, re.MULTILINE)
