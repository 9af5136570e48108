/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a device control is numbered. */
#ifndef BED_HOST_DDK_DEVIOCTL_H
#define BED_HOST_DDK_DEVIOCTL_H

#define METHOD_BUFFERED   0
#define METHOD_IN_DIRECT  1
#define METHOD_OUT_DIRECT 2
#define METHOD_NEITHER    3

#define FILE_ANY_ACCESS   0
#define FILE_READ_ACCESS  1
#define FILE_WRITE_ACCESS 2

#define CTL_CODE(DeviceType, Function, Method, Access)                                                                 \
    ((ULONG)(DeviceType) << 16 | (ULONG)(Access) << 14 | (ULONG)(Function) << 2 | (ULONG)(Method))

#endif
