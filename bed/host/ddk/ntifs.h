/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bed's driver kit. This folder stands where a driver's include path has Microsoft's: driver/ddk.h takes its branch
 * for the real kit and finds these headers. Names, layouts and numbers are those Microsoft documents.
 */
#ifndef BED_HOST_DDK_NTIFS_H
#define BED_HOST_DDK_NTIFS_H

#include "bed/host/ddk/nttypes.h"
#include "bed/host/ddk/ntstatus.h"
#include "bed/host/ddk/ntobjects.h"
#include "bed/host/ddk/ntroutines.h"
#include "driver/ddk/pcw.h"

#endif
