# SPDX-License-Identifier: LGPL-2.1-or-later
"""vstudio/ against CMake's lists. Nobody here has Visual Studio: that it builds is docs/verification.md's."""

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from test_floors import ROOT, output

VSTUDIO = ROOT / "vstudio"
PROJECTS = sorted(VSTUDIO.glob("*.vcxproj"))
MSBUILD = "{http://schemas.microsoft.com/developer/msbuild/2003}"
MADE = {"$(IntDir)", "$(ProjectDir)generated"}
# What MSVC's compiler has not; core/base/compiler.h and the public header have it where the compiler is another.
GNU = re.compile(r"__attribute__|__builtin_|__asm__|__typeof|\btypeof\b|__atomic_|__sync_|<getopt\.h>|<unistd\.h>")
KNOWS_COMPILERS = {"core/base/compiler.h", "core/base/bytes.h", "core/base/atomic.h", "include/wnbd.h"}


def items(project, name):
    return ElementTree.parse(project).getroot().findall(f".//{MSBUILD}{name}")


def listed(project, *names):
    """Files that a project names, as paths from the root of the tree."""
    included = [item.get("Include") for name in names for item in items(project, name) if item.get("Include")]
    return [(VSTUDIO / path.replace("\\", "/")).resolve().relative_to(ROOT) for path in included]


def test_what_is_committed_is_what_cmake_says(tmp_path):
    """After a change of a CMakeLists.txt run vstudio/generate."""
    output(VSTUDIO / "generate", tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(made) > 10
    for path, content in made.items():
        assert (VSTUDIO / path).read_bytes() == content, f"vstudio/{path}: run vstudio/generate"
    kept = [path for ending in ("*.vcxproj", "*.sln", "generated/*") for path in VSTUDIO.glob(ending)]
    assert sorted(path.relative_to(VSTUDIO) for path in kept) == sorted(made)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_project_names_files_that_are_there(project):
    files = listed(project, "ClCompile", "ResourceCompile", "ClInclude", "CustomBuild", "Inf", "ProjectReference")
    assert files and all((ROOT / path).is_file() for path in files)
    for item in items(project, "AdditionalIncludeDirectories"):
        for folder in set(item.text.split(";")) - MADE - {"%(AdditionalIncludeDirectories)"}:
            assert (VSTUDIO / folder.removeprefix("$(ProjectDir)").replace("\\", "/")).is_dir(), folder
    for item in items(project, "ModuleDefinitionFile"):
        assert (VSTUDIO / item.text.removeprefix("$(ProjectDir)")).is_file()
    for item in ElementTree.parse(project).getroot().findall(f"{MSBUILD}Import"):
        assert item.get("Project").startswith("$(VCTargetsPath)") or (VSTUDIO / item.get("Project")).is_file()


def test_solution_has_every_project_once():
    text = (VSTUDIO / "wnbd.sln").read_text()
    named = re.findall(r'"([\w-]+\.vcxproj)", "(\{[0-9A-F-]+\})"', text)
    guids = {project.name: items(project, "ProjectGuid")[0].text for project in PROJECTS}
    assert dict(named) == guids and len(named) == len(guids) == len(set(guids.values()))


def test_driver_project_has_the_sources_of_the_driver_and_of_the_core_once():
    """Independently of the generator: what was compiled for wnbd.sys, by the preset windows-x64."""
    commands = json.loads((ROOT / "build" / "windows-x64" / "compile_commands.json").read_text())
    compiled = {Path(entry["file"]).relative_to(ROOT) for entry in commands
                if re.search(r"(core_kernel|wnbd_sys_objects)\.dir", entry["command"])}
    own = {path for path in compiled if not path.match("driver/support*")}
    files = listed(VSTUDIO / "driver.vcxproj", "ClCompile")
    assert len(own) > 50 and sorted(files) == sorted(own)


def test_driver_project_has_the_libraries_of_the_driver():
    """Independently of the generator: what the driver is linked to."""
    links = output("ninja", "-C", ROOT / "build" / "windows-x64", "-t", "commands", "driver/wnbd.sys").splitlines()
    linked, = (set(re.findall(r"/driver/lib(\w+)\.a\b", line)) for line in links if "/out:driver/wnbd.sys" in line)
    item, = items(VSTUDIO / "driver.vcxproj", "AdditionalDependencies")
    assert "storport" in linked and {f"{name}.lib" for name in linked} | {"%(AdditionalDependencies)"} == set(item.text.split(";"))


def test_driver_package_has_what_install_driver_looks_for():
    """Beside the catalog, which the kit makes."""
    project = VSTUDIO / "driver.vcxproj"
    packaged = {item.get("Include") for item in items(project, "FilesToPackage")}
    assert packaged == {"$(TargetPath)", "..\\driver\\wnbd.man"} and (ROOT / "driver/wnbd.man").is_file()
    assert items(project, "TargetName")[0].text == "wnbd" and listed(project, "Inf") == [Path("driver/wnbd.inf")]


def test_no_two_projects_write_the_same_symbols():
    """All write into one folder."""
    names = [items(project, "ProgramDatabaseFile") or items(project, "TargetName") for project in PROJECTS]
    names = [name.text.removeprefix("$(OutDir)").removesuffix(".pdb") for name, in names]
    assert len(set(names)) == len(names) == len(PROJECTS)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_sources_of_a_project_need_no_gnu_compiler(project):
    for path in listed(project, "ClCompile", "ClInclude"):
        if not path.is_relative_to("driver/ddk") and not path.match("driver/support*") and str(path) not in KNOWS_COMPILERS:
            found = GNU.search((ROOT / path).read_text())
            assert not found, f"{path}: {found and found.group()}"


def test_properties_are_well_formed():
    for path in VSTUDIO.glob("*.props"):
        assert ElementTree.parse(path).getroot().tag == f"{MSBUILD}Project"


def test_cmake_offers_its_presets_for_visual_studio_on_windows_alone():
    presets = {item["name"]: item for item in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
    assert presets["vstudio"]["hidden"]
    assert presets["vstudio"]["condition"] == {"type": "equals", "lhs": "${hostSystemName}", "rhs": "Windows"}
    assert presets["vstudio-x64"]["inherits"] == presets["vstudio-arm64"]["inherits"] == "vstudio"
    shown = subprocess.run(["cmake", "--list-presets"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert '"windows-arm64"' in shown.stdout and "vstudio" not in shown.stdout


def test_cmake_lists_work_with_a_compiler_like_msvc(tmp_path):
    """clang in MSVC's mode, and a kit of one empty header: as far as CMake's lists can be tried without Windows."""
    clang, kit = tmp_path / "clang-cl", tmp_path / "kit"
    clang.symlink_to("/usr/bin/clang-19")
    (kit / "Include/10.0.26100.0/km").mkdir(parents=True)
    (kit / "Include/10.0.26100.0/km/ntifs.h").touch()
    tools = {"CMAKE_LINKER": "lld-link-19", "CMAKE_AR": "llvm-lib-19", "CMAKE_RC_COMPILER": "llvm-rc-19", "CMAKE_MT": "llvm-mt-19"}
    build = tmp_path / "build"
    output("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, "-DCMAKE_SYSTEM_NAME=Windows", f"-DCMAKE_C_COMPILER={clang}",
           "-DCMAKE_C_COMPILER_TARGET=x86_64-pc-windows-msvc", "-DCMAKE_C_COMPILER_WORKS=1", f"-DWNBD_KIT={kit}",
           *[f"-D{name}=/usr/bin/{tool}" for name, tool in tools.items()])
    compiled = {Path(entry["file"]).relative_to(ROOT) for entry in json.loads((build / "compile_commands.json").read_text())}
    listed_files = {path for project in PROJECTS for path in listed(project, "ClCompile", "ResourceCompile")}
    assert compiled == listed_files
    assert "ninja: no work to do" not in output("ninja", "-C", build, "-n")
