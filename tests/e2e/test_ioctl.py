# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every control command with every length and random content: errors, never a crash or a byte too many."""

import re

SUCCESS, UNKNOWN, BAD_PARAMETER = 0, 1, 87
NAMED_DISK = {7, 10}  # stats and show: asked for a mapped disk too
WORKING = {*range(1, 16), *range(32, 36)}


def test_control_commands_of_any_length_and_content(server, bed):
    bed.map("vol-a", server)
    for seed in (1, 2):
        result = bed.probe("--seed", seed, "--name", "vol-a").ok()
        assert "FAULT" not in result.out
        seen = {int(command): {int(error): int(times) for error, times in re.findall(r"(\d+)x(\d+)", errors)}
                for command, errors in re.findall(r"^command (\d+):(.*)$", result.out, re.MULTILINE)}
        assert set(seen) == set(range(38))
        for command, errors in seen.items():
            if command in WORKING:
                assert BAD_PARAMETER in errors, f"command {command}: {errors}"
            else:
                assert set(errors) <= {UNKNOWN, BAD_PARAMETER}, f"command {command}: {errors}"
            if command in NAMED_DISK:
                assert SUCCESS in errors and 234 in errors, f"command {command}: {errors}"
        assert bed.mapped() == ["vol-a"]
        bed.diskio("read", bed.number("vol-a"), 0, 4096).ok()
