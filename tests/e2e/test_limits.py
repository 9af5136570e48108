# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server whose longest request is shorter than what Windows sends at once."""

import servers

MAXIMUM = 64 << 10


def test_requests_are_split_at_the_maximum_of_the_server(tmp_path, image, bed, stack):
    log = tmp_path / "requests.log"
    server = stack.enter_context(servers.nbdkit(
        tmp_path, "file", image, "blocksize-minimum=512", "blocksize-preferred=4096", f"blocksize-maximum={MAXIMUM}",
        "blocksize-error-policy=error", filters=["blocksize-policy"], log=log))
    number = bed.map("pieces", server)
    options = ("--seed", 11, "--offset", 1 << 20, "--bytes", 16 << 20, "--depth", 4, "--size", 2 << 20)
    bed.diskio("write-random", number, *options).ok()
    bed.diskio("verify", number, *options).ok()
    for operation in ("Read", "Write"):
        long = [line for line in servers.logged(log, operation) if line.number("count") > 4096]
        assert long and max(line.number("count") for line in long) == MAXIMUM
        assert sum(line.number("count") for line in long) >= 16 << 20
