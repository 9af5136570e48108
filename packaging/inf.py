# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The INF file as it ships: with the date and the version of this build, for one processor. And what a catalog must know
of it.
"""

import datetime
import re

ARCHITECTURES = {"NTamd64", "NTarm64"}  # as models and install sections are decorated
DRIVER_VERSION = re.compile(r"^(DriverVer\s*=\s*)(\S+)", re.MULTILINE)


def driver_version(when, version):
    """DriverVer of a commit: its day, the three numbers `version`, and as the fourth, of which Windows takes no more than
    65535, half the seconds of that day. So a later commit is a newer driver to Windows, which looks at the day first."""
    day = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%m/%d/%Y")
    return f"{day},{version}.{when % 86400 // 2}"


def stamp(text, version):
    """`version` is of driver_version."""
    stamped_text, count = DRIVER_VERSION.subn(rf"\g<1>{version}", text)
    if count != 1:
        raise ValueError("the INF file has not one DriverVer")
    return stamped_text


def keep_architecture(text, kept):
    """Without what the file has for other processors than `kept`: the driver beside it is not for them."""
    for other in ARCHITECTURES - {kept}:
        sections = rf"^\[[^\]\n]+\.{other}\b.*?(?=^[\[;]|\Z)"
        text = re.sub(sections, "", text, flags=re.MULTILINE | re.DOTALL | re.IGNORECASE)
        text = re.sub(rf",\s*{other}\b[^,\s]*", "", text, flags=re.IGNORECASE)  # of [Manufacturer]
    return text


def stamped(text):
    """What `stamp` has put there; "" when nothing is."""
    found = DRIVER_VERSION.search(text)
    return found[2] if found else ""


def source_files(text):
    """The names in [SourceDisksFiles]: what the package has beside its INF file."""
    section = re.search(r"^\[SourceDisksFiles\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)[1]
    return re.findall(r"^\s*([^;=\s]+)\s*=", section, re.MULTILINE)
