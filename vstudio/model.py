# SPDX-License-Identifier: LGPL-2.1-or-later
"""What CMake's lists say of the targets that are shipped: sources, definitions, include folders, libraries.

Read through CMake's file API of the preset windows-x64, so that nothing is said twice.
"""

import functools
import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "windows-x64"
API = BUILD / ".cmake" / "api" / "v1"
SHIPPED = {"core", "driver", "libwnbd", "records", "wnbd-client", "wnbd-service", "examples"}
COMPILED = {"EXECUTABLE", "SHARED_LIBRARY", "STATIC_LIBRARY", "OBJECT_LIBRARY"}

# Said by the compiler's or the kit's own settings in Visual Studio, or meant for mingw-w64 alone.
LEFT_OUT = {"__USE_MINGW_ANSI_STDIO=1", "_AMD64_"}


class Target:
    def __init__(self, reply):
        self.name = reply["name"]
        self.kind = reply["type"]
        self.folder = reply["paths"]["source"]
        self.sources = [source["path"] for source in reply.get("sources", []) if is_source(source["path"])]
        groups = [group for group in reply.get("compileGroups", []) if group["language"] == "C"]
        self.definitions = sorted({item["define"] for group in groups for item in group.get("defines", [])} - LEFT_OUT)
        self.includes = ordered(item["path"] for group in groups for item in group.get("includes", []))
        fragments = [item["fragment"] for item in reply.get("link", {}).get("commandFragments", [])
                     if item["role"] == "libraries" and "backtrace" in item]
        self.libraries = [fragment[2:] for fragment in fragments if fragment.startswith("-l")]
        self.uses = [Path(fragment).name for fragment in fragments if fragment.endswith(".a")]


def is_source(path):
    return not path.startswith("build/") and Path(path).suffix in {".c", ".rc"}


def ordered(items):
    return list(dict.fromkeys(items))


def folders(target):
    """Include folders as paths from the root; "generated" is where version.h is made."""
    for path in target.includes:
        path = Path(path)
        if path.is_relative_to(BUILD):
            yield "generated" if path.parent == BUILD else "made"
        else:
            yield str(path.relative_to(ROOT))


@functools.cache
def replies():
    """What the file API says of each target."""
    (API / "query").mkdir(parents=True, exist_ok=True)
    (API / "query" / "codemodel-v2").touch()
    subprocess.run(["cmake", "--preset", "windows-x64"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    index = json.loads(max((API / "reply").glob("index-*.json")).read_text())
    model = json.loads((API / "reply" / index["reply"]["codemodel-v2"]["jsonFile"]).read_text())
    return [json.loads((API / "reply" / item["jsonFile"]).read_text()) for item in model["configurations"][0]["targets"]]


def targets():
    """{name: Target} of what is compiled in the folders that are shipped."""
    found = [Target(reply) for reply in replies() if reply["type"] in COMPILED]
    return {target.name: target for target in found if target.folder in SHIPPED}


def kernel_libraries(image):
    """Of what add_kernel_image makes: the import libraries that its target waits for."""
    names = {reply["id"]: reply["name"] for reply in replies()}
    needed, = (reply["dependencies"] for reply in replies() if reply["name"] == image)
    waits_for = [names[item["id"]] for item in needed]
    return sorted(name.removesuffix("_import") for name in waits_for if name.endswith("_import"))


def version():
    """version.h with the numbers of cmake/version.cmake alone: what git knows of a build is not committed."""
    script = (ROOT / "cmake" / "version.cmake").read_text()
    numbers = re.search(r"^set\(WNBD_VERSION ([0-9.]+)\)", script, re.MULTILINE).group(1)
    values = dict(zip(["WNBD_VERSION_MAJOR", "WNBD_VERSION_MINOR", "WNBD_VERSION_PATCH"], numbers.split(".")))
    values.update(WNBD_VERSION=numbers, WNBD_VERSION_TEXT=numbers, WNBD_COMMIT_TIME="0", WNBD_COMMIT="")
    return re.sub(r"@(\w+)@", lambda name: values[name.group(1)], (ROOT / "cmake" / "version.h.in").read_text())
