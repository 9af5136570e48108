# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same sources give the same images, wherever they lie."""

import os
import shutil
import subprocess

import pytest
import tree

from packages import BUILD, ROOT, LIMIT_S

IMAGES = {"driver/wnbd.sys": "wnbd_sys", "libwnbd/wnbd.dll": "wnbd", "libwnbd/libwnbd.dll": "libwnbd_forwarder",
          "wnbd-client/wnbd-client.exe": "wnbd-client", "wnbd-service/wnbd-service.exe": "wnbd-service",
          "packaging/wnbd-path.exe": "wnbd-path"}
SYMBOLS = ["driver/wnbd.pdb", "libwnbd/wnbd.dll.pdb"]
VERSION = "generated/version.h"


def cmake(folder, *words):
    """With the history of this clone, from which the version comes; a tarball has it in a file."""
    history = {"GIT_DIR": str(ROOT / ".git"), "GIT_WORK_TREE": str(folder)} if (ROOT / ".git").exists() else {}
    done = subprocess.run(["cmake", *words], cwd=folder, env=os.environ | history, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """A second build, of a copy of the sources."""
    folder = tmp_path_factory.mktemp("another") / "place"
    for path in tree.files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    cmake(folder, "--preset", "windows-x64")
    cmake(folder, "--build", "--preset", "windows-x64", "--target", *IMAGES.values())
    return folder / "build/windows-x64"


def test_the_same_sources_give_the_same_images(again):
    assert (again / VERSION).read_text() == (BUILD / VERSION).read_text(), "the build is of another commit"
    for name in [*IMAGES, *SYMBOLS]:
        assert (again / name).read_bytes() == (BUILD / name).read_bytes(), name
