/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installing and removing the miniport under test, with the calls that work under Wine as they do on Windows. */
#ifndef WNBD_BED_WINE_AGENT_INSTALL_H
#define WNBD_BED_WINE_AGENT_INSTALL_H

#include <windows.h>
#include <stdbool.h>

/*
 * Makes a root device with the hardware id, installs the INF for it and waits until the adapter's interface can be
 * opened. On failure writes one clause into `error` (MAX_PATH wide characters) and answers false.
 */
bool install_adapter(const wchar_t *inf, const wchar_t *hardware_id, wchar_t error[MAX_PATH]);

/*
 * Removes every root device of class SCSIAdapter and stops the services behind them, so that the driver gives its
 * adapter back and is unloaded. False, with a clause in `error`, when something did not stop within 60 s.
 */
bool remove_adapters(wchar_t error[MAX_PATH]);

#endif
