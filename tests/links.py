# SPDX-License-Identifier: LGPL-2.1-or-later
"""The links of a paper in Markdown, and where they lead."""

import re

FENCE = re.compile(r"^\s*```.*?^\s*```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


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
