# SPDX-License-Identifier: LGPL-2.1-or-later
"""One .vcxproj file. What all have in common is in common.props and driver.props, written by hand."""

import uuid
from xml.sax.saxutils import escape, quoteattr

CONFIGURATIONS = ["Debug", "Release"]
PLATFORMS = ["x64", "ARM64"]
NAMESPACE = uuid.UUID("8a5f3a52-6f0e-5a0c-9d3f-6a2b7c1f5e11")

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->
<!-- Made by vstudio/generate of CMake's lists. -->
<Project DefaultTargets="Build" xmlns="http://schemas.microsoft.com/developer/msbuild/2003">
"""


class Project:
    """name; kind: Application, DynamicLibrary, StaticLibrary or Driver; paths are from the root of the tree.

    messages: a source of messages and the message compiler's options, as in CMake's list of that folder.
    symbols: the PDB's name, if it is not the output's.
    packaged: what a driver's package has beside the driver, its INF file and the catalog.
    """

    def __init__(self, name, kind, **parts):
        self.name = name
        self.kind = kind
        self.output = parts.get("output", name)
        self.sources = parts.get("sources", [])
        self.headers = parts.get("headers", [])
        self.definitions = parts.get("definitions", [])
        self.includes = parts.get("includes", [])
        self.libraries = parts.get("libraries", [])
        self.exports = parts.get("exports")
        self.uses = parts.get("uses", [])
        self.messages = parts.get("messages")
        self.symbols = parts.get("symbols")
        self.inf = parts.get("inf")
        self.packaged = parts.get("packaged", [])
        self.without_code = parts.get("without_code", False)

    def guid(self):
        return "{" + str(uuid.uuid5(NAMESPACE, self.name)).upper() + "}"


def windows(path):
    return "..\\" + path.replace("/", "\\")


def element(name, text, indent):
    return f"{' ' * indent}<{name}>{escape(text)}</{name}>\n"


def group(name, items, indent=2, **attributes):
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"{' ' * indent}<{name}{said}>\n{items}{' ' * indent}</{name}>\n" if items else ""


def files(item, paths):
    return group("ItemGroup", "".join(f"    <{item} Include={quoteattr(windows(path))} />\n" for path in paths))


def configurations():
    items = "".join(
        group("ProjectConfiguration", element("Configuration", configuration, 6) + element("Platform", platform, 6), 4,
              Include=f"{configuration}|{platform}")
        for configuration in CONFIGURATIONS for platform in PLATFORMS)
    return group("ItemGroup", items, Label="ProjectConfigurations")


def globals_of(project):
    return group("PropertyGroup", element("ProjectGuid", project.guid(), 4) + element("ProjectName", project.name, 4) +
                 element("ConfigurationType", project.kind, 4) + element("TargetName", project.output, 4), Label="Globals")


def compiler(project):
    includes = ";".join("$(ProjectDir)generated" if path == "generated" else "$(IntDir)" if path == "made" else
                        "$(ProjectDir)" + windows(path) for path in project.includes)
    said = (element("AdditionalIncludeDirectories", includes + ";%(AdditionalIncludeDirectories)", 6) +
            element("PreprocessorDefinitions", ";".join([*project.definitions, "%(PreprocessorDefinitions)"]), 6))
    # The resource compiler gets no definition but the folders: what resources need of numbers is in version.h.
    folders = element("AdditionalIncludeDirectories", includes + ";%(AdditionalIncludeDirectories)", 6)
    return group("ClCompile", said, 4) + group("ResourceCompile", folders, 4)


def linker(project):
    said = ""
    if project.libraries:
        libraries = ";".join([f"{name}.lib" for name in project.libraries] + ["%(AdditionalDependencies)"])
        said += element("AdditionalDependencies", libraries, 6)
    if project.exports:
        said += element("ModuleDefinitionFile", f"$(ProjectDir){project.exports}", 6)
    if project.symbols:
        said += element("ProgramDatabaseFile", f"$(OutDir){project.symbols}", 6)
    if project.without_code:
        said += element("NoEntryPoint", "true", 6)
    return group("Link", said, 4)


def messages(project):
    if not project.messages:
        return ""
    path, options = project.messages
    said = (element("Command", f'mc.exe {options} -h "$(IntDir)." -r "$(IntDir)." "%(FullPath)"', 6) +
            element("Outputs", "$(IntDir)%(Filename).h;$(IntDir)%(Filename).rc", 6) +
            element("Message", "Compiling %(Filename)%(Extension)", 6))
    return group("ItemGroup", group("CustomBuild", said, 4, Include=windows(path)))


def package(project):
    """The kit puts these into the package, for which it makes the catalog. Its templates name the driver itself so, too."""
    if not project.inf:
        return ""
    driver = group("ItemGroup", "    <FilesToPackage Include=\"$(TargetPath)\" />\n")
    return files("Inf", [project.inf]) + driver + files("FilesToPackage", project.packaged)


def references(project):
    items = "".join(group("ProjectReference", element("Project", used.guid(), 6), 4, Include=f"{used.name}.vcxproj")
                    for used in project.uses)
    return group("ItemGroup", items)


def imports(project):
    props = "driver" if project.kind == "Driver" else "common"
    return (f'  <Import Project="$(VCTargetsPath)\\Microsoft.Cpp.Default.props" />\n  <Import Project="{props}.props" />\n'
            f'  <Import Project="$(VCTargetsPath)\\Microsoft.Cpp.props" />\n  <Import Project="output.props" />\n')


def text(project):
    code = [path for path in project.sources if path.endswith(".c")]
    resources = [path for path in project.sources if path.endswith(".rc")]
    return (HEAD + configurations() + globals_of(project) + imports(project) +
            group("ItemDefinitionGroup", compiler(project) + linker(project)) +
            files("ClCompile", code) + files("ResourceCompile", resources) + files("ClInclude", project.headers) +
            package(project) + messages(project) + references(project) +
            '  <Import Project="$(VCTargetsPath)\\Microsoft.Cpp.targets" />\n</Project>\n')


def solution(projects):
    kind = "{8BC9CEB8-8B4A-11D0-8D11-00A0C91BC942}"  # a C++ project
    lines = ["", "Microsoft Visual Studio Solution File, Format Version 12.00", "# Visual Studio Version 17"]
    for project in projects:
        lines += [f'Project("{kind}") = "{project.name}", "{project.name}.vcxproj", "{project.guid()}"', "EndProject"]
    pairs = [f"{configuration}|{platform}" for configuration in CONFIGURATIONS for platform in PLATFORMS]
    lines += ["Global", "\tGlobalSection(SolutionConfigurationPlatforms) = preSolution"]
    lines += [f"\t\t{pair} = {pair}" for pair in pairs]
    lines += ["\tEndGlobalSection", "\tGlobalSection(ProjectConfigurationPlatforms) = postSolution"]
    lines += [f"\t\t{project.guid()}.{pair}.{what} = {pair}" for project in projects for pair in pairs
              for what in ("ActiveCfg", "Build.0")]
    lines += ["\tEndGlobalSection", "EndGlobal", ""]
    return "\r\n".join(lines)
