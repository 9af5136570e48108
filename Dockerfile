# SPDX-License-Identifier: LGPL-2.1-or-later
# The build on Debian 12, with what scripts/setup installs, as `make` does by itself:
#   docker build -t wnbd . && docker run --rm -v "$PWD/out:/wnbd/build" wnbd
# leaves driver, library, client and service in out/windows-x64. `docker run --rm wnbd make check` runs every suite; one
# test of them, with a file system that is full, is skipped unless Docker is told `--cap-add SYS_ADMIN`.
FROM debian:12

WORKDIR /wnbd
COPY scripts/setup scripts/setup
RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && scripts/setup \
    && rm -rf /var/lib/apt/lists/*

COPY . .
CMD ["make", "windows"]
