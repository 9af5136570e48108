# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The driver comes and goes by `install-driver` and `uninstall-driver`. The INF is the one that ships, in the form that
Wine can install.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from beds import BED, BUILD, ROOT, Bed, windows_path

NOT_INSTALLED = 110
DUPLICATE_FOUND = 0xE0000202
NOT_READY = 21


def derived(inf, folder):
    text = subprocess.run([str(BED), "inf", str(inf)], capture_output=True, check=True, timeout=30).stdout
    path = folder / inf.name
    path.write_bytes(text)
    return path


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder of a driver package: wnbd.inf, wnbd.man and wnbd.sys."""
    folder = tmp_path_factory.mktemp("package")
    derived(ROOT / "driver" / "wnbd.inf", folder)
    shutil.copy2(BUILD / "driver" / "wnbd.sys", folder)
    shutil.copy2(ROOT / "driver" / "wnbd.man", folder)
    return folder


@pytest.fixture(scope="module")
def module_bare(package):
    """A bed without the driver. At the end it is installed, so that what it has leaked shows when it is unloaded."""
    bed = Bed("--no-driver")
    yield bed
    install(bed, package / "wnbd.inf").ok()
    bed.stop()


@pytest.fixture
def bare(module_bare, stack):
    del stack  # only for the order in which fixtures end
    yield module_bare
    module_bare.client("uninstall-driver").ok()
    assert "BED VIOLATION" not in module_bare.log()


def install(bed, path):
    return bed.client("install-driver", windows_path(path))


def is_installed(bed):
    """By the words of `list`, which needs the adapter."""
    result = bed.client("list")
    if result.code != NOT_INSTALLED:
        result.ok()
    return result.code == 0


def device_nodes(bed):
    """The hardware ids of the root devices of our class, present or not, as the registry has them."""
    reg = Path(bed.where, "prefix/drive_c/windows/system32/reg.exe")
    found = bed.start(reg, "query", r"HKLM\System\CurrentControlSet\Enum\Root\SCSIADAPTER", "/s").wait()
    return re.findall(r"HardwareID\s+REG_MULTI_SZ\s+(\S+)", found.out)


PROVIDERS = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Perflib\_V2Providers"
PROVIDER = re.search(r'providerGuid="(\{.*\})"', (ROOT / "driver" / "wnbd.man").read_text(encoding="utf-8"))[1]
INSTALLED = r"c:\windows\system32\drivers\wnbd.sys"
LODCTR = "prefix/drive_c/windows/system32/lodctr.exe"
UNLODCTR = "prefix/drive_c/windows/system32/unlodctr.exe"


def registered(bed):
    """Where the names of the performance counters are looked for; None: they are not registered."""
    reg = Path(bed.where, "prefix/drive_c/windows/system32/reg.exe")
    found = bed.start(reg, "query", f"{PROVIDERS}\\{PROVIDER}", "/v", "ApplicationIdentity").wait()
    match = re.search(r"ApplicationIdentity\s+REG_SZ\s+(.*\S)", found.out)
    return match[1] if match else None


@pytest.fixture
def without_tool(bare):
    """Takes one of Windows' programs away for the test."""
    taken = []

    def take(name):
        path = Path(bare.where, name)
        taken.append((path, path.read_bytes()))
        path.unlink()
    yield take
    for path, content in taken:
        path.write_bytes(content)
        path.chmod(0o755)


def test_the_performance_counters_are_registered_with_the_driver(package, bare):
    assert registered(bare) is None
    result = install(bare, package / "wnbd.inf").ok()
    assert (result.out, result.err) == ("", "")
    assert registered(bare).lower() == INSTALLED, "where Windows has put it, not the package"
    result = bare.client("uninstall-driver").ok()
    assert (result.out, result.err) == ("", "")
    assert registered(bare) is None


def test_counters_of_an_earlier_installation_are_replaced(package, bare):
    reg = Path(bare.where, "prefix/drive_c/windows/system32/reg.exe")
    old = ("/v", "ApplicationIdentity", "/d", r"C:\old\wnbd.sys")
    bare.start(reg, "add", f"{PROVIDERS}\\{PROVIDER}", *old).wait().ok()
    assert install(bare, package / "wnbd.inf").ok().err == ""
    assert registered(bare).lower() == INSTALLED


def is_one_note(result, *words):
    assert result.out == "" and len(result.err.splitlines()) == 1, repr(result)
    assert result.err.startswith("wnbd-client: note: the performance counters "), repr(result)
    assert all(word in result.err for word in words), repr(result)


def test_a_package_without_the_manifest_is_installed(package, tmp_path, bare):
    for name in ("wnbd.inf", "wnbd.sys"):
        shutil.copy2(package / name, tmp_path)
    is_one_note(install(bare, tmp_path / "wnbd.inf").ok(), "not registered", "wnbd.man")
    assert is_installed(bare) and registered(bare) is None


def test_a_manifest_that_is_wrong_is_no_obstacle(package, tmp_path, bare):
    for name in ("wnbd.inf", "wnbd.sys"):
        shutil.copy2(package / name, tmp_path)
    (tmp_path / "wnbd.man").write_text("<nothing/>")
    is_one_note(install(bare, tmp_path / "wnbd.inf").ok(), "not registered", "lodctr.exe", "code 1")
    assert is_installed(bare)


def test_a_windows_without_lodctr_is_no_obstacle(package, without_tool, bare):
    without_tool(LODCTR)
    is_one_note(install(bare, package / "wnbd.inf").ok(), "not registered", "lodctr.exe does not run", "error 2")
    assert is_installed(bare)


def test_a_windows_without_unlodctr_is_no_obstacle(package, without_tool, bare):
    install(bare, package / "wnbd.inf").ok()
    without_tool(UNLODCTR)
    is_one_note(bare.client("uninstall-driver").ok(), "stay registered", "unlodctr.exe does not run")
    assert not is_installed(bare) and registered(bare) is not None


def test_disks_work_after_an_installation(package, server, bare):
    result = install(bare, package / "wnbd.inf").ok()
    assert (result.out, result.err) == ("", "")
    assert is_installed(bare) and len(device_nodes(bare)) == 1
    assert len(bare.client("version").ok().out.splitlines()) == 3
    number = bare.map("first", server)
    bare.diskio("write-random", number, "--bytes", 1 << 20).ok()
    bare.diskio("verify", number, "--bytes", 1 << 20).ok()
    bare.unmap("first").ok()


def test_uninstalling_takes_the_disks_along(package, server, bare):
    install(bare, package / "wnbd.inf").ok()
    number = bare.map("taken", server)
    result = bare.client("uninstall-driver").ok()
    assert (result.out, result.err) == ("", "")
    assert not is_installed(bare) and device_nodes(bare) == []
    assert "cannot open" in bare.diskio("info", number).err
    bare.try_map("taken", server).failed(259, "not installed")


def test_installing_uninstalling_and_installing_again(package, server, bare):
    for _ in range(3):
        install(bare, package / "wnbd.inf").ok()
        bare.diskio("read", bare.map("again", server), 0, 4096).ok()
        bare.client("uninstall-driver").ok()
        assert not is_installed(bare)


def test_a_second_installation_is_refused_and_the_first_stays(package, server, bare):
    install(bare, package / "wnbd.inf").ok()
    number = bare.map("stays", server)
    install(bare, package / "wnbd.inf").failed(DUPLICATE_FOUND, "installed already")
    assert bare.mapped() == ["stays"]
    bare.diskio("read", number, 0, 4096).ok()


def test_installing_from_a_missing_file(bare):
    bare.client("install-driver", "C:\\nowhere\\wnbd.inf").failed(2, "no file", "C:\\nowhere\\wnbd.inf")
    assert not is_installed(bare)


def test_installing_from_a_folder(package, bare):
    install(bare, package).failed(2, windows_path(package), "folder")
    assert not is_installed(bare)


def test_installing_an_inf_file_without_the_driver_beside_it(tmp_path, bare):
    inf = derived(ROOT / "driver" / "wnbd.inf", tmp_path)
    install(bare, inf).failed(2, "wnbd.sys", windows_path(inf))
    assert not is_installed(bare) and device_nodes(bare) == []


@pytest.mark.parametrize("content", [b"", b"Not an INF file.\r\n", b"MZ\x90\0" + bytes(range(256))],
                         ids=["empty", "text", "binary"])
def test_installing_from_what_is_no_inf_file(content, tmp_path, bare):
    path = tmp_path / "none.inf"
    path.write_bytes(content)
    result = install(bare, path)
    assert result.code not in (0, 2), repr(result)  # which code is for Windows to say
    result.failed(result.code, windows_path(path), "INF file")
    assert not is_installed(bare)


def test_the_driver_of_another_device_is_not_left_half_installed(package, tmp_path, bare):
    """Whether set-up refuses an INF that has nothing for the adapter or is content: the adapter is what counts."""
    other = derived(ROOT / "tests" / "bed" / "ramdisk.inf", tmp_path)
    shutil.copy2(BUILD / "tests" / "bed" / "ramdisk.sys", tmp_path)
    install(bare, other).failed(NOT_READY, "adapter")
    assert not is_installed(bare) and device_nodes(bare) == []
    install(bare, package / "wnbd.inf").ok()
    assert is_installed(bare)


def test_uninstalling_what_is_not_installed_is_done_already(bare):
    result = bare.client("uninstall-driver").ok()
    assert (result.out, result.err) == ("", "")
