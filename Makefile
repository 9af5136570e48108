# SPDX-License-Identifier: LGPL-2.1-or-later
# Three commands. Everything they need is set up on the way (scripts/setup); the build itself is CMake's.

.PHONY: demo check clean windows

demo: windows
	scripts/demo

check:
	scripts/setup
	tests/check

# Driver, library, client and test bed, in build/windows-x64.
windows:
	scripts/setup
	cmake --preset windows-x64 >build/windows-x64.log
	cmake --build --preset windows-x64

clean:
	rm -rf build
