/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock Kernel's side of the kit is the one declaration that the project has of it. */
#ifndef BED_HOST_DDK_WSK_H
#define BED_HOST_DDK_WSK_H

#include "driver/ddk/wsk.h"

#endif
