# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links in the papers lead somewhere: relative ones to a file that is tracked, with # to a heading that is there."""

import re

import pytest
import tree

FENCE = re.compile(r"^\s*```.*?^\s*```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

PAPERS = [path for path in tree.files() if path.suffix == ".md"]


def prose(path):
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def links(path):
    """The targets of the links that stay in the project."""
    return [link for link in LINK.findall(prose(path)) if not re.match(r"[a-z]+:", link)]


def anchors(path):
    """Of its headings, as GitHub and its like make them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def problem(path, link, files):
    """Why a link leads nowhere, or None."""
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if target not in files and not any(target in file.parents for file in files):
        return f"{link}: there is no such file"
    if anchor and anchor not in anchors(target):
        return f"{link}: there is no such heading"
    return None


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_links_lead_somewhere(path):
    files = set(tree.files())
    assert [text for link in links(path) if (text := problem(path, link, files))] == []


def test_readme_and_docs_are_among_the_papers():
    assert {tree.ROOT / "README.md", tree.ROOT / "docs" / "reference.md"} <= set(PAPERS)
    assert len(links(tree.ROOT / "README.md")) > 5


@pytest.mark.parametrize("link,why", [
    ("docs/nowhere.md", "file"), ("../README.md", "file"), ("docs/building.md#nowhere", "heading"),
    ("#nowhere", "heading"),
    ("docs/building.md#the-version", None), ("docs", None), ("#map-list-unmap", None)])
def test_a_link_that_leads_nowhere_is_found(link, why):
    found = problem(tree.ROOT / "README.md", link, set(tree.files()))
    assert found is None if why is None else found and f"no such {why}" in found
