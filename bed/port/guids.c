/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device interface classes that Storport and the disk class driver register, defined here once. */
#include <initguid.h>
#include "driver/ddk.h"
