# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of docs/architecture.md that a build alone does not enforce. Runs after all presets have been built."""

import re
import subprocess
from pathlib import Path

import pytest
import tree

ROOT = Path(__file__).resolve().parent.parent.parent
WINDOWS = ROOT / "build" / "windows-x64"
NATIVE = ROOT / "build" / "gcc"

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "sal.h"}

# What the files of a folder may include of the project; everything else there is a system header.
ALLOWED = {
    "core/base": {"core/base"},
    "core/io": {"core/base", "core/io"},
    "core/scsi": {"core/base", "core/io", "core/scsi"},
    "core/nbd": {"core/base", "core/io", "core/scsi", "core/nbd"},
    "core/options": {"core/base", "core/options"},
    "driver": {"core", "driver", "include", "generated"},
    "libwnbd": {"core", "libwnbd", "include", "generated"},
    "records": {"core/base", "records", "include"},
    "wnbd-client": {"core", "records", "wnbd-client", "include", "generated"},
    "wnbd-service": {"records", "wnbd-service", "include", "generated"},
    "examples": {"include"},
    "packaging": {"packaging"},
    # The bed knows nothing of WNBD: floor 0 is integers and lists.
    "bed/pcw": {"core/base", "bed/pcw", "bed/port/control.h", "bed/port/violation.h", "driver/ddk"},
    "bed/port": {"core/base", "bed/port", "bed/pcw/pcw.h", "bed/wine/patch.h", "bed/wine/irql.h", "driver/ddk"},
    "bed/wsk": {"core/base", "bed/wsk", "bed/port/port.h", "bed/port/violation.h", "driver/ddk"},
    "bed/wine": {"core/base", "bed", "driver/ddk"},
    "bench": {"core", "bench", "bed/host", "tests/host/program.h"},
    "tests/iscsi": {"core", "tests/iscsi"},
    "bed/host": {"core/base", "bed/host", "bed/pcw", "bed/port", "bed/wsk", "driver/ddk"},
    "tests/host": {"core/base", "tests/host", "bed/host", "bed/pcw/pcw.h", "bed/port/violation.h", "bed/port/control.h",
                   "bed/port/events.h", "include", "driver/ddk", "driver/messages.h", "driver/srb.h",
                   "tests/bed/serving.h"},
    "tests/bed": {"core/base", "tests/bed", "bed/port/control.h", "driver/ddk"},
}
GENERATED = {"version.h"}


def output(*command):
    result = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.stderr}"
    return result.stdout


def sources(folder, *endings):
    return sorted(path for ending in endings or ("c", "h") for path in (ROOT / folder).rglob(f"*.{ending}"))


def project_includes(path):
    """The project's headers that a file includes, as paths from the root; system headers are left out."""
    for name in INCLUDE.findall(path.read_text()):
        if name in GENERATED:
            yield "generated"
        elif (ROOT / name).is_file():
            yield name
        elif (path.parent / name).is_file():
            yield str((path.parent / name).resolve().relative_to(ROOT))
        elif (ROOT / "include" / name).is_file():
            yield f"include/{name}"


@pytest.mark.parametrize("folder", ALLOWED)
def test_includes_point_down(folder):
    assert sources(folder), f"{folder} is empty"
    for path in sources(folder):
        for name in project_includes(path):
            below = any(name == allowed or name.startswith(allowed + "/") or name.startswith(allowed + ".")
                        for allowed in ALLOWED[folder])
            assert below, f"{path.relative_to(ROOT)} includes {name}"


def test_core_includes_no_os_header():
    for path in sources("core"):
        for name in INCLUDE.findall(path.read_text()):
            assert name in FREESTANDING or (ROOT / name).is_file(), f"{path.relative_to(ROOT)} includes {name}"


def undefined(objects):
    assert objects, "no objects: build first"
    return {line.split()[-1] for line in output("llvm-nm-19", "-u", *objects).splitlines() if " U " in line}


def defined(objects):
    lines = output("llvm-nm-19", "--defined-only", *objects).splitlines()
    return {line.split()[-1] for line in lines if len(line.split()) >= 3}


MEMORY = {"memcpy", "memmove", "memset", "memcmp"}
# The compiler's own, from -fstack-protector and -mguard=cf; the driver supplies them (driver/support*.c).
COMPILER = {"__stack_chk_fail", "__stack_chk_guard"}


def test_core_calls_nothing_native():
    objects = sorted((NATIVE / "core").rglob("*.o"))
    assert undefined(objects) - defined(objects) <= MEMORY


def test_core_calls_nothing_kernel():
    objects = sorted((WINDOWS / "core").rglob("*.obj"))
    assert undefined(objects) - defined(objects) <= MEMORY | COMPILER


@pytest.mark.parametrize("path", sources("core", "c"), ids=lambda path: str(path.relative_to(ROOT)))
def test_core_is_accepted_in_msvc_mode(path):
    output("clang-19", "--driver-mode=cl", "--target=x86_64-pc-windows-msvc", "/W4", "/WX", "/Zs", "/I.",
           path.relative_to(ROOT))  # an absolute path would be taken for an option


GCC = "x86_64-w64-mingw32-gcc"
GXX = "x86_64-w64-mingw32-g++"
CLANG = "clang-19 --target=x86_64-w64-mingw32"
CLANGXX = "clang++-19 --target=x86_64-w64-mingw32"
CONSUMERS = [(compiler, standard) for compiler in (GCC, CLANG) for standard in ("-std=c11", "-std=c17")] + [
    (compiler, standard) for compiler in (GXX, CLANGXX) for standard in ("-std=c++11", "-std=c++17")]
# MSVC's own compiler is not here; clang in its mode is, without Microsoft's headers: tests/layout has what is needed.
MSVC = [("/TC", "/std:c11"), ("/TC", "/std:c17"), ("/TP", "/std:c++14"), ("/TP", "/std:c++17"), ("/TP", "/std:c++20")]


@pytest.mark.parametrize("compiler,standard", CONSUMERS)
def test_public_headers_compile_for_consumers(compiler, standard, tmp_path):
    """As a consumer would include them; every layout of the interface is asserted."""
    language = "c++" if "++" in compiler else "c"
    output(*compiler.split(), standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-I", ROOT / "include", "-x", language,
           "-c", "tests/layout/layout.c", "-o", tmp_path / "consumer.o")


@pytest.mark.parametrize("language,standard", MSVC)
def test_public_headers_compile_in_msvc_mode(language, standard):
    output("clang-19", "--driver-mode=cl", "--target=x86_64-pc-windows-msvc", "/W4", "/WX", "/Zs", language, standard,
           "/Iinclude", "/Itests/layout/types", "/Itests/layout/msvc", "tests/layout/layout.c")


def test_layouts_can_fail(tmp_path):
    """The assertions of the test above are looked at by the compiler, and are about what they say."""
    text = (ROOT / "tests/layout/layout.c").read_text()
    broken = tmp_path / "broken.c"
    broken.write_text(text.replace("AT(WNBD_IO_REQUEST, Cmd.Unmap.Count, 16, 4)", "AT(WNBD_IO_REQUEST, Cmd.Unmap.Count, 20, 4)"))
    assert broken.read_text() != text
    result = subprocess.run([GCC, "-I", ROOT / "include", "-c", broken, "-o", tmp_path / "broken.o"], capture_output=True,
                            text=True, timeout=120)
    assert result.returncode != 0 and "Cmd.Unmap.Count moved" in result.stderr


def readobj(image, *what):
    return output("llvm-readobj-19", *what, image)


def imports(image):
    text = readobj(image, "--coff-imports")
    return set(re.findall(r"Name: (\S+)", text)), set(re.findall(r"Symbol: (\S+)", text))


def test_driver_image_is_what_windows_asks_for():
    image = WINDOWS / "driver" / "wnbd.sys"
    headers = readobj(image, "--file-headers")
    for line in ["IMAGE_FILE_MACHINE_AMD64", "IMAGE_SUBSYSTEM_NATIVE", "MajorSubsystemVersion: 10",
                 "IMAGE_DLL_CHARACTERISTICS_DYNAMIC_BASE", "IMAGE_DLL_CHARACTERISTICS_HIGH_ENTROPY_VA",
                 "IMAGE_DLL_CHARACTERISTICS_NX_COMPAT", "IMAGE_DLL_CHARACTERISTICS_GUARD_CF"]:
        assert line in headers
    stored = int(re.search(r"CheckSum: (0x[0-9A-F]+)", headers).group(1), 16)
    assert stored == checksum(image)


def checksum(image):
    """A PE checksum: 16-bit ones' complement sum with the field itself as 0, plus the file's length."""
    data = bytearray(image.read_bytes())
    field = int.from_bytes(data[0x3C:0x40], "little") + 24 + 64
    data[field:field + 4] = b"\0\0\0\0"
    total = sum(int.from_bytes(data[at:at + 2], "little") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(data)


def test_driver_imports_only_kernel_modules_and_real_storport_exports():
    modules, symbols = imports(WINDOWS / "driver" / "wnbd.sys")
    assert modules <= {"ntoskrnl.exe", "storport.sys", "netio.sys", "hal.dll"}
    # Everything else of Storport is an inline over StorPortExtendedFunction: importing it, the driver would not load.
    real = {"StorPortInitialize", "StorPortNotification", "StorPortExtendedFunction", "StorPortGetLogicalUnit",
            "StorPortSetDeviceQueueDepth", "StorPortLogError", "StorPortDebugPrint", "StorPortCompleteRequest",
            "StorPortPause", "StorPortResume", "StorPortPauseDevice", "StorPortResumeDevice", "StorPortBusy",
            "StorPortReady", "StorPortDeviceBusy", "StorPortDeviceReady", "StorPortRegistryRead",
            "StorPortQuerySystemTime"}
    assert {name for name in symbols if name.startswith("StorPort")} <= real


def exports(image):
    return re.findall(r"Name: (\S+)", readobj(image, "--coff-exports").split("File:", 1)[1])


def test_both_libraries_export_what_the_def_file_lists():
    """libwnbd.dll is what programs were linked against; it forwards every name to wnbd.dll."""
    lines = (ROOT / "libwnbd" / "libwnbd.def").read_text().splitlines()
    listed = [line.split()[0] for line in lines[lines.index("EXPORTS") + 1:] if line.strip()]
    for library in ("wnbd.dll", "libwnbd.dll"):
        assert sorted(exports(WINDOWS / "libwnbd" / library)) == sorted(listed), library
    forwards = re.findall(r"ForwardedTo: (\S+)", readobj(WINDOWS / "libwnbd" / "libwnbd.dll", "--coff-exports"))
    assert sorted(forwards) == sorted(f"wnbd.{name}" for name in listed)


def test_driver_sections_are_never_writable_and_executable():
    text = readobj(WINDOWS / "driver" / "wnbd.sys", "--sections")
    for section in text.split("Section {")[1:]:
        assert not ("IMAGE_SCN_MEM_WRITE" in section and "IMAGE_SCN_MEM_EXECUTE" in section), section
    init = next(section for section in text.split("Section {") if "Name: INIT" in section)
    assert "IMAGE_SCN_MEM_DISCARDABLE" in init


def test_driver_has_a_load_configuration():
    text = readobj(WINDOWS / "driver" / "wnbd.sys", "--coff-load-config")
    assert re.search(r"SecurityCookie: 0x[1-9A-F]", text)
    assert re.search(r"GuardCFFunctionCount: [1-9]", text)


def test_installation_keeps_all_but_administrators_out():
    """The control device: SYSTEM and administrators alone, protected from what the class would grant."""
    lines = (ROOT / "driver" / "wnbd.inf").read_text().splitlines()
    descriptors = [line for line in lines if line.startswith("HKR,,Security,")]
    assert descriptors == ['HKR,,Security,,"D:P(A;;GA;;;SY)(A;;GA;;;BA)"']


def test_installation_starts_the_driver_on_demand():
    """A driver that Windows refuses does not keep it from starting."""
    text = (ROOT / "driver" / "wnbd.inf").read_text()
    assert re.findall(r"^StartType\s*=\s*(\S+)", text, re.MULTILINE) == ["%SERVICE_DEMAND_START%"]
    assert re.findall(r"^SERVICE_DEMAND_START\s*=\s*(\S+)", text, re.MULTILINE) == ["3"]


COMMENTED = {".c", ".h", ".py", ".cmake", ".def", ".rc", ".inf", ".ps1", ".sh"}


def test_every_source_names_its_licence():
    for path in tree.files():
        if (path.suffix in COMMENTED or path.name in ("CMakeLists.txt", "Makefile")):
            assert "SPDX-License-Identifier: LGPL-2.1-or-later" in path.read_text(errors="replace")[:300], path


def test_sources_are_formatted():
    paths = [path for path in tree.files() if path.suffix in (".c", ".h")]
    output("clang-format-19", "--dry-run", "-Werror", *paths)
