# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a build calls itself: cmake/version.cmake in repositories made for it, in tarballs and without git."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "cmake" / "version.cmake"
NEXT = re.search(r"set\(WNBD_VERSION ([\d.]+)\)", RULES.read_text())[1]
PERSON = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]


def run(folder, *words, **environment):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **environment})
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


def version(folder, **environment):
    return run(folder, "cmake", "-P", "cmake/version.cmake", **environment)


def rules():
    """As a repository has them: in a tarball, where this may run, they are filled in."""
    places = iter(["%(describe:tags=true,match=v[0-9]*)", "%H", "%ct"])
    return re.sub(r'(set\(archived_\w+ )"[^"]*"', lambda found: f'{found[1]}"$Format:{next(places)}$"', RULES.read_text())


def put_rules(folder):
    (folder / "cmake").mkdir(parents=True)
    (folder / "cmake" / RULES.name).write_text(rules())
    shutil.copy2(ROOT / ".gitattributes", folder)
    return folder


class Repository:
    def __init__(self, folder):
        self.folder = put_rules(folder)
        self.git("init", "-q")
        self.git("add", ".")
        self.commit("first")

    def git(self, *words):
        return run(self.folder, "git", *PERSON, *words)

    def commit(self, subject):
        self.git("commit", "-q", "--allow-empty", "-m", subject)

    def head(self):
        return "g" + self.git("rev-parse", "HEAD")[:7]

    def tarball(self, folder):
        """What `git archive` makes of it, unpacked."""
        folder.mkdir()
        self.git("archive", "--output", folder / "archive.tar", "HEAD")
        run(folder, "tar", "xf", "archive.tar")
        return folder


def test_rules_are_those_of_the_repository():
    if (ROOT / ".git").exists():
        assert rules() == RULES.read_text()


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


def test_without_a_tag_the_numbers_and_the_commit(repository):
    assert version(repository.folder) == f"{NEXT}-dev+{repository.head()}"


@pytest.mark.parametrize("tag", ["v1.2.3", "v0.10.0", "v2.0.0-rc1"])
def test_at_a_tag_its_name(tag, repository):
    repository.git("tag", tag)
    assert version(repository.folder) == tag[1:]


def test_after_a_tag_how_far(repository):
    repository.git("tag", "-a", "v1.2.3", "-m", "a release")
    repository.commit("second")
    repository.commit("third")
    assert version(repository.folder) == f"1.2.3+2.{repository.head()}"


def test_other_tags_do_not_count(repository):
    repository.git("tag", "vacation")
    repository.git("tag", "v1")
    assert version(repository.folder) == f"{NEXT}-dev+{repository.head()}"


@pytest.mark.parametrize("tag", ["v1.2.3", None])
def test_a_tarball_knows_what_its_repository_knew(tag, repository, tmp_path):
    if tag:
        repository.git("tag", tag)
        repository.commit("second")
    assert version(repository.tarball(tmp_path / "tarball")) == version(repository.folder)


@pytest.mark.parametrize("tag", ["v1.2.3", None])
def test_how_git_shortens_a_commit_is_nothing_to_the_version(tag, repository, tmp_path):
    if tag:
        repository.git("tag", tag)
        repository.commit("second")
    was = version(repository.folder)
    repository.git("config", "core.abbrev", "12")
    assert version(repository.folder) == was == version(repository.tarball(tmp_path / "tarball"))


def test_without_git_the_numbers_alone(tmp_path):
    folder = put_rules(tmp_path / "copy")
    assert version(folder, GIT_CEILING_DIRECTORIES=str(tmp_path)) == NEXT


def test_another_repository_around_a_copy_says_nothing(repository):
    repository.git("tag", "v7.0.0")
    assert version(put_rules(repository.folder / "copy")) == NEXT


def test_without_the_program_git_the_numbers_alone(repository, tmp_path):
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "cmake").symlink_to(shutil.which("cmake"))
    assert version(repository.folder, PATH=str(tmp_path / "programs")) == NEXT


def test_a_build_has_the_version_of_its_commit(repository):
    """In the header, with three numbers; and a tag that is made later is seen by the next build."""
    (repository.folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\ninclude(cmake/version.cmake)\n"
        "project(version VERSION ${WNBD_VERSION} LANGUAGES NONE)\nadd_custom_target(everything ALL)\n")
    shutil.copy2(ROOT / "cmake" / "version.h.in", repository.folder / "cmake")
    run(repository.folder, "cmake", "-G", "Ninja", "-S", ".", "-B", "build")
    header = repository.folder / "build" / "generated" / "version.h"
    assert f'WNBD_VERSION_TEXT "{NEXT}-dev+{repository.head()}"' in header.read_text()
    repository.commit("second")
    repository.git("tag", "v3.4.5")
    run(repository.folder, "cmake", "--build", "build")
    text = header.read_text()
    for name, value in [("VERSION_TEXT", '"3.4.5"'), ("VERSION_STR", '"3.4.5"'), ("VERSION_MAJOR", "3"), ("VERSION_MINOR", "4"),
                        ("VERSION_PATCH", "5"), ("COMMIT_TIME", repository.git("log", "-1", "--format=%ct")),
                        ("COMMIT", f'"{repository.git("rev-parse", "HEAD")}"')]:
        assert re.search(rf"^#define WNBD_{name} +{re.escape(value)}$", text, re.MULTILINE), text
