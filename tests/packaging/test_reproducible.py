# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same commit, tools and key give the same packages, wherever it lies: here a clone, there an unpacked tarball."""

import shutil
import subprocess
import zipfile

import pytest
import tree

from packages import BUILD, ROOT, LIMIT_S

# What is packed, and not the bed and the tests.
TARGETS = ["wnbd_sys", "wnbd", "wnbd_msvc_import", "libwnbd_forwarder", "wnbd-client", "wnbd-service", "wnbd-path", "diskio"]
VERSION = "generated/version.h"


def run(folder, *words):
    done = subprocess.run([str(word) for word in words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tarball(folder):
    """These sources with what `git archive` writes of their commit; in a tarball they have that already."""
    for path in tree.files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    if (ROOT / ".git").exists():
        run(ROOT, "git", "archive", "--output", folder.parent / "rules.tar", "HEAD", "cmake/version.cmake")
        run(folder, "tar", "xf", folder.parent / "rules.tar")


@pytest.fixture(scope="module")
def again(tmp_path_factory, keys):
    """The packages of a second build, in a folder of somebody else's repository."""
    theirs = tmp_path_factory.mktemp("another")
    run(theirs, "git", "init", "-q")
    run(theirs, "git", "-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false",
        "commit", "-q", "--allow-empty", "-m", "theirs", "--date", "2001-01-01T00:00:00Z")
    folder = theirs / "place"
    tarball(folder)
    run(folder, "cmake", "--preset", "windows-x64")
    assert (folder / "build/windows-x64" / VERSION).read_text() == (BUILD / VERSION).read_text(), "the build is of another commit"
    run(folder, "cmake", "--build", "--preset", "windows-x64", "--target", *TARGETS)
    assert "there is none" in run(folder, "packaging/dist", "--keys", keys)
    return folder / "build/dist"


def test_the_same_commit_gives_the_same_packages_elsewhere(dist, again):
    sources = {path.name for path in dist.glob("*.tar.gz")}  # which only a clone makes
    assert {path.name for path in again.iterdir()} == {path.name for path in dist.iterdir()} - sources
    for path in again.glob("*.zip"):
        assert contents(path) == contents(dist / path.name), path.name
    for path in again.glob("*-x64*"):
        assert path.read_bytes() == (dist / path.name).read_bytes(), path.name


def contents(path):
    """{name: the file's sum}, so that a difference has a name."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info.CRC for info in archive.infolist()}
