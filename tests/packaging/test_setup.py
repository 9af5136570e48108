# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The installer on a machine: what it puts there, what it leaves alone, what it takes away, and that it refuses whole. It
is the installer that ships, with the INF file in the form that Wine can install.
"""

import contextlib
import re
import shutil
import signal
import socket
import struct
import time

import pytest

import packages
from another_version import another_version
from beds import BUILD, CLIENT, ROOT, Bed, windows_path
from machine import ENVIRONMENT, FOLDER, Machine, derived, differences
from packages import one
from programs import processes, signal_program
from test_service import FOUND, RUNNING, Service

SAY_VERSIONS = ["wnbd-client.exe", "libwnbd.dll", "wnbd.sys"]
SERVICES = r"HKLM\System\CurrentControlSet\Services"
EVENT_SOURCE = SERVICES + r"\EventLog\Application\wnbd-service"
DEVICE_IN_USE = 2404
PRODUCT_VERSION = 1638
WRITE_FAULT = 29
FILE_EXISTS = 80
NOT_READY = 21
DEPENDENT_SERVICES_RUNNING = 1051
INSTALL_SUSPENDED = 1604

INSTALLED = {"driver", "driver/wnbd.inf", "driver/wnbd.sys", "driver/wnbd.cat", "driver/wnbd.man", "wnbd.dll",
             "libwnbd.dll", "wnbd-client.exe", "wnbd-service.exe", "LICENSE.txt", "uninstall.exe"}

# What Wine keeps of a driver that is removed. Windows has all of it in the driver store, and takes it from there.
WINE_CATALOGS = "windows/system32/catroot/{f750e6c3-38ee-11d1-85e5-00c04fc295ee}"
WINE_FILES = {"windows/system32/drivers/wnbd.sys", "windows/inf/wnbd.inf", "windows/inf/wnbd.pnf", WINE_CATALOGS,
              f"{WINE_CATALOGS}/wnbd.cat"}
WINE_KEYS = {rf"HKEY_LOCAL_MACHINE\System\CurrentControlSet\{name}" for name in (
    r"Control\Class\{4D36E97B-E325-11CE-BFC1-08002BE10318}",
    r"Control\DeviceClasses\{2ACCFE60-C130-11D2-B082-00A0C91EFB8B}",
    r"Control\DeviceClasses\{949DD17C-B06C-4C14-8E13-F1A3A4A6DBCB}", r"Enum\ROOT")}  # empty; Windows has such keys

# Windows remembers each disk that it has ever had, and so does Wine.
DISKS = re.compile(r"\\Enum\\SCSI|\\DeviceClasses\\\{53F56307-B6BF-11D0-94F2-00A0C91EFB8B\}", re.IGNORECASE)


@pytest.fixture(scope="module")
def setup(tmp_path_factory, keys):
    """The folder with an installer that the bed can run."""
    folder = tmp_path_factory.mktemp("setup")
    return packages.make(folder / "out", "--keys", keys, "--inf", derived(ROOT / "driver/wnbd.inf", folder))


@pytest.fixture(scope="module")
def older(tmp_path_factory, keys):
    """An installer of the version before."""
    folder = tmp_path_factory.mktemp("older")
    return packages.make(folder / "out", "--keys", keys, "--build", another_version(folder / "build", version="0.7.9"),
                         "--inf", derived(ROOT / "driver/wnbd.inf", folder))


@pytest.fixture(scope="module")
def broken(tmp_path_factory, keys):
    """An installer whose driver is for another device: Windows takes it, and no adapter starts."""
    folder = tmp_path_factory.mktemp("broken")
    inf = derived(ROOT / "driver/wnbd.inf", folder, lambda text: text.replace("root\\wnbd", "root\\other"))
    return packages.make(folder / "out", "--keys", keys, "--build", another_version(folder / "build", version="0.9.0"),
                         "--inf", inf)


@pytest.fixture(scope="module")
def unloadable(tmp_path_factory, keys):
    """An installer whose driver is registered, and cannot be loaded."""
    folder = tmp_path_factory.mktemp("unloadable")
    inf = derived(ROOT / "driver/wnbd.inf", folder, lambda text: re.sub(r"(ServiceBinary .*)wnbd", r"\1nothing", text))
    assert "nothing.sys" in inf.read_text()
    return packages.make(folder / "out", "--keys", keys, "--inf", inf)


def stand_in(code, text):
    """A program that only says `text` and ends with `code`."""
    image = bytearray((BUILD / "tests/windows/stand_in.exe").read_bytes())
    struct.pack_into("<i128s", image, image.index(b"STAND-IN") + 8, code, text.encode())
    return image


def with_service_that(folder, keys, code, text):
    """An installer with such a program in the place of the service's."""
    build = another_version(folder / "build", version="0.9.1")
    (build / "wnbd-service/wnbd-service.exe").write_bytes(stand_in(code, text))
    return packages.make(folder / "out", "--keys", keys, "--build", build,
                         "--inf", derived(ROOT / "driver/wnbd.inf", folder))


@pytest.fixture
def machine(server, stack):
    """One that nothing was ever installed on. Disks and driver that are left at the end are removed."""
    del server, stack  # only for the order in which fixtures end: servers after disks
    bed = Bed("--no-driver")
    yield Machine(bed)
    bed.start(BUILD / "wnbd-service" / "wnbd-service.exe", "uninstall").wait().ok()
    bed.client("uninstall-driver").ok()
    assert "BED VIOLATION" not in bed.log()
    bed.stop()


def in_folder(machine):
    return {str(path.relative_to(machine.folder)) for path in machine.folder.rglob("*")}


def refused(result, code, *words):
    assert result.code == code and result.out.count("\n") == 1, repr(result)
    for word in words:
        assert word in result.out, f"nothing about '{word}': {result!r}"


# --- what is installed, and what is left


def versions(machine):
    """Of client, library and driver, as they say themselves."""
    said = machine.bed.start(machine.folder / "wnbd-client.exe", "version").wait().ok().out
    return dict(line.split(": ") for line in said.splitlines())


def the_service_is_registered(machine):
    """It runs, starts with the machine, and has its source of events."""
    service = Service(machine.bed, machine.folder)
    service.says(RUNNING)
    assert service.state() == "RUNNING"
    registered = service.reg("query", rf"{SERVICES}\wnbd-service").out
    program = f"{FOLDER}\\wnbd-service.exe"
    assert program in registered and re.search(r"\bStart\s+REG_DWORD\s+0x2\b", registered), registered
    source = service.reg("query", EVENT_SOURCE, "/v", "EventMessageFile").out
    assert program in source, source


def test_a_silent_installation(machine, server, setup, keys):
    machine.install(setup)
    assert in_folder(machine) == INSTALLED
    for name in INSTALLED:
        if name.endswith((".exe", ".dll", ".sys", ".cat")):  # the uninstaller, too, which is made on the machine
            packages.output("osslsigncode", "verify", "-CAfile", keys / "test-root.pem", "-in", machine.folder / name)
    assert machine.installed()["DisplayVersion"] == f'"{packages.version(setup)}"'
    assert machine.path()[1].split(";")[-1] == FOLDER
    assert versions(machine) == dict.fromkeys(SAY_VERSIONS, packages.version(setup))
    the_service_is_registered(machine)
    number = machine.bed.map("first", server)
    machine.bed.diskio("write-random", number, "--bytes", 1 << 20).ok()
    machine.bed.diskio("verify", number, "--bytes", 1 << 20).ok()
    machine.bed.unmap("first").ok()


def leave_traces(machine, server):
    """What people leave: a recorded disk and an option."""
    machine.bed.try_map("kept", server, "--persistent").ok()
    machine.bed.client("set-opt", "StaleReqTimeoutMs", "12345", "--persistent").ok()
    service = Service(machine.bed, machine.folder)
    service.says(FOUND, "'kept'")
    service.stop()  # as the installer says: it unmaps what is recorded


def is_gone(machine, files, registry, of_wine=WINE_FILES):
    """Uninstalled: files and registry are as they were before the first installation."""
    assert machine.uninstall().ok().out == "WNBD is removed.\n"
    machine.forget_driver()
    assert set(differences(files, machine.files())) == of_wine
    keys = set(differences(registry, machine.registry()))
    assert {key for key in keys if not DISKS.search(key)} == WINE_KEYS


def test_nothing_is_left(machine, server, setup):
    """Of what was installed and repaired, nor of what it was used for."""
    files, registry = machine.files(), machine.registry()
    machine.install(setup)
    machine.install(setup)
    leave_traces(machine, server)
    is_gone(machine, files, registry)


# --- repair and upgrade


def test_a_repair_brings_back_what_is_missing_or_changed_and_keeps_the_rest(machine, server, setup):
    machine.install(setup)
    good = machine.files()
    (machine.folder / "wnbd-client.exe").write_bytes(b"damaged")
    (machine.folder / "libwnbd.dll").unlink()
    (machine.folder / "notes.txt").write_text("mine")
    leave_traces(machine, server)
    machine.install(setup)
    assert {name.split("/")[-1] for name in differences(good, machine.files())} == {"notes.txt"}
    assert "12345" in machine.bed.client("get-opt", "StaleReqTimeoutMs").ok().out
    assert "kept" in machine.bed.client("list", "--persistent").ok().out
    assert machine.device_nodes() == 1 and machine.path()[1].count("WNBD") == 1
    Service(machine.bed, machine.folder).stop()
    machine.uninstall().ok()
    assert in_folder(machine) == {"notes.txt"}


def content(machine):
    return {str(path.relative_to(machine.folder)): path.read_bytes()
            for path in machine.folder.rglob("*") if path.is_file()}


def test_an_upgrade(machine, server, older, setup):
    files, registry = machine.files(), machine.registry()
    machine.install(older)
    before, said = content(machine), versions(machine)
    assert list(said) == SAY_VERSIONS and all(text.startswith("0.7.9") for text in said.values())
    assert machine.installed()["DisplayVersion"] == '"0.7.9"'
    was = (machine.folder / "driver/wnbd.inf").read_text()
    machine.install(setup)
    assert machine.installed()["DisplayVersion"] != '"0.7.9"'
    assert "0.7.9" in was and "0.7.9" not in (machine.folder / "driver/wnbd.inf").read_text()
    assert in_folder(machine) == INSTALLED
    after = content(machine)
    assert {name for name in after if after[name] == before[name]} == {"driver/wnbd.man", "LICENSE.txt"}
    now = versions(machine)
    now.pop("wnbd.sys")  # Wine has it loaded, and keeps its file
    assert set(now.values()) == {packages.version(setup)}
    assert machine.device_nodes() == 1 and machine.path()[1].count("WNBD") == 1
    machine.bed.diskio("read", machine.bed.map("new", server), 0, 4096).ok()
    machine.bed.unmap("new").ok()
    leave_traces(machine, server)
    is_gone(machine, files, registry, WINE_FILES | {"windows/inf/oem0.pnf"})  # of the second package


def test_an_upgrade_whose_driver_does_not_start_is_undone(machine, server, older, broken):
    machine.install(older)
    files = machine.files()
    refused(machine.setup(broken), NOT_READY, "its adapter did not start", "previous version is there again")
    assert differences(files, machine.files()) == {}
    assert machine.installed()["DisplayVersion"] == '"0.7.9"'
    machine.as_windows()
    machine.bed.diskio("read", machine.bed.map("old", server), 0, 4096).ok()


def test_an_installation_whose_driver_does_not_start_is_undone(machine, unloadable):
    files, registry = machine.state()
    refused(machine.setup(unloadable), NOT_READY, "its adapter did not start", "Nothing is left")
    files_now, registry_now = machine.state()
    assert set(differences(files, files_now)) <= WINE_FILES
    assert set(differences(registry, registry_now)) <= WINE_KEYS


STAYS = "wnbd-service: cannot stop the service: services that depend on it run; stop them first.\r\n"


def test_an_upgrade_whose_service_cannot_be_stopped(machine, server, older, keys, tmp_path):
    """A service that depends on it runs. Wine knows no such dependence."""
    stubborn = with_service_that(tmp_path, keys, DEPENDENT_SERVICES_RUNNING, STAYS)
    machine.install(older)
    the_service_is_registered(machine)
    before = machine.state()
    refused(machine.setup(stubborn), DEPENDENT_SERVICES_RUNNING, "nothing was changed", "services that depend on it run")
    same(machine, before)
    assert "Value: true" in machine.bed.client("get-opt", "NewMappingsAllowed").ok().out
    the_service_is_registered(machine)
    is_in_use(machine, server)


def test_an_upgrade_that_has_to_wait_for_a_restart(machine, server, older, setup, keys, tmp_path):
    """Windows keeps a driver that is in use until then, and says so; here a stand-in says it."""
    in_use = with_service_that(tmp_path, keys, 0, "note: Windows must be restarted to finish this.\r\n")
    machine.install(older)
    before = content(machine)
    refused(machine.setup(in_use), INSTALL_SUSPENDED, "Restart Windows, and start this again", "no file has changed")
    assert content(machine) == before and in_folder(machine) == INSTALLED
    assert machine.installed()["DisplayVersion"] == '"0.7.9"'
    machine.install(setup)
    assert machine.installed()["DisplayVersion"] != '"0.7.9"'
    is_in_use(machine, server)


@contextlib.contextmanager
def shown(machine, service, folder):
    """A program has the service open, as a window with all of them has."""
    ready, until = folder / "ready", folder / "until"
    program = machine.bed.start(BUILD / "tests/windows/keep_service.exe", service, windows_path(ready),
                                windows_path(until))
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert time.monotonic() < deadline and program.process.poll() is None, repr(program.wait())
        time.sleep(0.02)
    yield
    until.touch()
    program.wait().ok()


def test_an_upgrade_while_a_program_shows_the_service(machine, server, older, setup, tmp_path):
    """One that is removed then cannot be made again before the program ends."""
    machine.install(older)
    with shown(machine, "wnbd-service", tmp_path):
        machine.install(setup)
        the_service_is_registered(machine)
        is_in_use(machine, server)


# --- a file that cannot be replaced

# The first, one amid them and the last, in the installer's order.
HELD = ["driver\\wnbd.inf", "wnbd.dll", "uninstall.exe"]


def is_in_use(machine, server):
    """The driver that is installed works, with the programs that are installed."""
    machine.as_windows()
    number = machine.bed.map("works", server)
    machine.bed.diskio("read", number, 0, 4096).ok()
    machine.bed.unmap("works").ok()


@pytest.mark.parametrize("name", HELD)
def test_an_upgrade_that_cannot_replace_a_file_is_undone(name, machine, server, older, setup, tmp_path):
    """A program has it open, and lets nobody rename it."""
    machine.install(older)
    before = machine.state()
    with machine.bed.hold(f"{FOLDER}\\{name}", tmp_path, "--access", "read"):
        refused(machine.setup(setup), WRITE_FAULT, "cannot be replaced", "previous version is there again")
    machine.as_windows()
    same(machine, before)
    is_in_use(machine, server)
    machine.install(setup)  # when it lets go
    assert in_folder(machine) == INSTALLED
    is_in_use(machine, server)


def test_an_upgrade_that_cannot_be_undone_says_so(machine, older, setup, tmp_path):
    """Windows' set-up shares its files with nobody who writes."""
    machine.install(older)
    before = machine.files()
    with machine.bed.hold(f"{FOLDER}\\driver\\wnbd.inf", tmp_path, "--access", "both"):
        refused(machine.setup(setup), WRITE_FAULT, "cannot be replaced", "could not be put back: ")
    left = set(differences(before, machine.files()))
    assert left <= WINE_FILES, left
    machine.install(setup)


@pytest.mark.parametrize("name", ["wnbd.dll", "uninstall.exe", "LICENSE.txt.previous", "new\\wnbd.dll"])
def test_an_installation_replaces_nothing_of_others(name, machine, setup):
    """Somebody's file is in the folder that it would go to."""
    path = machine.folder / name.replace("\\", "/")
    path.parent.mkdir(parents=True)
    path.write_text("somebody's")
    before = machine.state()
    refused(machine.setup(setup), FILE_EXISTS, f"has a '{name}'", "Nothing was changed", "/D=")
    same(machine, before)


def test_an_upgrade_is_undone_while_a_program_of_it_runs(machine, server, older, broken):
    """Somebody has started it while its driver was waited for."""
    machine.install(older)
    before = content(machine)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        program = machine.bed.start(one(broken, "setup.exe"), "/S")
        deadline = time.monotonic() + 60
        while content(machine).get("wnbd-client.exe") in (None, before["wnbd-client.exe"]):
            assert time.monotonic() < deadline and program.process.poll() is None, repr(program.wait())
            time.sleep(0.1)
        with running(machine, silent.getsockname()[1]):
            refused(program.wait(), NOT_READY, "previous version is there again")
            after = content(machine)
    left = set(after) - set(before)
    assert len(left) == 2 and before == {name: after[name] for name in before}
    assert {f"{FOLDER}\\{name}" for name in left} <= set(deleted_at_restart(machine))
    is_in_use(machine, server)


def test_a_service_that_cannot_be_stopped_is_not_uninstalled(machine, setup):
    machine.install(setup)
    (machine.folder / "wnbd-service.exe").unlink()
    (machine.folder / "wnbd-service.exe").write_bytes(stand_in(DEPENDENT_SERVICES_RUNNING, STAYS))
    before = machine.state()
    refused(machine.uninstall(), DEPENDENT_SERVICES_RUNNING, "nothing was removed", "services that depend on it run")
    same(machine, before)
    assert "Value: true" in machine.bed.client("get-opt", "NewMappingsAllowed").ok().out


PENDING = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"


def deleted_at_restart(machine):
    """The names of files and folders that Windows deletes when it starts; two strings for each, the second empty."""
    data = machine.registry(PENDING)[PENDING.replace("HKLM", "HKEY_LOCAL_MACHINE")]["PendingFileRenameOperations"]
    text = bytes.fromhex(data.partition(":")[2].replace(",", "")).decode("utf-16-le")
    return [name.removeprefix("\\??\\") for name in text.split("\0") if name]


def test_an_installation_removed_while_a_program_of_it_runs(machine, server, setup):
    """It goes with the next start of the machine, and what is installed before that stays."""
    machine.install(setup)
    with socket.create_server(("127.0.0.1", 0)) as silent, running(machine, silent.getsockname()[1]):
        taken_away_and_installed_again(machine, server, setup)


@contextlib.contextmanager
def running(machine, port):
    """A program that is installed, while it waits for a server; it is stopped so that it does not end."""
    program = machine.bed.start(machine.folder / "wnbd-client.exe", "exports", "127.0.0.1", "--port", port)
    deadline = time.monotonic() + 60
    while not list(processes(machine.bed, "wnbd-client.exe", "exports")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    signal_program(machine.bed, "wnbd-client.exe", "exports", signal.SIGSTOP)
    yield
    signal_program(machine.bed, "wnbd-client.exe", "exports", signal.SIGKILL)
    program.wait()


def taken_away_and_installed_again(machine, server, setup):
    result = machine.uninstall()
    assert result.code == 3010 and "WNBD is removed" in result.out and "must be restarted" in result.out, repr(result)
    left = in_folder(machine)
    assert len(left) == 2 and not left & INSTALLED  # the program and its library
    assert deleted_at_restart(machine)[-1] == FOLDER + "\\"  # when it is empty
    machine.forget_driver()
    machine.install(setup)
    assert in_folder(machine) == INSTALLED | left
    assert set(deleted_at_restart(machine)) == {f"{FOLDER}\\{name}" for name in ["", *left]}
    is_in_use(machine, server)


# --- what is refused


def same(machine, before):
    for was, now in zip(before, machine.state()):
        assert differences(was, now) == {}


@pytest.mark.parametrize("what, allowed", [("setup", "true"), ("uninstall", "false")])
def test_a_running_disk_is_a_reason_to_stop(what, allowed, machine, server, setup):
    """It loses nothing, neither do the options."""
    machine.install(setup)
    number = machine.bed.map("running", server)
    machine.bed.client("set-opt", "NewMappingsAllowed", allowed).ok()
    before = machine.state()
    writing = machine.bed.start_diskio("write-random", number, "--bytes", 64 << 20)
    result = machine.setup(setup) if what == "setup" else machine.uninstall()
    refused(result, DEVICE_IN_USE, "disks are mapped", "nothing was changed", "wnbd-client unmap --all")
    writing.wait().ok()
    machine.bed.diskio("verify", number, "--bytes", 64 << 20).ok()
    same(machine, before)
    assert machine.bed.mapped() == ["running"]
    assert f"Value: {allowed}" in machine.bed.client("get-opt", "NewMappingsAllowed").ok().out


def by_hand(machine, folder, **of_windows):
    """A driver that did not come with the installer."""
    inf = derived(ROOT / "driver/wnbd.inf", folder)
    shutil.copy2(BUILD / "driver/wnbd.sys", folder)
    shutil.copy2(ROOT / "driver/wnbd.man", folder)
    machine.bed.start(CLIENT, "install-driver", windows_path(inf)).wait().ok()
    machine.as_windows(**of_windows)


def test_the_zip_is_installed_as_the_readme_says(machine, server, setup, tmp_path):
    """In its folder, by the words of its README."""
    shutil.unpack_archive(packages.one(setup, "x64.zip"), tmp_path)
    folder = packages.one(tmp_path, "x64")
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    machine.bed.within = ["env", "-C", str(folder)]

    def typed(line):
        assert line in [typed.strip() for block in blocks for typed in block.splitlines()]
        return machine.bed.start(folder / "wnbd-client.exe", *line.split()[1:]).wait()

    typed("wnbd-client install-driver wnbd.inf").ok()
    assert list(dict(line.split(": ") for line in typed("wnbd-client version").ok().out.splitlines())) == SAY_VERSIONS
    service = machine.registry(SERVICES + r"\wnbd-service")
    assert folder.name in str(service)
    machine.bed.map("byhand", server)
    typed("wnbd-client list").ok()
    typed("wnbd-client unmap --all").ok()
    typed("wnbd-client uninstall-driver").ok()
    assert machine.device_nodes() == 0


@pytest.mark.parametrize("provider, words", [
    ("SUSE LLC", ["The WNBD driver of 'SUSE LLC' (0.7.0.0)", "its disks go on"]),
    ("WNBD", ["A WNBD driver (0.7.0.0)", "did not come with this installer"]),
], ids=["original", "ours"])
def test_a_driver_from_elsewhere_is_explained_and_stays(provider, words, machine, server, setup, tmp_path):
    """The original WNBD has the same device, service and catalog names."""
    by_hand(machine, tmp_path, provider=provider, version="0.7.0.0")
    number = machine.bed.map("theirs", server)
    before = machine.state()
    refused(machine.setup(setup), PRODUCT_VERSION, *words, "Nothing was changed", "uninstall-driver")
    same(machine, before)
    assert machine.bed.mapped() == ["theirs"] and not machine.folder.exists()
    machine.bed.diskio("read", number, 0, 4096).ok()


def test_uninstalling_leaves_the_driver_of_somebody_else(machine, server, setup, tmp_path):
    """Installed after ours was taken away by hand."""
    machine.install(setup)
    machine.bed.client("uninstall-driver").ok()
    by_hand(machine, tmp_path, provider="SUSE LLC")
    machine.bed.map("theirs", server)
    machine.uninstall().ok()
    assert in_folder(machine) == set() and machine.bed.mapped() == ["theirs"]


def test_files_of_an_earlier_version_that_are_still_in_use(machine, setup):
    """They have been moved away and cannot be deleted; what cannot be deleted here is a folder."""
    machine.install(setup)
    (machine.folder / "wnbd.dll.previous").mkdir()
    before = machine.state()
    refused(machine.setup(setup), WRITE_FAULT, "still uses files", "Nothing was changed", "Restart Windows")
    same(machine, before)


# --- the search path


@pytest.mark.parametrize("kind", ["REG_EXPAND_SZ", "REG_SZ"])
def test_a_long_search_path_is_kept(kind, machine, setup):
    """Longer than a string of the installer can be, with entries that are not expanded."""
    _, first = machine.path()
    text = first + "".join(f";%SystemRoot%\\tools\\number {count}" for count in range(200)) + ";C:\\WNBD tools"
    machine.reg("add", ENVIRONMENT, "/v", "Path", "/t", kind, "/d", text, "/f")
    machine.install(setup)
    assert machine.path() == (kind, f"{text};{FOLDER}")
    machine.uninstall().ok()
    assert machine.path() == (kind, text)


def test_programs_that_come_first_in_the_search_path_are_named(machine, setup):
    """Ceph's packages bring files of our names."""
    theirs = machine.drive / "Ceph" / "bin"
    theirs.mkdir(parents=True)
    (theirs / "wnbd-client.exe").write_bytes(b"theirs")
    (theirs / "libwnbd.dll").write_bytes(b"theirs")
    text = machine.path()[1] + ";%SystemDrive%\\Ceph\\bin"
    machine.reg("add", ENVIRONMENT, "/v", "Path", "/t", "REG_EXPAND_SZ", "/d", text, "/f")
    said = machine.setup(setup).ok().out.splitlines()
    assert [line.split(" comes first")[0] for line in said[:-1]] == [
        "'C:\\Ceph\\bin\\wnbd-client.exe'", "'C:\\Ceph\\bin\\libwnbd.dll'"], said
    assert "is installed in" in said[-1]


PATHS = [
    ("C:\\a;C:\\b", ["add", "C:\\B"], "C:\\a;C:\\b"),
    ("C:\\a;", ["add", "C:\\b"], "C:\\a;C:\\b"),
    ("C:\\a;C:\\b", ["remove", "C:\\A"], "C:\\b"),
    ("C:\\a;C:\\b", ["remove", "C:\\b"], "C:\\a"),
    ("C:\\b\\;C:\\c", ["remove", "C:\\b"], "C:\\c"),
    ("C:\\ab", ["remove", "C:\\a"], "C:\\ab"),
]


def test_entries_of_the_search_path(machine):
    """The program that the installer runs, by itself."""
    program = BUILD / "packaging" / "wnbd-path.exe"
    for before, words, after in PATHS:
        machine.reg("add", ENVIRONMENT, "/v", "Path", "/t", "REG_EXPAND_SZ", "/d", before, "/f")
        machine.bed.start(program, *words).wait().ok()
        assert machine.path()[1] == after, (before, words)
    for words in ([], ["add"], ["drop", "C:\\a"], ["add", "C:\\a;C:\\b"], ["add", ""], ["hides", "C:\\a"]):
        assert machine.bed.start(program, *words).wait().code == 87
