# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The INF file as it ships: with the date and the version of this build, for one processor. And what a catalog must know
of it.
"""

import datetime
import re

ARCHITECTURES = {"NTamd64", "NTarm64"}  # as models and install sections are decorated
DRIVER_VERSION = re.compile(r"^(DriverVer\s*=\s*)(\S+)", re.MULTILINE)


def stamp(text, when, version):
    """`when`: seconds; `version`: four numbers with dots."""
    day = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%m/%d/%Y")
    stamped, count = DRIVER_VERSION.subn(rf"\g<1>{day},{version}", text)
    if count != 1:
        raise ValueError("the INF file has not one DriverVer")
    return stamped


def keep_architecture(text, kept):
    """Without what the file has for other processors than `kept`: the driver beside it is not for them."""
    for other in ARCHITECTURES - {kept}:
        sections = rf"^\[[^\]\n]+\.{other}\b.*?(?=^[\[;]|\Z)"
        text = re.sub(sections, "", text, flags=re.MULTILINE | re.DOTALL | re.IGNORECASE)
        text = re.sub(rf",\s*{other}\b[^,\s]*", "", text, flags=re.IGNORECASE)  # of [Manufacturer]
    return text


def version(text):
    """What `stamp` has put there, without the date; "" when nothing is."""
    found = DRIVER_VERSION.search(text)
    return found[2].partition(",")[2] if found else ""


def source_files(text):
    """The names in [SourceDisksFiles]: what the package has beside its INF file."""
    section = re.search(r"^\[SourceDisksFiles\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)[1]
    return re.findall(r"^\s*([^;=\s]+)\s*=", section, re.MULTILINE)
