# SPDX-License-Identifier: LGPL-2.1-or-later
"""The build for Windows on ARM64, which nobody here can run: what its files say of themselves."""

import re
from pathlib import Path

import pytest

from test_floors import ROOT, WINDOWS, checksum, exports, imports, readobj

ARM64 = ROOT / "build" / "windows-arm64"
IMAGES = ["driver/wnbd.sys", "libwnbd/wnbd.dll", "libwnbd/libwnbd.dll", "wnbd-client/wnbd-client.exe",
          "wnbd-service/wnbd-service.exe"]
PROGRAMS = IMAGES[1:]
IN_PLACE_ON_X64 = {"KeLowerIrql", "KeRaiseIrqlToDpcLevel"}  # mingw-w64's headers write a register there
SYSTEM = {"advapi32.dll", "cfgmgr32.dll", "kernel32.dll", "newdev.dll", "ntdll.dll", "setupapi.dll", "ws2_32.dll"}


def imports_by_module(image):
    """{module: names} of an image."""
    blocks = readobj(image, "--coff-imports").split("Import {")[1:]
    return {re.search(r"Name: (\S+)", block).group(1): set(re.findall(r"Symbol: (\S+)", block)) for block in blocks}


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_of_arm64(name):
    headers = readobj(ARM64 / name, "--file-headers")
    for line in ["IMAGE_FILE_MACHINE_ARM64 (0xAA64)", "IMAGE_DLL_CHARACTERISTICS_DYNAMIC_BASE",
                 "IMAGE_DLL_CHARACTERISTICS_HIGH_ENTROPY_VA", "IMAGE_DLL_CHARACTERISTICS_NX_COMPAT"]:
        assert line in headers


@pytest.mark.parametrize("name", IMAGES)
def test_sections_are_never_writable_and_executable(name):
    sections = readobj(ARM64 / name, "--sections").split("Section {")[1:]
    assert sections
    for section in sections:
        assert not ("IMAGE_SCN_MEM_WRITE" in section and "IMAGE_SCN_MEM_EXECUTE" in section), section


def test_driver_image_is_what_windows_asks_for():
    headers = readobj(ARM64 / "driver/wnbd.sys", "--file-headers")
    assert "IMAGE_SUBSYSTEM_NATIVE" in headers and "IMAGE_DLL_CHARACTERISTICS_GUARD_CF" in headers
    assert int(re.search(r"CheckSum: (0x[0-9A-F]+)", headers).group(1), 16) == checksum(ARM64 / "driver/wnbd.sys")
    guards = readobj(ARM64 / "driver/wnbd.sys", "--coff-load-config")
    assert re.search(r"SecurityCookie: 0x[1-9A-F]", guards) and re.search(r"GuardCFFunctionCount: [1-9]", guards)


def test_driver_imports_nothing_that_the_one_for_x64_does_not():
    modules, names = imports(ARM64 / "driver/wnbd.sys")
    x64_modules, x64_names = imports(WINDOWS / "driver/wnbd.sys")
    assert names and modules <= x64_modules and names <= x64_names | IN_PLACE_ON_X64


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_imports_windows_and_nothing_else(name):
    """The Universal C Runtime is a part of Windows; no DLL has to come with a program but our own."""
    for module, names in imports_by_module(ARM64 / name).items():
        is_runtime = module.startswith("api-ms-win-crt-")
        assert names and (is_runtime or module in SYSTEM | {"wnbd.dll"}), f"{module}: {names}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_imports_what_the_one_for_x64_does(name):
    """Beside the runtime, which is another: libraries that were made of x64's must not lend names to Windows' modules."""
    x64 = imports_by_module(WINDOWS / name)
    x64 = {module.lower(): names for module, names in x64.items()}
    for module, names in imports_by_module(ARM64 / name).items():
        if not module.startswith("api-ms-win-crt-"):
            assert names <= x64[module.lower()], module


def test_both_libraries_export_what_those_of_x64_do():
    for library in ("wnbd.dll", "libwnbd.dll"):
        assert exports(ARM64 / "libwnbd" / library)
        assert sorted(exports(ARM64 / "libwnbd" / library)) == sorted(exports(WINDOWS / "libwnbd" / library))


def test_import_library_for_msvc_is_of_arm64():
    assert "COFF-import-file-ARM64" in readobj(ARM64 / "libwnbd" / "wnbd.lib", "--file-headers")
    assert Path(ARM64 / "libwnbd" / "libwnbd.dll.a").is_file()
