# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scripts, whatever their names end in: a licence each, and nothing that flake8 or ShellCheck take for a fault."""

import subprocess

import tree

# Long lines; imports after a line that says where from; both styles of an operator at a line's break.
FLAKE8_IGNORED = "E402,E501,W503,W504"
# "A && B || C", where C is meant for both; a list of words that is to be taken apart.
SHELLCHECK_IGNORED = "SC2015,SC2086"


def interpreter(path):
    with open(path, "rb") as file:
        first = file.readline(100).split()
    return first[0].rpartition(b"/")[2].decode() if first and first[0].startswith(b"#!") else None


SCRIPTS = {path: interpreter(path) for path in tree.files() if interpreter(path)}
PYTHON = [path for path in tree.files() if path.suffix == ".py" or SCRIPTS.get(path) == "python3"]
SHELL = [path for path, name in SCRIPTS.items() if name == "sh"]


def found_by(*command):
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def test_scripts_are_python_or_shell():
    assert set(SCRIPTS.values()) == {"python3", "sh"}


def test_every_script_names_its_licence():
    for path in SCRIPTS:
        assert "SPDX-License-Identifier: LGPL-2.1-or-later" in path.read_text()[:100], path


def test_python():
    assert found_by("flake8", f"--extend-ignore={FLAKE8_IGNORED}", *PYTHON) == ""


def test_shell():
    assert found_by("shellcheck", f"--exclude={SHELLCHECK_IGNORED}", *SHELL) == ""
