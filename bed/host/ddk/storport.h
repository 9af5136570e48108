/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Storport's side of the kit is the one declaration that the project has of it. */
#ifndef BED_HOST_DDK_STORPORT_H
#define BED_HOST_DDK_STORPORT_H

#include "driver/ddk/scsi.h"
#include "driver/ddk/storport.h"

#endif
