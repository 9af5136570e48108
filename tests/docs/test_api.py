# SPDX-License-Identifier: LGPL-2.1-or-later
"""The API reference: it is made without a complaint, has all that is public, and complains when words are missing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def make(folder, headers):
    return subprocess.run([ROOT / "docs" / "api" / "make", folder, headers], capture_output=True, text=True, timeout=60,
                          check=False)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The text of all pages."""
    folder = tmp_path_factory.mktemp("api")
    done = make(folder, ROOT / "include")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return "\n".join(path.read_text(encoding="utf-8") for path in (folder / "html").glob("*.html"))


def test_every_function_of_the_library_is_there(pages):
    lines = (ROOT / "libwnbd" / "libwnbd.def").read_text().splitlines()
    functions = [line.split()[0] for line in lines[lines.index("EXPORTS") + 1:] if line.strip()]
    assert len(functions) > 40
    for name in functions:
        assert re.search(rf'<h2 class="memtitle">.*{name}\(\)</h2>', pages), name


@pytest.mark.parametrize("words", [
    "Errors of Windows", "errors of opening the drive other than 2 and 433",  # a function's
    "informative: the driver refuses anchored UNMAP",  # a field's
    "a caller sets reserved fields to 0",  # a header's
    "Life of a disk",  # a chapter's
    "STATUS_TOO_MANY_ADDRESSES          68  128 disks are mapped",  # a table's
    "<pre class=\"fragment\">Interface   kept, not copied",  # a table's first line
    "request waits --(given)--&gt; with the program",  # a drawing's
    "A disk that a program serves: ",  # the first page's
])
def test_the_words_of_the_headers_are_there(words, pages):
    assert words.lower() in pages.lower()


@pytest.mark.parametrize("header,words,who", [
    ("wnbd.h", "/* As WnbdSetDrvOpt. 2, 6, 87, DRV. */\n", "WnbdIoctlSetDrvOpt"),
    ("wnbd.h", " /* of flushes */", "FlushErrors"),
    ("wnbd_ioctl.h", "/* How a request ended. */\n", "WNBD_IO_RESPONSE"),
    ("wnbd_ioctl.h", " /* IOCTL_WNBD_ENTER */", "IoControlCode"),
    ("wnbd_ioctl.h", " /* that one ENTER takes */", "WNBD_ENTER_MAX_ANSWERS"),
])
def test_what_has_no_words_fails(header, words, who, tmp_path):
    headers = shutil.copytree(ROOT / "include", tmp_path / "include")
    text = (headers / header).read_text()
    assert text.count(words) == 1
    (headers / header).write_text(text.replace(words, ""))
    done = make(tmp_path / "api", headers)
    assert done.returncode != 0 and who in done.stderr and f"/{header}:" in done.stderr, done


@pytest.mark.parametrize("header", ["wnbd.h", "wnbd_ioctl.h"])
def test_every_member_of_an_enumeration_has_words(header):
    """Debian 12's Doxygen does not ask for them."""
    text = (ROOT / "include" / header).read_text()
    enumerations = re.findall(r"^typedef enum \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    assert enumerations
    for line in "".join(enumerations).splitlines():
        assert re.search(r"^    Wnbd\w+ = \d+,? +/\* \S|^ +\* ", line), line
