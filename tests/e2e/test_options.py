# SPDX-License-Identifier: LGPL-2.1-or-later
"""Driver options through client, library and driver. The first three published cases of the interface are among them."""

import json
import re

import pytest

from beds import BUILD, PROGRAMS, ROOT, windows_path

# What other tests have, so that they can read the driver's log, is no default.
BED_OPTIONS = ("--set-parameter", "LogLevel=1")

NOT_FOUND, BUSY, BAD_PARAMETER, SHUTTING_DOWN = 2, 170, 87, 1115
DEFAULTS = {
    "LogLevel": 1, "NewMappingsAllowed": True, "EtwLoggingEnabled": True, "WppLoggingEnabled": False,
    "DbgPrintEnabled": True, "MaxIOReqPerAdapter": 1000, "MaxIOReqPerLun": 255, "RemoveStaleConnections": True,
    "StaleReqTimeoutMs": 15000, "StaleConnTimeoutMs": 60000, "ConnectTimeoutMs": 10000, "ReconnectTimeoutMs": 120000}
# Which test shows what an option does, below tests/. Those that docs/options.md says do nothing yet have none.
EFFECTS = {
    "LogLevel": "e2e/test_options.py test_log_level_decides_what_is_logged",
    "NewMappingsAllowed": "e2e/test_options.py test_new_mappings_are_refused",
    "EtwLoggingEnabled": "e2e/test_options.py test_what_goes_to_trace_sessions_and_the_event_log",
    "DbgPrintEnabled": "e2e/test_options.py test_log_level_decides_what_is_logged",
    "MaxIOReqPerAdapter": "e2e/test_options.py test_queue_limits_need_a_reset_of_the_adapter",
    "MaxIOReqPerLun": "e2e/test_options.py test_queue_limits_need_a_reset_of_the_adapter",
    "RemoveStaleConnections": "host/test-channel-stale.c disk_is_not_stale",
    "StaleReqTimeoutMs": "host/test-channel-stale.c disk_is_not_stale",
    "StaleConnTimeoutMs": "host/test-channel-stale.c disk_is_not_stale",
    "ConnectTimeoutMs": "e2e/test_bad_input.py test_silent_server_times_out",
    "ReconnectTimeoutMs": "e2e/test_reconnect.py test_disk_comes_back_after_its_requests_have_failed"}


class Options:
    """The commands, in JSON where they have it."""

    def __init__(self, bed):
        self.bed = bed

    def __call__(self, name, *persistent):
        return json.loads(self.bed.client("get-opt", name, "--format", "json", *persistent).ok().out)["value"]

    def stored(self, name):
        return self(name, "--persistent")

    def is_stored(self, name):
        result = self.bed.client("get-opt", name, "--persistent")
        return result.code == 0 or result.failed(NOT_FOUND, name, "stored") is None

    def set(self, name, value, *persistent):
        self.bed.client("set-opt", name, value, *persistent).ok()

    def reset(self, name, *persistent):
        return self.bed.client("reset-opt", name, *persistent)

    def list(self, *persistent):
        listed = json.loads(self.bed.client("list-opt", "--format", "json", *persistent).ok().out)
        return {option["name"]: option for option in listed}


@pytest.fixture
def options(bed):
    """Nothing is stored and everything is as built in, before and after."""
    commands = Options(bed)
    restore(commands)
    yield commands
    restore(commands)


def restore(options):
    for name in options.list("--persistent"):
        options.reset(name, "--persistent").ok()
    for name, option in options.list().items():
        if option["value"] != option["default"]:
            options.reset(name).ok()


def test_current_and_stored_value(options):
    """Published case 1."""
    assert options.reset("LogLevel", "--persistent").code in (0, NOT_FOUND)
    assert not options.is_stored("LogLevel")
    assert options("LogLevel") == 1
    options.set("LogLevel", 2)
    assert options("LogLevel") == 2 and not options.is_stored("LogLevel")
    options.set("LogLevel", 3, "--persistent")
    assert options("LogLevel") == options.stored("LogLevel") == 3
    options.set("LogLevel", 4)
    assert options("LogLevel") == 4 and options.stored("LogLevel") == 3
    options.reset("LogLevel").ok()
    assert options("LogLevel") == 1 and options.stored("LogLevel") == 3
    options.reset("LogLevel", "--persistent").ok()
    assert options("LogLevel") == 1 and not options.is_stored("LogLevel")


def test_lists(options):
    """Published case 2."""
    assert {name: option["value"] for name, option in options.list().items()} == DEFAULTS
    assert options.list("--persistent") == {}
    options.set("LogLevel", 3, "--persistent")
    options.set("LogLevel", 2)
    options.set("DbgPrintEnabled", "false")
    options.set("EtwLoggingEnabled", "true", "--persistent")
    everything = options.list()
    assert everything["LogLevel"] == {"name": "LogLevel", "type": "int64", "value": 2, "default": 1}
    assert everything["DbgPrintEnabled"] == {"name": "DbgPrintEnabled", "type": "bool", "value": False, "default": True}
    assert everything["EtwLoggingEnabled"]["value"] is True
    stored = options.list("--persistent")
    assert set(stored) == {"LogLevel", "EtwLoggingEnabled"}
    assert stored["LogLevel"] == {"name": "LogLevel", "type": "int64", "value": 3, "default": 1}
    assert stored["EtwLoggingEnabled"]["value"] is True


def limits(bed, server):
    bed.map("limits", server)
    shown = bed.show("limits")
    bed.unmap("limits", "--hard-disconnect").ok()
    return int(shown["MaxIOReqPerLun"]), int(shown["MaxIOReqPerAdapter"])


def test_queue_limits_need_a_reset_of_the_adapter(options, bed, server):
    """Published case 3: the first reset succeeds at the first try."""
    options.set("MaxIOReqPerAdapter", 8192, "--persistent")
    options.set("MaxIOReqPerLun", 512, "--persistent")
    assert limits(bed, server) == (255, 1000)
    bed.client("reset-adapter", "--reset-timeout", 1, "--reset-retry-interval", 60).ok()
    assert limits(bed, server) == (512, 8192)
    options.reset("MaxIOReqPerAdapter", "--persistent").ok()
    options.reset("MaxIOReqPerLun", "--persistent").ok()
    bed.client("reset-adapter").ok()
    assert limits(bed, server) == (255, 1000)


def test_reset_of_the_adapter_unmaps_all_when_asked_to(options, bed, server, tmp_path):
    number = bed.map("gone", server)
    with bed.hold(number, tmp_path):
        bed.client("reset-adapter", "--reset-timeout", 1).failed(BUSY, "in use")
    assert bed.mapped() == ["gone"]
    bed.client("reset-adapter", "--hard-disconnect-mappings").ok()
    assert bed.mapped() == []
    assert options("NewMappingsAllowed") is True
    bed.map("gone", server)


def test_new_mappings_are_refused(options, bed, server):
    bed.map("there", server)
    options.set("NewMappingsAllowed", "no")
    bed.try_map("another", server).failed(SHUTTING_DOWN, "another", "NewMappingsAllowed")
    assert bed.mapped() == ["there"]
    options.reset("NewMappingsAllowed").ok()
    bed.unmap("there").ok()
    bed.map("another", server)


def test_log_level_decides_what_is_logged(options, bed, server):
    options.set("LogLevel", 3)
    bed.map("loud", server)
    bed.unmap("loud").ok()
    options.set("LogLevel", 1)
    bed.map("quiet", server)
    bed.unmap("quiet").ok()
    bed.client("set-debug", "true").ok()
    assert options.stored("LogLevel") == 4
    bed.map("debugged", server)
    bed.unmap("debugged").ok()
    bed.client("set-debug", "0").ok()
    assert options("LogLevel") == 1 and not options.is_stored("LogLevel")
    options.set("LogLevel", 3)
    options.set("DbgPrintEnabled", "false")
    bed.map("mute", server)
    bed.unmap("mute").ok()
    said = set(re.findall(r"^.*wnbd 102: (\w+): mapped at", bed.log(), re.MULTILINE))
    assert said & {"loud", "quiet", "debugged", "mute"} == {"loud", "debugged"}


def test_what_goes_to_trace_sessions_and_the_event_log(options, bed, server):
    bed.map("untold", server)
    bed.unmap("untold").ok()
    options.set("LogLevel", 3)
    bed.map("told", server)
    bed.unmap("told").ok()
    bed.try_map("refused", server, export="other" * 20)
    options.set("EtwLoggingEnabled", "false")
    bed.map("silent", server)
    bed.unmap("silent").ok()
    log = bed.log()
    assert "bed: event 102: 'told' " in log and "bed: event 104: 'told'" in log
    assert "'untold'" not in log and "'silent'" not in log
    assert not re.search(r"event log 1\d\d", log)


def test_the_event_log_has_a_text_for_each_entry(options, bed):
    bed.client("map", "nobody", "127.0.0.1", "--port", 1).failed(1225)
    code, inserts = re.search(r"bed: event log 301 \((0x\w+)\): (.*)", bed.log()).groups()
    inserts = re.findall(r"'([^']*)'", inserts)
    image = windows_path(BUILD / "driver" / "wnbd.sys")
    said = bed.start(PROGRAMS / "message.exe", image, code, *inserts).wait().ok().out
    assert said.startswith("Disk nobody: not mapped: the server 127.0.0.1 port 1 refused the connection (0xc0000236). ")
    assert "What to do: " in said


def test_output_that_programs_read(options, bed):
    options.set("LogLevel", "0x3")
    assert bed.client("get-opt", "LogLevel").ok().out == "Name: LogLevel\nValue: 3\n"
    assert bed.client("get-opt", "wpploggingenabled").ok().out == "Name: wpploggingenabled\nValue: false\n"
    lines = bed.client("list-opt").ok().out.splitlines()
    assert "LogLevel               : 3 (Default: 1)" in lines
    assert "RemoveStaleConnections : true (Default: true)" in lines
    assert bed.client("list-opt", "--persistent").ok().out == ""
    assert json.loads(bed.client("list-opt", "--persistent", "--format", "json").ok().out) == []


@pytest.mark.parametrize("words, code, said", [
    (("get-opt", "NoSuch"), NOT_FOUND, ["no option 'NoSuch'"]),
    (("set-opt", "NoSuch", "1"), NOT_FOUND, ["no option 'NoSuch'"]),
    (("reset-opt", "NoSuch"), NOT_FOUND, ["no option 'NoSuch'"]),
    (("reset-opt", "LogLevel", "--persistent"), NOT_FOUND, ["no value is stored", "LogLevel"]),
    (("set-opt", "LogLevel", "loud"), BAD_PARAMETER, ["LogLevel", "loud"]),
    (("set-opt", "DbgPrintEnabled", "2"), BAD_PARAMETER, ["DbgPrintEnabled"]),
    (("set-opt", "MaxIOReqPerLun", "1025"), BAD_PARAMETER, ["MaxIOReqPerLun", "1025"]),
    (("set-opt", "MaxIOReqPerLun", "x" * 255), BAD_PARAMETER, ["MaxIOReqPerLun"]),
    (("get-opt", "x" * 255), NOT_FOUND, ["no option"]),
    (("set-opt", "LogLevel"), BAD_PARAMETER, ["value"]),
    (("get-opt", "LogLevel", "--format", "xml"), BAD_PARAMETER, ["format"]),
    (("set-debug", "perhaps"), BAD_PARAMETER, ["debug-mode"]),
])
def test_bad_input(words, code, said, options, bed):
    bed.client(*words).failed(code, *said)
    assert {name: option["value"] for name, option in options.list().items()} == DEFAULTS
    assert options.list("--persistent") == {}


def documented():
    """The rows of docs/options.md: each option's default and effect."""
    text = (ROOT / "docs" / "options.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| (\w+) \|[^|]*\| (.*?) \|", text, re.MULTILINE)
    return {name: (default, effect) for name, default, effect in rows}


def test_every_documented_effect_is_in_a_test():
    rows = documented()
    assert {name: default for name, (default, _) in rows.items()} == {
        name: str(value).lower() for name, value in DEFAULTS.items()}
    assert {name for name, (_, effect) in rows.items() if not effect.startswith("none:")} == set(EFFECTS)
    for name, where in EFFECTS.items():
        file, test = where.split()
        text = (ROOT / "tests" / file).read_text()
        assert name in text and re.search(rf"\b{test}\(", text), f"{name}: {where}"
