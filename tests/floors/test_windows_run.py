# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/windows/run.ps1, as far as it can be looked at without PowerShell: what it names is there, brackets and strings
close, every open row of docs/verification.md is checked by a step or said not to be, and each step can fail."""

import re

import pytest

from test_floors import ROOT

FOLDER = ROOT / "tests" / "windows"
SCRIPTS = [FOLDER / "run.ps1", *sorted((FOLDER / "steps").glob("*.ps1"))]
ALL = "\n".join(path.read_text() for path in SCRIPTS)
LINTED = {path: path.read_text() for path in [*SCRIPTS, ROOT / "packaging" / "reinstall.ps1"]}

# Cmdlets of Windows PowerShell 5.1 and its modules Storage, PnpDevice, CimCmdlets, SecureBoot.
CMDLETS = set("""
Add-Result Clear-Disk Confirm-SecureBootUEFI ConvertFrom-Json ConvertTo-Json Copy-Item Disable-PnpDevice Enable-PnpDevice
ForEach-Object Format-Volume Get-AuthenticodeSignature Get-ChildItem Get-CimInstance Get-Content Get-Counter Get-Date Get-Disk
Get-FileHash Get-Item Get-ItemProperty Get-Partition Get-PnpDevice Get-PSDrive Get-Service Get-StorageSetting Get-WinEvent Initialize-Disk
Join-Path Measure-Command Measure-Object New-Partition Optimize-Volume Out-Null Out-String Read-Host Receive-Job Remove-Item Remove-Job
Select-Object Select-String
Set-Content Set-Disk Set-StorageSetting Set-StrictMode Sort-Object Split-Path Start-Job Start-Process Start-Service Start-Sleep
Stop-Process Stop-Service Test-Path Update-HostStorageCache Where-Object Write-Host Write-VolumeCache
""".split())
TOKEN = re.compile(r"""<\#.*?\#>|\#[^\n]*|'(?:[^']|'')*'|"(?:[^"`]|`.|"")*"|[(){}\[\]]""", re.DOTALL)
LITERAL = r"'(?:[^']|'')*'"
# What a row is about: what the step asks the machine.
QUESTIONS = {"ARM64": "Get-Architecture", "Secure Boot": "Test-SecureBoot", "HVCI": "Test-MemoryIntegrity",
             "10.0.17763": "OSVersion"}
CLOSES = {")": "(", "}": "{", "]": "["}


def rows():
    """The first cell of each row of docs/verification.md that is about Windows."""
    text = (ROOT / "docs" / "verification.md").read_text().split("## The bed cannot show these", 1)[1]
    cells = [line[2:].split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    return [cell for cell in cells if cell not in ("claim", "point")]


def literals(text):
    return [word[1:-1].replace("''", "'") for word in re.findall(LITERAL, text)]


def step_rows():
    """What the steps' -Rows and -VerifierRows name: one literal, or a list in @( )."""
    for rest in re.findall(rf"-(?:Verifier)?Rows\s+(@\((?:\s|{LITERAL})+\)|{LITERAL})", ALL):
        yield from literals(rest)


def steps():
    """{name: (what is between the name and the body, the body)}. A step ends with a brace as far in as it begins."""
    found = re.findall(r"^( *)Step '([^']+)'(.*?) \{\n(.*?)\n\1\}$", ALL, re.MULTILINE | re.DOTALL)
    return {name: (head, body) for _, name, head, body in found}


def rows_of(name):
    return literals(steps()[name][0].partition("Rows")[2])


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
    assert list(steps()) == [name for name, _ in names]


def test_each_step_asserts_something():
    """What the body itself expects: that the programs which it calls end well is not enough."""
    for name, (_, body) in steps().items():
        assert re.search(r"\b(Assert|Wait-Until|Wait-Load|Wait-Driver|Wait-ServiceEvent|Confirm-Person)\b", body), name


def test_what_ends_with_a_code_has_it_looked_at():
    """A load, or a client in the background, that has failed must not pass for one that has ended."""
    for name, (_, body) in steps().items():
        if "Start-Load" in body or "WaitForExit" in body:
            assert re.search(r"Wait-Load|ExitCode", body) or "Kill()" in body, name
        for program in re.findall(r"^ *(?:\$\w+ = )?(?:&|fsutil\.exe|chkdsk\.exe) .*", body, re.MULTILINE):
            assert "$LASTEXITCODE" in body, f"{name}: {program}"


def test_rows_about_certain_machines_are_skipped_on_others():
    for row in rows():
        for word, question in QUESTIONS.items():
            if word in row:
                about = [name for name in steps() if any(row.startswith(start) for start in rows_of(name))]
                assert all(question in steps()[name][1] and "Skip " in steps()[name][1] for name in about), (row, about)


def test_rows_that_driver_verifier_shows_pass_under_it_only():
    text = (ROOT / "docs" / "verification.md").read_text().split("## The bed cannot show these", 1)[1]
    for line in text.splitlines():
        if line.startswith("| ") and line.split(" | ")[-1].startswith("Driver Verifier"):
            for name, (head, body) in steps().items():
                plain = literals(re.sub(rf"-VerifierRows\s+(@\([^)]*\)|{LITERAL})", "", head).partition("-Rows")[2])
                assert "Test-Verifier" in body or not any(line[2:].startswith(start) for start in plain), (name, line)


def test_a_step_that_asks_a_person_later_asks_first_whether_there_is_one():
    """Skipped half way it would leave a load or a disk to the next step."""
    for name, (_, body) in steps().items():
        if "-Person" in body:
            assert re.match(r"\s*(Skip-Unattended|Request-Person|Confirm-Person)", body), name


def test_no_message_asks_what_is_not_there():
    """A message is made before its condition is looked at; in strict mode what it asks in vain is an error."""
    for line in re.findall(r"^.*\bAssert \(.*$", ALL, re.MULTILINE):
        message = line.partition('"')[2]
        assert not ("HasExited" in line and "ExitCode" in message) and not ("Count -eq 0" in line and "[0]" in message), line


def test_no_parameter_is_a_bool():
    """It would take neither an array, which -match gives of a program's lines, nor $null."""
    assert not re.search(r"^function [\w-]+\([^)]*\[bool\]", ALL, re.MULTILINE)


@pytest.mark.parametrize("path", LINTED, ids=lambda path: path.name)
def test_brackets_and_strings_close(path):
    open_brackets = []
    for match in TOKEN.finditer(LINTED[path].replace("`\"", "``")):
        token = match.group()
        if token in CLOSES.values():
            open_brackets.append(token)
        elif token in CLOSES:
            assert open_brackets and open_brackets.pop() == CLOSES[token], f"{path.name}: {match.start()}"
    assert not open_brackets


@pytest.mark.parametrize("path", LINTED, ids=lambda path: path.name)
def test_script_calls_functions_that_are_defined_and_cmdlets_of_windows(path):
    defined = set(re.findall(r"^function ([\w-]+)", ALL + LINTED[path], re.MULTILINE))
    bare = re.sub(r"""<\#.*?\#>|\#[^\n]*|'(?:[^']|'')*'""", "''", LINTED[path], flags=re.DOTALL)
    called = set(re.findall(r"(?<![\w\\.$-])([A-Z][A-Za-z]+-[A-Z][A-Za-z]+)\b", bare))
    assert called <= defined | CMDLETS, called - defined - CMDLETS


def test_run_starts_each_file_of_steps():
    started = set(re.findall(r"steps\\([\w-]+\.ps1)", LINTED[FOLDER / "run.ps1"]))
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
    for key in set(re.findall(r"Get-ClientJson @\([^)]*\)\)\.(\w+)", ALL)) | {"answered", "recorded", "reconnects", "replayed_requests", "state", "size", "windows_offline"}:
        assert f'"{key}":' in schema, key


def test_reinstall_takes_no_failure_for_the_absence_of_disks():
    """What `list` ends with when the adapter does not open is one code for all reasons, so a failure alone says nothing."""
    text = LINTED[ROOT / "packaging" / "reinstall.ps1"]
    before = text.partition("Invoke-Client uninstall-driver")[0]
    compared = re.findall(r"\$(?:code|LASTEXITCODE) -\w+ \d+", before)
    assert set(compared) == {"$code -eq 0", "$LASTEXITCODE -ne 0"}, compared
    stop = r"\} elseif \(Get-PnpDevice -PresentOnly \| Where-Object HardwareID -contains 'root\\wnbd'\) \{\n +throw "
    assert re.search(stop, before)
