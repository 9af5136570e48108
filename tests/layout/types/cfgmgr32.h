/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_LAYOUT_CFGMGR32_H
#define TESTS_LAYOUT_CFGMGR32_H

#include <windows.h>

typedef DWORD DEVINST;
typedef DEVINST *PDEVINST;

#endif
