/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the bed is for: a driver under test that breaks a documented contract is named in words. A violation never stops
 * the driver; it is printed (`BED VIOLATION: <rule>: <what happened>`), counted, and kept for BedControl.
 */
#ifndef BED_PORT_VIOLATION_H
#define BED_PORT_VIOLATION_H

#include "driver/ddk.h"

/* Violations whose text is kept; later ones are counted only. */
#define PORT_VIOLATION_TEXTS       32
#define PORT_VIOLATION_TEXT_LENGTH 256

/*
 * Reports one violation. `format` is printf's (no %wZ, no %n, no floating point), the text names the rule first:
 * "completed-twice: SRB ... was completed twice". Any IRQL, any thread, any lock held.
 */
void port_violation(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of the bed's own, `bed: ...`, which is no violation. Same format rules. */
void port_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The number of violations so far. */
ULONG port_violation_count(void);

/* Copies text number `index` (0 = first), NUL-terminated, into `text`; FALSE when there is none. */
BOOLEAN port_violation_text(ULONG index, char text[PORT_VIOLATION_TEXT_LENGTH]);

#endif
