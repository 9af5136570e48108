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
    """The folder of a driver package: wnbd.inf and wnbd.sys."""
    folder = tmp_path_factory.mktemp("package")
    derived(ROOT / "driver" / "wnbd.inf", folder)
    shutil.copy2(BUILD / "driver" / "wnbd.sys", folder)
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
