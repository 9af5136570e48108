# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/windows/run.ps1, as far as it can be looked at without PowerShell: what it names is there, brackets and strings
close, and every open row of docs/verification.md is checked by a step or said not to be."""

import re

import pytest

from test_floors import ROOT

FOLDER = ROOT / "tests" / "windows"
SCRIPTS = [FOLDER / "run.ps1", *sorted((FOLDER / "steps").glob("*.ps1"))]
TEXT = {path: path.read_text() for path in SCRIPTS}
ALL = "\n".join(TEXT.values())

# Cmdlets of Windows PowerShell 5.1 and its modules Storage, PnpDevice, CimCmdlets, SecureBoot.
CMDLETS = set("""
Add-Result Clear-Disk Confirm-SecureBootUEFI ConvertFrom-Json ConvertTo-Json Copy-Item Disable-PnpDevice Enable-PnpDevice
ForEach-Object Format-Volume Get-AuthenticodeSignature Get-ChildItem Get-CimInstance Get-Content Get-Counter Get-Date Get-Disk
Get-FileHash Get-Item Get-Partition Get-PnpDevice Get-PSDrive Get-Service Get-StorageSetting Get-WinEvent Initialize-Disk Join-Path
Measure-Command Measure-Object New-Partition Optimize-Volume Out-Null Out-String Read-Host Remove-Item Select-Object Select-String
Set-Content Set-Disk Set-StorageSetting Set-StrictMode Sort-Object Split-Path Start-Process Start-Service Start-Sleep Stop-Process Stop-Service
Test-Path Update-HostStorageCache Where-Object Write-Host Write-VolumeCache
""".split())
TOKEN = re.compile(r"""<\#.*?\#>|\#[^\n]*|'(?:[^']|'')*'|"(?:[^"`]|`.|"")*"|[(){}\[\]]""", re.DOTALL)
CLOSES = {")": "(", "}": "{", "]": "["}


def rows():
    """The first cell of each row of docs/verification.md that is about Windows."""
    text = (ROOT / "docs" / "verification.md").read_text().split("## The bed cannot show these", 1)[1]
    cells = [line[2:].split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    return [cell for cell in cells if cell not in ("claim", "point")]


def literals(text):
    return [word[1:-1].replace("''", "'") for word in re.findall(r"'(?:[^']|'')*'", text)]


def step_rows():
    """What the steps' -Rows name: one literal, or a list in @( )."""
    for rest in re.findall(r"-Rows\s+(@\([^@]*?\)\s*\{|'(?:[^']|'')*')", ALL):
        yield from literals(rest)


def not_checked():
    lines = (FOLDER / "not-checked.md").read_text().splitlines()
    return [line[2:].split(" | ")[0] for line in lines if line.startswith("| ") and not line.startswith("| row ")]


def test_each_open_row_is_checked_by_a_step_or_said_not_to_be():
    known = [*step_rows(), *not_checked()]
    assert len(rows()) > 40 and len(known) > 40
    for row in rows():
        assert any(row.startswith(start) for start in known), f"tests/windows: no step, nor not-checked.md, is about: {row}"


def test_steps_are_about_rows_that_there_are():
    for start in [*step_rows(), *not_checked()]:
        assert any(row.startswith(start) for row in rows()), f"docs/verification.md has no row: {start}"


def test_steps_have_names_of_their_own_and_say_what_they_expect():
    names = re.findall(r"^ *Step '([^']+)' (-Expect )?", ALL, re.MULTILINE)
    assert len(names) > 25 and len({name for name, _ in names}) == len(names)
    assert all(expects for _, expects in names), names


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_brackets_and_strings_close(path):
    open_brackets = []
    for match in TOKEN.finditer(TEXT[path].replace("`\"", "``")):
        token = match.group()
        if token in CLOSES.values():
            open_brackets.append(token)
        elif token in CLOSES:
            assert open_brackets and open_brackets.pop() == CLOSES[token], f"{path.name}: {match.start()}"
    assert not open_brackets


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_calls_functions_that_are_defined_and_cmdlets_of_windows(path):
    defined = set(re.findall(r"^function ([\w-]+)", ALL, re.MULTILINE))
    bare = re.sub(r"""<\#.*?\#>|\#[^\n]*|'(?:[^']|'')*'""", "''", TEXT[path], flags=re.DOTALL)
    called = set(re.findall(r"(?<![\w\\.$-])([A-Z][A-Za-z]+-[A-Z][A-Za-z]+)\b", bare))
    assert called <= defined | CMDLETS, called - defined - CMDLETS


def test_run_starts_each_file_of_steps():
    started = set(re.findall(r"steps\\([\w-]+\.ps1)", TEXT[FOLDER / "run.ps1"]))
    assert started == {path.name for path in SCRIPTS[1:]}


def test_options_and_commands_are_the_clients_or_diskios():
    reference = (ROOT / "docs" / "reference.md").read_text()
    diskio = "".join(path.read_text() for path in FOLDER.glob("*.c"))
    for option in set(re.findall(r"'(--[a-z-]+)'", ALL)):
        assert f"`{option}`" in reference or f'"{option}"' in diskio, option
    for command in set(re.findall(r"Invoke-Client -Words @\('([a-z-]+)'|Get-ClientJson @\('([a-z-]+)'", ALL)):
        assert f"\n## {''.join(command)}\n" in reference, command
    for command in set(re.findall(r"Invoke-DiskIo \(?@\('([a-z-]+)'|\$DiskIo @\('([a-z-]+)'", ALL)):
        assert f'{{"{"".join(command)}", command_' in diskio, command


def test_keys_of_json_are_those_of_the_schema():
    schema = (ROOT / "docs" / "schema" / "wnbd-client.json").read_text()
    for key in set(re.findall(r"Get-ClientJson @\([^)]*\)\)\.(\w+)", ALL)) | {"reconnects", "replayed_requests", "state", "size", "windows_offline"}:
        assert f'"{key}":' in schema, key
