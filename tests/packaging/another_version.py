# SPDX-License-Identifier: LGPL-2.1-or-later
"""A copy of the build that is another version: it says so, and no image that is installed is the same."""

import re
import shutil
import struct

from packages import BUILD

VERSIONED = ["driver/wnbd.sys", "libwnbd/wnbd.dll", "libwnbd/libwnbd.dll", "wnbd-client/wnbd-client.exe",
             "wnbd-service/wnbd-service.exe"]
OTHERS = ["packaging/wnbd-path.exe", "libwnbd/wnbd.lib", "generated/version.h", "driver/wnbd.pdb",
          "libwnbd/wnbd.dll.pdb", "wnbd-client/wnbd-client.pdb", "wnbd-service/wnbd-service.pdb",
          "packaging/wnbd-path.pdb", "tests/windows/diskio.exe"]


def another_version(folder, version):
    """What packaging/dist takes of the build, in `folder`, which is the answer."""
    for name in VERSIONED + OTHERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(BUILD / name, folder / name)
    header = folder / "generated/version.h"
    text = header.read_text()
    built = re.search(r'WNBD_VERSION_TEXT\s+"([^"]+)"', text)[1]
    for name in VERSIONED:
        _say(folder / name, built, version + built[len(version):])  # as long as before
        _number(folder / name, *(int(number) for number in version.split(".")))
    header.write_text(re.sub(r'(WNBD_VERSION_(?:STR|TEXT)\s+)"[^"]+"', rf'\1"{version}"', text))
    return folder


def _number(path, major, minor, patch):
    """In the resource that set-up compares: VS_FIXEDFILEINFO."""
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<II", 0xFEEF04BD, 0x10000))
    numbers = (major << 16 | minor, patch << 16)
    struct.pack_into("<IIII", data, at + 8, *numbers, *numbers)
    path.write_bytes(data)


def _say(path, was, now):
    data = changed = path.read_bytes()
    for encoding in ("ascii", "utf-16-le"):  # in code, in resources
        changed = changed.replace(was.encode(encoding), now.encode(encoding))
    assert changed != data, f"{path.name} does not say '{was}'"
    path.write_bytes(changed)
