# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links in the papers lead somewhere: relative ones to a file that is tracked, with # to a heading that is there."""

import pytest
import tree
from links import links, problem

PAPERS = [path for path in tree.files() if path.suffix == ".md"]


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
