# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The library says what is in its table (libwnbd/messages.h), each message where it compiles and with a format that is
like the table's text; and a test hears each one through a logger.
"""

import collections
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = ROOT / "libwnbd"
STRING = r'"(?:[^"\\]|\\.)*"'
ROW = re.compile(rf"MESSAGE\(\s*(\w+), (\d+), (\w+),\s*((?:{STRING}\s*)+),")
CALL = re.compile(rf"\blog_message\(\s*MESSAGE_(\w+),\s*((?:{STRING}\s*)+)[,)]")
HEARD = re.compile(r"""(?:\bsaid\(.*|\.says\(|MESSAGES\[)["']([A-Z_]{2,})["']""")


def text_of(literals):
    return "".join(literal[1:-1] for literal in re.findall(STRING, literals))


def table(source=None):
    """{name: (id, text)}"""
    source = (LIBRARY / "messages.h").read_text() if source is None else source
    return {name: (int(number), text_of(text)) for name, number, _, text in ROW.findall(source.replace("\\\n", "\n"))}


def sources():
    return {path.name: path.read_text() for path in sorted(LIBRARY.glob("*.c"))}


def calls(texts):
    """[(file, name, format)]"""
    return [(file, name, text_of(form)) for file, text in texts.items() for name, form in CALL.findall(text)]


def is_like(form, text):
    """The format has the words of the table's text: conversions, or whole clauses, are where that has *Words*."""
    pattern = ".+".join(re.escape(part) for part in re.split(r"\*\w+\*", text))
    return re.fullmatch(pattern, form) is not None


def problems(rows, texts):
    found = calls(texts)
    count = collections.Counter(name for _, name, _ in found)
    lost = [f"{file}: a call whose message cannot be read" for file, text in texts.items()
            if text.count("log_message(") != len(CALL.findall(text)) or (file != "log.c" and "log_write(" in text)]
    unknown = [f"{file}: {name} is not in the table" for file, name, _ in found if name not in rows]
    other = [f"{file}: {name} says '{form}'" for file, name, form in found
             if name in rows and not is_like(form, rows[name][1])]
    return lost + unknown + other + [f"nobody says {name}" for name in rows if not count[name]]


def test_each_message_is_said_and_each_call_has_one():
    rows = table()
    assert len(rows) > 20 and len({number for number, _ in rows.values()}) == len(rows)
    assert problems(rows, sources()) == []


def test_each_message_is_heard_by_a_test():
    heard = set(HEARD.findall((ROOT / "tests/e2e/test_log_messages.py").read_text()))
    assert heard == set(table())


def other_ids():
    """Of the driver and of the service."""
    driver = (ROOT / "driver/messages.h").read_text().replace("\\\n", "\n")
    service = (ROOT / "wnbd-service/events.mc").read_text()
    return {*re.findall(r"(?:ADAPTER|DISK)\(\s*\w+, (\d+),", driver),
            *re.findall(r"^MessageId=(\d+)", service, re.MULTILINE)}


def test_an_id_is_of_one_program():
    assert len(other_ids()) > 20 and not {str(number) for number, _ in table().values()} & other_ids()


def test_what_names_a_disk_says_so():
    """The disk's name is the first that the format has, in quotes."""
    for name, (_, text) in table().items():
        assert ("*Disk*" in text) == bool(re.match(r"(cannot \w+ )?'\*Disk\*'", text)), name


@pytest.mark.parametrize("text, problem", [
    ('log_message(MESSAGE_A, "a: %s", x);', None),
    ('log_message(MESSAGE_A, "b: %s", x);', "A says 'b: %s'"),
    ('log_message(MESSAGE_B, "a: %s", x);', "B is not in the table"),
    ('log_message(id, "a: %s", x);', "cannot be read"),
    ('log_write(1, WnbdLogLevelError, "f", 1, "f", "a");', "cannot be read"),
    ("", "nobody says A"),
])
def test_a_problem_is_found(text, problem):
    rows = table('MESSAGE(A, 1000, Debug, "a: *Reason*", "meaning", "to do")')
    assert rows == {"A": (1000, "a: *Reason*")}
    found = problems(rows, {"x.c": text})
    assert any(problem in one for one in found) if problem else found == []
