# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The INF file that ships, against the rules that Windows' own checks have (InfVerif /h and /w: driver package isolation;
Inf2Cat), and against what this driver promises. Nobody here can run those tools: these are their documented rules, one
test each.
"""

import re

import pytest

from packages import ROOT
import inf

INF = ROOT / "driver" / "wnbd.inf"
MINIMUM = "10.0...17763"
ARCHITECTURES = ["NTamd64", "NTarm64"]


def parse(text):
    """{section: [(key or None, [fields])]}, names in lower case, %strings% as they stand."""
    sections = {}
    for line in text.splitlines():
        line = re.sub(r'("[^"]*")|;.*', lambda match: match[1] or "", line).strip()
        if line.startswith("["):
            sections[line[1:-1].lower()] = lines = []
        elif line:
            directive = re.match(r'([^=",]+?)\s*=\s*(.*)$', line)
            key, value = (directive[1].lower(), directive[2]) if directive else (None, line)
            lines.append((key, [field.strip() for field in split(value)]))
    return sections


def split(value):
    """At commas outside of quotes."""
    return re.findall(r'(?:^|,)((?:"[^"]*"|[^,"])*)', value)


@pytest.fixture(scope="module")
def text():
    return INF.read_text(encoding="ascii")


@pytest.fixture(scope="module")
def sections(text):
    return parse(text)


def value(sections, section, key):
    found = [fields for name, fields in sections[section.lower()] if name == key.lower()]
    assert len(found) == 1, f"{key} in [{section}]: {found}"
    return found[0][0]


def expand(sections, word):
    strings = {key: fields[0].strip('"') for key, fields in sections["strings"]}
    return re.sub(r"%([^%]+)%", lambda match: strings.get(match[1].lower(), match[0]), word)


# --- rules of Windows


def test_version(sections):
    assert value(sections, "Version", "Signature").strip('"').upper() == "$WINDOWS NT$"
    assert value(sections, "Version", "Class") == "SCSIAdapter"
    assert value(sections, "Version", "ClassGuid") == "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
    assert value(sections, "Version", "CatalogFile") == "wnbd.cat"  # uninstall-driver knows our packages by it
    assert value(sections, "Version", "PnpLockdown") == "1"
    assert "microsoft" not in expand(sections, value(sections, "Version", "Provider")).lower()


def test_date_and_version(sections, text):
    fields = next(fields for key, fields in sections["version"] if key == "driverver")
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", fields[0]) and re.fullmatch(r"\d+(\.\d+){3}", fields[1])
    version = inf.driver_version(1700000000, "1.2.3")
    stamped = inf.stamp(text, version)
    assert f"DriverVer   = 11/14/2023,1.2.3.{(22 * 3600 + 13 * 60 + 20) // 2}\n" in stamped
    assert inf.stamped(stamped) == version
    with pytest.raises(ValueError):
        inf.stamp("[Version]\n", version)


def test_a_later_commit_is_a_newer_driver():
    """As Windows ranks two that fit a device as well: by the day, then by the four numbers, each of 16 bits."""
    midnight = 1700006400
    times = [midnight - 2, midnight, midnight + 2, midnight + 86398, midnight + 86400]
    versions = [inf.driver_version(when, "1.2.3").split(",1.2.3.") for when in times]
    assert all(int(number) <= 65535 for _, number in versions)
    ranked = sorted(versions, key=lambda version: (version[0], int(version[1])))
    assert versions == ranked and len(set(map(tuple, versions))) == len(times)


def test_every_file_stays_in_the_driver_store(sections):
    assert [fields for _, fields in sections["destinationdirs"]] == [["13"]]
    assert value(sections, "Wnbd_Service", "ServiceBinary") == "%13%\\wnbd.sys"


def test_models_are_for_64_bit_windows_from_the_first_that_we_support(sections):
    (_, (models, *decorations)), = sections["manufacturer"]
    assert decorations == [f"{name}.{MINIMUM}" for name in ARCHITECTURES]  # DIRID 13 is known from 16299 on
    for decoration in decorations:
        (_, (_, hardware_id)), = sections[f"{models}.{decoration}".lower()]
        assert hardware_id == "root\\wnbd"


def decorated(sections, architecture):
    """{name without its architecture: lines} of the sections that are for one."""
    mark = f".{architecture.lower()}"
    return {name.replace(mark, "", 1): lines for name, lines in sections.items() if mark in name}


def test_each_architecture_has_the_same(sections):
    first, second = (decorated(sections, architecture) for architecture in ARCHITECTURES)
    assert set(first) == {f"wnbd.{MINIMUM}", "wnbd_install", "wnbd_install.hw", "wnbd_install.services"}
    assert first == second


@pytest.mark.parametrize("kept, other", [ARCHITECTURES, ARCHITECTURES[::-1]], ids=ARCHITECTURES)
def test_a_package_has_the_models_of_one_architecture(kept, other, text, sections):
    packed = parse(inf.keep_architecture(text, kept))
    assert packed["manufacturer"] == [("%provider%", ["Wnbd", f"{kept}.{MINIMUM}"])]
    gone = {name for name in sections if f".{other.lower()}" in name}
    assert len(gone) == 4 and set(sections) - set(packed) == gone
    assert all(packed[name] == sections[name] for name in set(packed) - {"manufacturer"})


def test_only_the_device_and_its_driver_are_written_to(sections):
    """Isolation: HKR and no other root, and none of the directives that change something else."""
    lists = [section for section, lines in sections.items()
             if any(fields[0].upper().startswith("HK") for _, fields in lines)]
    assert sorted(lists) == ["wnbd_device", "wnbd_eventlog_registry", "wnbd_parameters"]
    for section in lists:
        assert {fields[0] for _, fields in sections[section]} == {"HKR"}
    directives = {key for section in sections for key, _ in sections[section] if key}
    assert not directives & {"copyinf", "delreg", "delfiles", "renfiles", "registerdlls", "unregisterdlls", "bitreg",
                             "ini2reg", "updateinis", "updateinifields", "profileitems", "logconfig", "addinterface"}
    assert not [section for section in sections if section.startswith(("defaultinstall", "defaultuninstall"))
                or section.endswith(".coinstallers")]


def test_every_file_is_on_the_disk_that_is_named(sections):
    copied = [fields[0] for _, fields in sections["wnbd_files"]]
    assert copied == [key for key, _ in sections["sourcedisksfiles"]] == ["wnbd.sys"]
    assert inf.source_files(INF.read_text(encoding="ascii")) == copied
    for _, fields in sections["sourcedisksfiles"]:
        assert fields[0] in [key for key, _ in sections["sourcedisksnames"]]


def test_every_section_is_there_and_is_meant(sections):
    words = {word.lower() for lines in sections.values() for _, fields in lines for word in fields}
    for section in set(sections) - {"version", "destinationdirs", "sourcedisksnames", "sourcedisksfiles",
                                    "manufacturer", "strings"}:
        stem = re.sub(r"\.nt\w+.*$", "", section)
        assert stem in words, f"nothing names [{section}]"
    for key in ("copyfiles", "addreg"):
        for lines in sections.values():
            for name, fields in lines:
                assert name != key or all(field.lower() in sections for field in fields), fields


def test_every_string_is_there_and_is_used(sections, text):
    body = re.sub(r";.*", "", text).replace("%%", "")
    used = {word.lower() for word in re.findall(r"%([A-Za-z_]\w*)%", body)}
    assert used == {key for key, _ in sections["strings"]}


# --- promises of ours


def test_service_is_started_on_demand(sections):
    """A driver that is refused must not keep the machine from booting."""
    assert expand(sections, value(sections, "Wnbd_Service", "StartType")) == "3"
    assert expand(sections, value(sections, "Wnbd_Service", "ServiceType")) == "1"
    assert expand(sections, value(sections, "Wnbd_Service", "ErrorControl")) == "1"
    assert value(sections, "Wnbd_Service", "LoadOrderGroup") == "SCSI Miniport"
    for architecture in ARCHITECTURES:
        _, fields = decorated(sections, architecture)["wnbd_install.services"][0]
        assert [fields[0], expand(sections, fields[1])] == ["wnbd", "0x00000002"]


def test_device_is_for_system_and_administrators(sections):
    values = [fields for _, fields in sections["wnbd_device"]]
    assert ["HKR", "", "Security", "", '"D:P(A;;GA;;;SY)(A;;GA;;;BA)"'] in values


def test_events_have_texts(sections):
    lines = [fields for _, fields in sections["wnbd_eventlog_registry"]]
    assert [fields[2] for fields in lines] == ["EventMessageFile", "TypesSupported"]
    assert "IoLogMsg.dll" in lines[0][4] and "%13%\\wnbd.sys" in lines[0][4] and lines[1][4] == "7"


def test_values_that_the_driver_reads(sections):
    lines = {fields[2].strip('"'): fields[4] for _, fields in sections["wnbd_parameters"]}
    assert lines == {"0": "0x00000001", "BusType": "0x0000000E", "IoTimeoutValue": "30"}


@pytest.mark.parametrize("old, new, rule", [
    ("DefaultDestDir = 13", "DefaultDestDir = 12", test_every_file_stays_in_the_driver_store),
    ("%13%\\wnbd.sys", "%12%\\wnbd.sys", test_every_file_stays_in_the_driver_store),
    ("17763", "14393", test_models_are_for_64_bit_windows_from_the_first_that_we_support),
    (f",NTarm64.{MINIMUM}", "", test_models_are_for_64_bit_windows_from_the_first_that_we_support),
    ("[Wnbd_Install.NTarm64.HW]", "[Wnbd_Install.NTarm64.HX]", test_each_architecture_has_the_same),
    ("HKR,,Security", "HKLM,,Security", test_only_the_device_and_its_driver_are_written_to),
    ("[Wnbd_EventLog]\n", "[Wnbd_EventLog]\nDelReg = Some\n", test_only_the_device_and_its_driver_are_written_to),
    ("wnbd.sys = 1", "other.sys = 1", test_every_file_is_on_the_disk_that_is_named),
    ("AddReg         = Wnbd_Parameters", "AddReg = Wnbd_Parameter", test_every_section_is_there_and_is_meant),
    ("[Wnbd_EventLog]", "[Wnbd_Events]", test_every_section_is_there_and_is_meant),
    ("= %SERVICE_DEMAND_START%", "= 0", test_service_is_started_on_demand),
    ("(A;;GA;;;BA)", "(A;;GA;;;BA)(A;;GR;;;WD)", test_device_is_for_system_and_administrators),
    ("PnpLockdown = 1", "PnpLockdown = 0", test_version),
], ids=str)
def test_a_file_that_breaks_a_rule_is_told(old, new, rule, text):
    assert old in text
    with pytest.raises(AssertionError):
        rule(parse(text.replace(old, new)))
