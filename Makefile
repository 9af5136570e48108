# SPDX-License-Identifier: LGPL-2.1-or-later
# A few commands. Everything they need is set up on the way (scripts/setup); the build itself is CMake's.

.PHONY: api bench demo check check-ceph check-long clean dist soak windows

demo: windows
	scripts/demo

check:
	scripts/setup
	tests/check

# The public headers as pages. What is public and not documented fails.
api:
	scripts/setup
	docs/api/make build/api

# docs/performance.md. Its environment: bench/run.py.
bench: windows
	scripts/setup bench
	cmake --preset bench >build/bench.log
	cmake --build --preset bench
	/usr/bin/python3 -B bench/run.py

# Servers and network break every two seconds under verified I/O: make soak MINUTES=60 DISKS=32
MINUTES ?= 10
DISKS ?= 1
soak: windows
	SOAK_MINUTES=$(MINUTES) SOAK_DISKS=$(DISKS) /usr/bin/python3 -B -m pytest -q -rP -p no:cacheprovider tests/soak

# What takes hours: demo, check, dist and api from the tarball in a bare Debian, LONG minutes of soak with one disk, half of
# that with 32 disks and for each fuzzer, the Ceph cluster.
LONG ?= 60
check-long:
	@case '$(LONG)' in '' | *[!0-9]* | 0* | 1) echo "check-long: LONG is minutes, 2 or more" >&2; exit 2 ;; esac
	scripts/setup bare
	tests/bare demo check dist api
	$(MAKE) soak MINUTES=$(LONG)
	$(MAKE) soak MINUTES=$$(($(LONG) / 2)) DISKS=32
	tests/fuzz/long $$(($(LONG) * 30))
	$(MAKE) check-ceph

# An RBD image of a Ceph cluster of one machine as a disk (docs/ceph.md).
check-ceph: windows
	scripts/setup ceph
	/usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/ceph

# Zip, installer, symbols and checks for Windows, test signed, and the sources' tarball, in build/dist: docs/packaging.md.
dist: windows
	packaging/dist

# Driver, library, client and test bed, in build/windows-x64.
windows:
	scripts/setup
	cmake --preset windows-x64 >build/windows-x64.log
	cmake --build --preset windows-x64

clean:
	rm -rf build
