# SPDX-License-Identifier: LGPL-2.1-or-later
"""Zip files that are the same bytes whenever they are made of the same files."""

import datetime
import zipfile

UNIX = 3
MODE = 0o100644


def write(path, folder_name, files, when):
    """`files`: {name in the archive: Path}; `when`: seconds, the time that all files have."""
    moment = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, source in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder_name}/{name}", moment.timetuple()[:6])
            entry.create_system = UNIX
            entry.external_attr = MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, source.read_bytes())
