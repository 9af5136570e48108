# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the documents name is there: files, and the tests that are to show something."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "tests" / "lessons.md"
DOCUMENTS = [LESSONS, *(ROOT / "docs" / f"{name}.md" for name in ["coverage", "scsi", "threat-model", "verification"])]

FOLDERS = "bed|bench|core|docs|driver|examples|include|libwnbd|records|scripts|tests|wnbd-client|wnbd-service"
IN_CODE = re.compile(r"`([^`]+)`")
PATH = re.compile(rf"(?:{FOLDERS})/\S*")
FILE = re.compile(r"[\w*-]+\.(?:c|h|py|md|inf)")
FUNCTION = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
TEST = re.compile(r"^(?:static void|def) (\w+)\(", re.MULTILINE)

# `file`: `function`, `function` and perhaps words between
NAMED = re.compile(r"`(tests/[^`]+\.(?:c|py))`: ((?:`\w+`(?:[^`|;]*, |))+)")


def words(path):
    return IN_CODE.findall(path.read_text())


def exists(name):
    """A path from the root, or the name of a file somewhere in it; either may be a pattern."""
    if PATH.fullmatch(name):
        return any(ROOT.glob(name.rstrip("/")))
    return any(any((ROOT / folder).rglob(name)) for folder in FOLDERS.split("|"))


def functions(path):
    return set(TEST.findall(path.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_are_there(document):
    for name in words(document):
        if PATH.fullmatch(name) or FILE.fullmatch(name):
            assert exists(name), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_tests_that_are_named_are_there(document):
    """A function of the code is taken for one, too, and what stands in a source as a word."""
    sources = [path for folder in FOLDERS.split("|") for path in (ROOT / folder).rglob("*")
               if path.suffix in (".c", ".h", ".py") and path != Path(__file__)]
    known = {word for path in sources for word in re.findall(r"\w+", path.read_text())}
    assert [name for name in words(document) if FUNCTION.fullmatch(name) and name not in known] == []


def test_lessons_name_functions_of_the_files_they_name():
    for name, list_of_them in NAMED.findall(LESSONS.read_text()):
        missing = set(IN_CODE.findall(list_of_them)) - functions(ROOT / name)
        assert not missing, f"{name}: {missing}"


def test_lessons_say_of_each_test_where_it_is():
    text = LESSONS.read_text()
    placed = {word for _, list_of_them in NAMED.findall(text) for word in IN_CODE.findall(list_of_them)}
    assert {word for word in words(LESSONS) if FUNCTION.fullmatch(word)} - placed == {"find_node"}


def test_each_lesson_names_a_function():
    rows = [line for line in LESSONS.read_text().splitlines() if line.startswith("| ") and "| shown by" not in line]
    assert rows
    for row in rows:
        assert NAMED.search(row), row
